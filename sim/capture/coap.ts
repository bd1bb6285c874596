import { decodeOptions, dotted, pathOf, type CoapOption } from "../../router/index.ts"

/* CoAP over TCP (RFC 8323), read from observed segments, of which some repeat and some are missing. */

const maxStreams = 256
const maxStarts = 64
const maxTokenBytes = 8
const contentFormatOption = 12
const requests = ["Empty", "GET", "POST", "PUT", "DELETE"]
const signals: Record<number, string> = { 1: "CSM", 2: "Ping", 3: "Pong", 4: "Release", 5: "Abort" }

export interface SeenMessage {
    /** `POST /vitals`, `2.04`, `7.02 Ping`. */
    text: string
    contentFormat: number | undefined
    /** Length of the whole message, of which a segment may hold only a part. */
    bytes: number
}

/**
 * Finds messages in the segments of many connections. Message boundaries are known from the start of the connection: a
 * missed segment makes the rest of its stream unreadable, and a repeated one is read again.
 */
export class CoapStreams {
    /** Sequence numbers at which messages begin, by connection and direction. */
    private readonly streams = new Map<string, Set<number>>()

    /** Starts a stream; `sequence` is the sequence number of its first byte. */
    open(stream: string, sequence: number): void {
        this.streams.delete(stream)
        if (this.streams.size >= maxStreams) this.streams.delete(firstOf(this.streams.keys()))
        this.streams.set(stream, new Set([sequence >>> 0]))
    }

    /** The messages that begin in a segment. Undefined if the boundaries are unknown. */
    read(stream: string, sequence: number, data: Uint8Array): SeenMessage[] | undefined {
        const starts = this.streams.get(stream)
        if (!starts || !data.length) return undefined
        const at = [...starts].map(start => (start - sequence) >>> 0)
        let next = Math.min(...at.filter(offset => offset < data.length))
        if (next === Infinity) return undefined
        const messages: SeenMessage[] = []
        while (next < data.length) {
            const message = readMessage(data.subarray(next))
            if (!message) break
            messages.push(message)
            next += message.bytes
            if (starts.size >= maxStarts) starts.delete(firstOf(starts.values()))
            starts.add((sequence + next) >>> 0)
        }
        return messages
    }
}

/** Reads a message header (RFC 8323 §3.2). */
function readMessage(bytes: Uint8Array): SeenMessage | undefined {
    const nibble = bytes[0]! >> 4
    const tokenBytes = bytes[0]! & 15
    const width = nibble < 13 ? 0 : 2 ** (nibble - 13)
    const code = bytes[1 + width]
    if (code === undefined || tokenBytes > maxTokenBytes) return undefined
    const extended = bytes.subarray(1, 1 + width).reduce((value, byte) => value * 256 + byte, 0)
    const length = width === 0 ? nibble : [13, 269, 65_805][nibble - 13]! + extended
    const start = 2 + width + tokenBytes
    const options = code >> 5 === 7 ? [] : optionsOf(bytes.subarray(start, start + length))
    return {
        text: nameOf(code, options),
        contentFormat: options
            .find(({ number }) => number === contentFormatOption)
            ?.value.reduce((value, byte) => value * 256 + byte, 0),
        bytes: start + length,
    }
}

function nameOf(code: number, options: CoapOption[]): string {
    const detail = code & 31
    if (code >> 5 === 0) return `${requests[detail] ?? dotted(code)} ${pathOf(options)}`
    const signal = code >> 5 === 7 ? signals[detail] : undefined
    return signal ? `${dotted(code)} ${signal}` : dotted(code)
}

/** Empty if the segment ends within them. */
function optionsOf(bytes: Uint8Array): CoapOption[] {
    try {
        return decodeOptions(bytes).options
    } catch {
        return []
    }
}

function firstOf<T>(values: Iterable<T>): T {
    for (const value of values) return value
    throw new Error("empty")
}
