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

/** So long a receiver may say more on the connection after it has answered: that somebody has acknowledged. */
const lingerMs = 30 * 60_000
const maxLingering = 50
const lingering = new Set<Socket>()

/**
 * Sends a message on a connection of its own and waits for the one that answers it.
 * @param heard gets what comes after the answer, and says what to reply; where it is left out, the connection is closed
 * @returns the answer
 * @throws DeliveryError, or what the socket says
 */
export async function exchange(
    address: MllpAddress,
    message: string,
    signal: AbortSignal,
    heard?: (message: string) => Promise<string>,
): Promise<string> {
    if (signal.aborted) throw new DeliveryError("timeout")
    const { host, port, tls } = address
    const socket: Socket = tls ? connectTls({ host, port, servername: host, ...tls }) : connectTcp({ host, port })
    const abort = () => socket.destroy(new DeliveryError("timeout"))
    signal.addEventListener("abort", abort, { once: true })
    let isLingering = false
    try {
        socket.write(frame(message))
        const answer = await new Promise<string>((resolve, reject) => {
            let received = Buffer.alloc(0)
            let isAnswered = false
            let replied = Promise.resolve()
            const take = (text: string) => {
                if (!isAnswered) resolve(text)
                else if (heard)
                    replied = replied
                        .then(() => heard(text))
                        .then(reply => void socket.write(frame(reply)))
                        .catch(() => void socket.destroy())
                isAnswered = true
            }
            socket.on("data", chunk => {
                received = Buffer.concat([received, chunk as Buffer])
                try {
                    for (let text = unframe(received); text !== undefined; text = unframe(received)) {
                        received = received.subarray(received.indexOf(end) + end.length)
                        take(text)
                    }
                    if (received.length > maxAnswerBytes) throw new DeliveryError("malformed-answer", "too long")
                } catch (error) {
                    socket.destroy(error as Error)
                }
            })
            socket.on("error", reject)
            socket.on("close", () => reject(new DeliveryError("unreachable", "closed without an acknowledgement")))
        })
        isLingering = heard !== undefined
        return answer
    } finally {
        signal.removeEventListener("abort", abort)
        if (isLingering) linger(socket)
        else socket.destroy()
    }
}

/** A process may end all the same; the oldest connection makes room. */
function linger(socket: Socket): void {
    socket.unref().setTimeout(lingerMs, () => socket.destroy())
    lingering.add(socket)
    socket.on("close", () => lingering.delete(socket))
    const [oldest] = lingering
    if (lingering.size > maxLingering) oldest?.destroy()
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
