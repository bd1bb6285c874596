/*
 * CoAP messages (RFC 7252 §3) in a byte stream (RFC 8323 §3.2).
 */
import { FrameReader } from "../link/frames"

/** The largest message accepted, including header and token. */
const maxMessageBytes = 384

/** Codes in use (RFC 7252 §12.1, RFC 7959 §6, RFC 8323 §11.1). */
export const enum Code {
    empty = 0x00,
    get = 0x01,
    post = 0x02,
    put = 0x03,
    delete = 0x04,
    deleted = 0x42,
    changed = 0x44,
    content = 0x45,
    continue = 0x5f,
    badRequest = 0x80,
    badOption = 0x82,
    forbidden = 0x83,
    notFound = 0x84,
    methodNotAllowed = 0x85,
    notAcceptable = 0x86,
    requestEntityIncomplete = 0x88,
    requestEntityTooLarge = 0x8d,
    unsupportedContentFormat = 0x8f,
    internalServerError = 0xa0,
    serviceUnavailable = 0xa3,
    csm = 0xe1,
    ping = 0xe2,
    pong = 0xe3,
    release = 0xe4,
    abort = 0xe5,
}

/** Option numbers in use (RFC 7252 §5.10, RFC 7641 §2, RFC 7959 §6). */
export const enum OptionNumber {
    uriHost = 3,
    observe = 6,
    uriPort = 7,
    uriPath = 11,
    contentFormat = 12,
    maxAge = 14,
    uriQuery = 15,
    accept = 17,
    block2 = 23,
    block1 = 27,
    size1 = 60,
}

const payloadMarker = 0xff
const noBytes = hex``

/** Class of a code: 0 request, 2 success, 4 client error, 5 server error, 7 signal. */
export function codeClass(code: number): number {
    return code >> 5
}

/** A code in dotted notation: 0x84 is 4.04. */
export function dotted(code: number): string {
    const detail = code & 0x1f
    return `${codeClass(code)}.${detail < 10 ? "0" : ""}${detail}`
}

export class CoapMessage {
    code: number
    /** Matches a response to its request; at most 8 bytes. */
    token: Buffer
    /** Encoded, without the payload marker. */
    options: Buffer
    payload: Buffer

    constructor(code: number, token?: Buffer, options?: Buffer, payload?: Buffer) {
        this.code = code
        this.token = token || noBytes
        this.options = options || noBytes
        this.payload = payload || noBytes
    }

    /** The value of the first option with this number. Undefined if there is none. */
    option(number: number): Buffer | undefined {
        const reader = new OptionReader(this.options)
        while (reader.next()) if (reader.number === number) return reader.value()
        return undefined
    }

    /** The value as an unsigned integer (RFC 7252 §3.2). Undefined if there is none. */
    uintOption(number: number): number | undefined {
        const bytes = this.option(number)
        if (bytes === undefined) return undefined
        let value = 0
        for (let i = 0; i < bytes.length; i++) value = value * 256 + bytes[i]
        return value
    }

    /** The path of a request, such as `status`. */
    path(): string {
        const reader = new OptionReader(this.options)
        let path = ""
        while (reader.next())
            if (reader.number === OptionNumber.uriPath) path += (path ? "/" : "") + reader.value().toString("utf-8")
        return path
    }

    /** The first critical option (RFC 7252 §5.4.1) that is not in `known`. */
    unknownCriticalOption(known: number[]): number | undefined {
        const reader = new OptionReader(this.options)
        while (reader.next()) if (reader.number & 1 && known.indexOf(reader.number) < 0) return reader.number
        return undefined
    }

