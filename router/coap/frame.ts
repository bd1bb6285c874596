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

export function encodeFrame({ code, token, options, payload }: CoapMessage): Uint8Array {
    const body = encodeOptionsAndPayload(options, payload)
    return Buffer.concat([headOf(token.length, code, body.length), token, body])
}

/** The bytes of a frame before its token. `length`: of options and payload. */
function headOf(tokenLength: number, code: number, length: number): Uint8Array {
    const head = (nibble: number, ...extended: number[]) =>
        Uint8Array.of((nibble << 4) | tokenLength, ...extended, code)
    if (length < base1) return head(length)
    if (length < base2) return head(13, length - base1)
    if (length < base4) return head(14, (length - base2) >> 8, (length - base2) & 0xff)
    const rest = length - base4
    return head(15, rest >>> 24, (rest >> 16) & 0xff, (rest >> 8) & 0xff, rest & 0xff)
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

/**
 * Converts a message of a WebSocket (RFC 8323 §4.2), whose Length is 0 because the WebSocket has one, to that of a stream (§3.2).
 * Throws CoapFormatError.
 */
export function fromWebSocket(bytes: Uint8Array): Uint8Array {
    const [first = 0xff, code] = bytes
    const tokenLength = first & 15
    if (first >> 4 !== 0) throw new CoapFormatError("a length within a WebSocket message")
    if (tokenLength > maxTokenLength) throw new CoapFormatError("reserved token length")
    if (code === undefined || bytes.length < 2 + tokenLength) throw new CoapFormatError("message cut short")
    return Buffer.concat([headOf(tokenLength, code, bytes.length - 2 - tokenLength), bytes.subarray(2)])
}

/** Encodes a message for a WebSocket, RFC 8323 §4.2: the Length is 0, because the WebSocket has one. */
export function encodeForWebSocket({ code, token, options, payload }: CoapMessage): Uint8Array {
    return Buffer.concat([Uint8Array.of(token.length, code), token, encodeOptionsAndPayload(options, payload)])
}
