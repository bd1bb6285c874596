import { createSocket, type Socket as Datagrams } from "node:dgram"
import { once } from "node:events"
import { connect, type Socket } from "node:net"
import type { Protocol } from "./protocols.ts"

/** The router has places for 256 strangers of one address. */
const maxOfAddress = 128
/** What is not confirmed over UDP is sent again after this time without any confirmation. */
const resendMs = 300

/** A client's connection. */
export interface Link {
    /** Keeps `window` messages under way until all have been confirmed. */
    exchange(messages: readonly Uint8Array[], window: number): Promise<void>
    close(): void
}

/** Opens connection number `c`. On Linux each 128 of them have an address of their own. */
export async function openLink(peer: { name: string; port: number } & Protocol, c: number): Promise<Link> {
    const local = process.platform === "linux" ? `127.0.0.${2 + Math.floor(c / maxOfAddress)}` : "127.0.0.1"
    if (peer.isDatagrams) return datagramLink(peer, local)
    const socket = connect({ port: peer.port, host: "127.0.0.1", localAddress: local })
    await once(socket, "connect")
    socket.setNoDelay(true)
    socket.on("error", () => socket.destroy())
    if (peer.hello) {
        socket.write(peer.hello(c))
        await once(socket, "data") // its CSM or CONNACK
    }
    return {
        exchange: (messages, window) => exchangeOverTcp(socket, peer, messages, window),
        close: () => socket.destroy(),
    }
}

function exchangeOverTcp(
    socket: Socket,
    peer: { name: string } & Protocol,
    messages: readonly Uint8Array[],
    window: number,
): Promise<void> {
    const count = peer.counter()
    return new Promise((resolve, reject) => {
        let sent = 0
        let confirmed = 0
        const fill = () => {
            const from = sent
            while (sent < messages.length && sent - confirmed < window) sent++
            if (sent > from) socket.write(Buffer.concat(messages.slice(from, sent)))
        }
        const closed = () => reject(new Error(`${peer.name} closed a connection`))
        const received = (bytes: Buffer) => {
            try {
                confirmed += count(bytes)
            } catch (error) {
                return reject(new Error(`${peer.name}: ${(error as Error).message}`))
            }
            if (confirmed < messages.length) return fill()
            socket.off("data", received).off("close", closed)
            resolve()
            return undefined
        }
        socket.on("data", received).on("close", closed)
        fill()
    })
}

async function datagramLink(peer: { name: string; port: number } & Protocol, address: string): Promise<Link> {
    const socket = createSocket("udp4")
    socket.bind(0, address)
    await once(socket, "listening")
    socket.connect(peer.port, "127.0.0.1")
    await once(socket, "connect")
    return {
        exchange: (messages, window) => exchangeDatagrams(socket, peer, messages, window),
        close: () => socket.close(),
    }
}

function exchangeDatagrams(
    socket: Datagrams,
    peer: { name: string } & Protocol,
    messages: readonly Uint8Array[],
    window: number,
): Promise<void> {
    const idOf = (bytes: Uint8Array) => (bytes[2]! << 8) | bytes[3]!
    const count = peer.counter()
    const underWay = new Map<number, Uint8Array>()
    return new Promise((resolve, reject) => {
        let sent = 0
        const end = (error?: Error) => {
            clearInterval(timer)
            socket.off("message", received)
            if (error) reject(error)
            else resolve()
        }
        const fill = () => {
            for (; sent < messages.length && underWay.size < window; sent++) {
                const message = messages[sent]!
                underWay.set(idOf(message), message)
                socket.send(message)
            }
            if (underWay.size === 0) end()
        }
        let isQuiet = false
        const timer = setInterval(() => {
            if (isQuiet) for (const message of underWay.values()) socket.send(message)
            isQuiet = true
        }, resendMs)
        const received = (bytes: Buffer) => {
            isQuiet = false
            try {
                if (count(bytes) > 0) underWay.delete(idOf(bytes))
                fill()
            } catch (error) {
                end(new Error(`${peer.name}: ${(error as Error).message}`))
            }
        }
        socket.on("message", received)
        fill()
    })
}
