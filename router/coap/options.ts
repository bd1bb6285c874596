import type { CoapMessage, CoapOption } from "./message.ts"

/** The message does not follow RFC 7252 §3 or RFC 8323 §3.2. One line, no content. */
export class CoapFormatError extends Error {}

/** Option numbers of RFC 7252 §5.10, RFC 7641 §2 and RFC 7959 §2.1. */
export const OptionNumber = {
    IfMatch: 1,
    UriHost: 3,
    ETag: 4,
    IfNoneMatch: 5,
    Observe: 6,
    UriPort: 7,
    UriPath: 11,
    ContentFormat: 12,
    MaxAge: 14,
    UriQuery: 15,
    Accept: 17,
    Block2: 23,
    Block1: 27,
    ProxyUri: 35,
    ProxyScheme: 39,
    Size1: 60,
} as const

const payloadMarker = 0xff
const maxOptionNumber = 0xffff

/** Options, and where there is one the payload after its marker, RFC 7252 §3.1. Sorts the options. */
export function encodeOptionsAndPayload(options: CoapOption[], payload: Uint8Array): Uint8Array {
    const parts: Uint8Array[] = []
    let previous = 0
    for (const { number, value } of [...options].sort((a, b) => a.number - b.number)) {
        const delta = nibble(number - previous)
        const length = nibble(value.length)
        const head = (delta.nibble << 4) | length.nibble
        parts.push(Uint8Array.of(head, ...delta.extended, ...length.extended), value)
        previous = number
    }
    if (payload.length > 0) parts.push(Uint8Array.of(payloadMarker), payload)
    return Buffer.concat(parts)
}

/** Views into `bytes`. Throws CoapFormatError. */
export function decodeOptionsAndPayload(bytes: Uint8Array): Pick<CoapMessage, "options" | "payload"> {
    const options: CoapOption[] = []
    let number = 0
    let at = 0
    /** Delta or length whose nibble in the head is `nibble`. */
    const extended = (nibble: number) => {
        if (nibble < 13) return nibble
        if (nibble === 15) throw new CoapFormatError("reserved option delta or length")
        const width = nibble - 12
        if (at + width > bytes.length) throw new CoapFormatError("option cut short")
        const first = bytes[at++]!
        return width === 1 ? first + 13 : ((first << 8) | bytes[at++]!) + 269
    }
    while (at < bytes.length) {
        const head = bytes[at++]!
        if (head === payloadMarker) {
            if (at === bytes.length) throw new CoapFormatError("payload marker without payload")
            return { options, payload: bytes.subarray(at) }
        }
        number += extended(head >> 4)
        const length = extended(head & 15)
        if (number > maxOptionNumber) throw new CoapFormatError("option number too large")
        if (at + length > bytes.length) throw new CoapFormatError("option cut short")
        options.push({ number, value: bytes.subarray(at, at + length) })
        at += length
    }
    return { options, payload: bytes.subarray(at) }
}

/** Critical options must be understood (RFC 7252 §5.4.1); the others may be passed over. */
export function isCritical(number: number): boolean {
    return number % 2 === 1
}

/** An option whose value is an unsigned integer in as few bytes as it takes, RFC 7252 §3.2. */
export function uintOption(number: number, value: number): CoapOption {
    const bytes: number[] = []
    for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
    return { number, value: Uint8Array.from(bytes) }
}

/** The value of such an option (6 bytes at most), undefined where there is none. Leading zeros are fine. */
export function uintValue(options: CoapOption[], number: number): number | undefined {
    const option = options.find(o => o.number === number)
    return option && option.value.reduce((value, byte) => value * 256 + byte, 0)
}

/** One `Uri-Path` option a segment; `/` has none. */
export function pathOptions(path: string): CoapOption[] {
    return path
        .split("/")
        .filter(segment => segment !== "")
        .map(segment => ({ number: OptionNumber.UriPath, value: Buffer.from(segment) }))
}

/** The path that a request names, each segment percent-encoded: `/vitals`. */
export function pathOf(options: CoapOption[]): string {
    const segments = options
        .filter(o => o.number === OptionNumber.UriPath)
        .map(o => encodeURIComponent(Buffer.from(o.value).toString("utf8")))
    return "/" + segments.join("/")
}

/** The parts of the query: `["rt=core.rd*"]`. */
export function queryOf(options: CoapOption[]): string[] {
    return options.filter(o => o.number === OptionNumber.UriQuery).map(o => Buffer.from(o.value).toString("utf8"))
}

/** RFC 7252 §3.1: the nibble for a delta or length and the bytes that extend it. */
function nibble(value: number): { nibble: number; extended: number[] } {
    if (value < 13) return { nibble: value, extended: [] }
    if (value < 269) return { nibble: 13, extended: [value - 13] }
    return { nibble: 14, extended: [(value - 269) >> 8, (value - 269) & 0xff] }
}
