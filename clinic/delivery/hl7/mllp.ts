import { connect as connectTcp, type Socket } from "node:net"
import { connect as connectTls } from "node:tls"
import { DeliveryError } from "../channel.ts"

/* Minimal Lower Layer Protocol, release 1 (HL7 Transport Specification): a block is 0x0b, the message, 0x1c 0x0d. */

const start = 0x0b
const end = Buffer.of(0x1c, 0x0d)
/** An acknowledgement is some hundred bytes. */
const maxAnswerBytes = 64 * 1024

export interface MllpAddress {
    host: string
    port: number
    /** TLS as IHE ATNA asks for; in the clear where this is absent. */
    tls?: { ca?: string; cert?: string; key?: string }
}

/**
 * Sends a message on a connection of its own and waits for the one that answers it.
 * @returns the answer
 * @throws DeliveryError, or what the socket says
 */
export async function exchange(address: MllpAddress, message: string, signal: AbortSignal): Promise<string> {
    if (signal.aborted) throw new DeliveryError("timeout")
    const { host, port, tls } = address
    const socket: Socket = tls ? connectTls({ host, port, servername: host, ...tls }) : connectTcp({ host, port })
    const abort = () => socket.destroy(new DeliveryError("timeout"))
    signal.addEventListener("abort", abort, { once: true })
    try {
        socket.write(frame(message))
        let received = Buffer.alloc(0)
        for await (const chunk of socket) {
            received = Buffer.concat([received, chunk as Buffer])
            if (received.length > maxAnswerBytes) throw new DeliveryError("malformed-answer", "too long")
            const answer = unframe(received)
            if (answer !== undefined) return answer
        }
        throw new DeliveryError("unreachable", "closed without an acknowledgement")
    } finally {
        signal.removeEventListener("abort", abort)
        socket.destroy()
    }
}

export function frame(message: string): Buffer {
    return Buffer.concat([Buffer.of(start), Buffer.from(message), end])
}

/** The message in a whole block; undefined while it is not whole. Throws DeliveryError where it is none. */
export function unframe(bytes: Buffer): string | undefined {
    if (bytes.length > 0 && bytes[0] !== start) throw new DeliveryError("malformed-answer", "not an MLLP block")
    const at = bytes.indexOf(end)
    return at < 0 ? undefined : bytes.subarray(1, at).toString("utf8")
}
