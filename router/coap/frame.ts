import type { CoapMessage } from "./message.ts"
import { CoapFormatError, decodeOptionsAndPayload, encodeOptionsAndPayload } from "./options.ts"

/*
 * CoAP messages in a byte stream, RFC 8323 §3.2: length nibble and token length, up to 4 bytes of extended length, code,
 * token, options and payload. The length counts options and payload only.
 */

/** Where each extended length starts, by its number of bytes. */
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

/** Cuts a byte stream into messages, whatever the pieces it arrives in. */
export class FrameReader {
    private readonly maxMessageBytes: number
    private pending: Uint8Array = new Uint8Array(0)

    /** `maxMessageBytes` counts the whole message, as Max-Message-Size does (RFC 8323 §5.3.1). */
    constructor(maxMessageBytes: number) {
        this.maxMessageBytes = maxMessageBytes
    }

    /**
     * The messages that `bytes` complete, one by one. Throws CoapFormatError as soon as a header announces what this
     * reader does not take; the stream has lost its frames then.
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
        this.pending = Uint8Array.from(rest) // a copy: what arrived may be a view into something large
    }

    /** Sizes of the message that `bytes` start with; undefined while its header is incomplete. */
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
