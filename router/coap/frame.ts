import type { CoapMessage } from "./message.ts"
import { CoapFormatError, decodeOptionsAndPayload, encodeOptionsAndPayload } from "./options.ts"

/*
 * CoAP messages in a byte stream, RFC 8323 §3.2: a nibble each for length and token length, up to 4 bytes of extended
 * length, then code, token, options and payload. The length covers options and payload only.
 */

/** The smallest length in each of the extended forms, which have 1, 2 and 4 bytes. */
const base1 = 13
const base2 = 269
const base4 = 65805
const maxTokenLength = 8

export function encodeFrame(message: CoapMessage): Uint8Array {
    const body = encodeOptionsAndPayload(message.options, message.payload)
    const length = body.length
    const tokenLength = message.token.length
    const head = (nibble: number, ...extended: number[]) =>
        Uint8Array.of((nibble << 4) | tokenLength, ...extended, message.code)
    let start: Uint8Array
    if (length < base1) start = head(length)
    else if (length < base2) start = head(13, length - base1)
    else if (length < base4) start = head(14, (length - base2) >> 8, (length - base2) & 0xff)
    else {
        const rest = length - base4
        start = head(15, rest >>> 24, (rest >> 16) & 0xff, (rest >> 8) & 0xff, rest & 0xff)
    }
    return Buffer.concat([start, message.token, body])
}

/** Splits a byte stream into messages, however it is fragmented. */
export class FrameReader {
    private readonly maxMessageBytes: number
    private pending: Uint8Array = new Uint8Array(0)

    /** @param maxMessageBytes limits the whole message, like Max-Message-Size (RFC 8323 §5.3.1) */
    constructor(maxMessageBytes: number) {
        this.maxMessageBytes = maxMessageBytes
    }

    /**
     * Yields the messages that `bytes` complete. Throws CoapFormatError as soon as a header is malformed or announces
     * too large a message; the stream cannot be read any further then.
     */
    *push(bytes: Uint8Array): Generator<CoapMessage> {
        let rest = this.pending.length === 0 ? bytes : Buffer.concat([this.pending, bytes])
        for (;;) {
            const frame = this.measure(rest)
            if (frame === undefined || rest.length < frame.total) break
            const token = rest.subarray(frame.header, frame.header + frame.tokenLength)
            const body = rest.subarray(frame.header + frame.tokenLength, frame.total)
            const code = rest[frame.header - 1]!
            rest = rest.subarray(frame.total)
            yield { code, token, ...decodeOptionsAndPayload(body) }
        }
        this.pending = Uint8Array.from(rest) // a copy, because `bytes` may be a view into a large buffer
    }

    /** Returns the sizes of the first message in `bytes`, or undefined while its header is incomplete. */
    private measure(bytes: Uint8Array) {
        if (bytes.length === 0) return undefined
        const lengthNibble = bytes[0]! >> 4
        const tokenLength = bytes[0]! & 15
        if (tokenLength > maxTokenLength) throw new CoapFormatError("reserved token length")
        const width = lengthNibble < 13 ? 0 : 2 ** (lengthNibble - 13)
        const header = 1 + width + 1
        if (bytes.length < header) return undefined
        let extended = 0
        for (let i = 1; i <= width; i++) extended = extended * 256 + bytes[i]!
        const base = [lengthNibble, base1, base2, undefined, base4][width]!
        const total = header + tokenLength + base + extended
        if (total > this.maxMessageBytes)
            throw new CoapFormatError(`message of ${total} bytes, at most ${this.maxMessageBytes} allowed`)
        return { header, tokenLength, total }
    }
}
