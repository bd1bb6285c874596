import { createSocket } from "node:dgram"
import { isIPv4 } from "node:net"
import { networkInterfaces } from "node:os"
import { realClock } from "../../host/clock.ts"
import { reasonOf, UserError } from "../../host/errors.ts"
import { LogSummary } from "../../host/log-summary.ts"
import type { Log } from "../../host/log.ts"
import { dnsResponse, type DnsName } from "./responder.ts"

/** The name to serve and the port to serve it on. */
export interface DnsAccess extends DnsName {
    /** The UDP port; 0 means any. */
    port: number
}

/**
 * Serves one name over UDP. It binds only to the name's address if this machine has it, because the machine's own
 * resolver may use port 53 of another address. Otherwise it binds to all addresses.
 * @throws UserError if the port cannot be used
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
            const failures = new LogSummary(`errors of DNS port ${port}`, { clock: realClock, log, level: "warn" })
            socket.on("error", error => failures.count(reasonOf(error)))
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

/** Returns the IPv4 addresses under which other machines on the network reach this one. */
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