    /** Encodes the message for the stream. */
    encode(): Buffer {
        const { code, token, options, payload } = this
        const length = options.length + (payload.length > 0 ? 1 + payload.length : 0)
        const tokenLength = token.length
        let head: Buffer
        if (length < 13) head = Buffer.from([(length << 4) | tokenLength, code])
        else if (length < 269) head = Buffer.from([0xd0 | tokenLength, length - 13, code])
        else {
            const rest = length - 269
            head = Buffer.from([0xe0 | tokenLength, rest >> 8, rest & 0xff, code])
        }
        if (payload.length === 0) return Buffer.concat(head, token, options)
        return Buffer.concat(head, token, options, Buffer.from([payloadMarker]), payload)
    }
}

/** Iterates over encoded options (RFC 7252 §3.1), up to their end or the payload marker. */
class OptionReader {
    /** Number of the current option. */
    number = 0
    /** The options are not well-formed. */
    isMalformed = false
    /** Offset of the next option, the payload marker or the end. */
    at = 0
    private bytes: Buffer
    private valueAt = 0

    constructor(bytes: Buffer) {
        this.bytes = bytes
    }

    /** Advances to the next option. @returns whether there is one */
    next(): boolean {
        if (this.isMalformed || this.at >= this.bytes.length) return false
        const initial = this.bytes[this.at]
        if (initial === payloadMarker) return false
        this.at++
        this.number += this.extended(initial >> 4)
        const length = this.extended(initial & 0x0f)
        this.valueAt = this.at
        this.at += length
        if (this.at > this.bytes.length || this.number > 0xffff) this.isMalformed = true
        return !this.isMalformed
    }

    value(): Buffer {
        return this.bytes.slice(this.valueAt, this.at)
    }

    private extended(nibble: number): number {
        if (nibble < 13) return nibble
        const bytes = this.bytes
        const at = this.at
        const width = nibble - 12
        if (nibble === 15 || at + width > bytes.length) {
            this.isMalformed = true
            return 0
        }
        this.at += width
        return nibble === 13 ? 13 + bytes[at] : 269 + ((bytes[at] << 8) | bytes[at + 1])
    }
}

/** Splits a byte stream into messages. */
export class MessageReader extends FrameReader {
    private handle: (message: CoapMessage) => void

    /** @param handle called with each complete message */
    constructor(handle: (message: CoapMessage) => void) {
        super(maxMessageBytes)
        this.handle = handle
    }

    protected advance(): string | undefined {
        const buffer = this.buffer
        const tokenLength = buffer[0] & 0x0f
        if (tokenLength > 8) return "reserved token length"
        const width = extendedLengthBytes(buffer[0] >> 4)
        const header = 2 + width
        if (this.have < header) {
            this.need = header
            return undefined
        }
        const length = messageLength(buffer)
        const total = header + tokenLength + length
        if (total > maxMessageBytes) return "message too large"
        if (this.have < total) {
            this.need = total
            return undefined
        }
        this.reset()
        return this.deliver(buffer[header - 1], header, header + tokenLength, total)
    }

    private deliver(code: number, tokenAt: number, optionsAt: number, end: number): string | undefined {
        const body = this.buffer.slice(optionsAt, end)
        const reader = new OptionReader(body)
        while (reader.next());
        if (reader.isMalformed) return "malformed option"
        if (reader.at === body.length - 1) return "payload marker without payload"
        this.handle(
            new CoapMessage(
                code,
                this.buffer.slice(tokenAt, optionsAt),
                body.slice(0, reader.at),
                body.slice(Math.min(reader.at + 1, body.length)),
            ),
        )
        return undefined
    }
}

function extendedLengthBytes(nibble: number): number {
    return nibble < 13 ? 0 : 1 << (nibble - 13)
}

/** Length of options and payload; needs the whole header. */
function messageLength(header: Buffer): number {
    const nibble = header[0] >> 4
    if (nibble < 13) return nibble
    if (nibble === 13) return 13 + header[1]
    const length = 269 + ((header[1] << 8) | header[2])
    // Four length bytes start at 65805, which is above the limit.
    return nibble === 14 ? length : maxMessageBytes
}
