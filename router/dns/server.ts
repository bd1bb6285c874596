import { createSocket } from "node:dgram"
import { isIPv4 } from "node:net"
import { networkInterfaces } from "node:os"
import { reasonOf, UserError } from "../../host/errors.ts"
import type { Log } from "../../host/log.ts"
import { dnsResponse, type DnsName } from "./responder.ts"

/** Where the router's name is served. */
export interface DnsAccess extends DnsName {
    /** Port of UDP; 0 means any. */
    port: number
}

/**
 * Serves one name over UDP, at its own address where this machine has it, otherwise at all of its addresses: port 53 of
 * another one may be in use by the machine's own resolver. @throws UserError where the port cannot be used
 */
export function serveDns({ port, ...own }: DnsAccess, log: Log): Promise<{ port: number; close(): void }> {
    const host = isOwnAddress(own.address) ? own.address : "0.0.0.0"
    const socket = createSocket("udp4")
    return new Promise((resolve, reject) => {
        socket.once("error", error => {
            socket.close()
            reject(new UserError(`cannot serve DNS on ${host} port ${port}: ${reasonOf(error)}`))
        })
        socket.bind(port, host, () => {
            socket.removeAllListeners("error")
            socket.on("error", error => log.error({ port, reason: reasonOf(error) }, "DNS error"))
            socket.on("message", (datagram, from) => {
                const response = dnsResponse(datagram, own)
                if (!response) return
                socket.send(response, from.port, from.address, error => {
                    if (error) log.debug({ reason: reasonOf(error) }, "a DNS response was not sent")
                })
            })
            resolve({ port: socket.address().port, close: () => void socket.close() })
        })
    })
}

/** The IPv4 addresses by which others on the network know this machine. */
export function lanAddresses(): string[] {
    return interfaces()
        .filter(({ internal }) => !internal)
        .map(({ address }) => address)
}

function isOwnAddress(address: string): boolean {
    return interfaces().some(own => own.address === address)
}

function interfaces() {
    return Object.values(networkInterfaces())
        .flatMap(all => all ?? [])
        .filter(({ address }) => isIPv4(address))
}
