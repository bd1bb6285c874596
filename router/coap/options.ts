import type { CoapMessage, CoapOption } from "./message.ts"

/** The message violates RFC 7252 §3 or RFC 8323 §3.2. The error text is one line and quotes no content. */
export class CoapFormatError extends Error {}

/** Option numbers of RFC 7252 §5.10, RFC 7641 §2, RFC 7959 §2.1 and §4, and RFC 9175 §2.2 and §3.2. */
export const OptionNumber = {
    IfMatch: 1,
    UriHost: 3,
    ETag: 4,
    IfNoneMatch: 5,
    Observe: 6,
    UriPort: 7,
    LocationPath: 8,
    UriPath: 11,
    ContentFormat: 12,
    MaxAge: 14,
    UriQuery: 15,
    Accept: 17,
    LocationQuery: 20,
    Block2: 23,
    Block1: 27,
    Size2: 28,
    ProxyUri: 35,
    ProxyScheme: 39,
    Size1: 60,
    Echo: 252,
    RequestTag: 292,
} as const

/** The valid lengths of values in bytes, RFC 7252 §5.10, RFC 7641 §2, RFC 7959 §2.1 and §4, and RFC 9175 §2.2.1 and §3.2.1. */
const valueBytes = new Map<number, { min: number; max: number }>([
    [OptionNumber.IfMatch, { min: 0, max: 8 }],
    [OptionNumber.UriHost, { min: 1, max: 255 }],
    [OptionNumber.ETag, { min: 1, max: 8 }],
    [OptionNumber.IfNoneMatch, { min: 0, max: 0 }],
    [OptionNumber.Observe, { min: 0, max: 3 }],
    [OptionNumber.UriPort, { min: 0, max: 2 }],
    [OptionNumber.LocationPath, { min: 0, max: 255 }],
    [OptionNumber.UriPath, { min: 0, max: 255 }],
    [OptionNumber.ContentFormat, { min: 0, max: 2 }],
    [OptionNumber.MaxAge, { min: 0, max: 4 }],
    [OptionNumber.UriQuery, { min: 0, max: 255 }],
    [OptionNumber.Accept, { min: 0, max: 2 }],
    [OptionNumber.LocationQuery, { min: 0, max: 255 }],
    [OptionNumber.Block2, { min: 0, max: 3 }],
    [OptionNumber.Block1, { min: 0, max: 3 }],
    [OptionNumber.Size2, { min: 0, max: 4 }],
    [OptionNumber.ProxyUri, { min: 1, max: 1034 }],
    [OptionNumber.ProxyScheme, { min: 1, max: 255 }],
    [OptionNumber.Size1, { min: 0, max: 4 }],
    [OptionNumber.Echo, { min: 1, max: 40 }],
    [OptionNumber.RequestTag, { min: 0, max: 8 }],
])
/** The maximum length of an unsigned integer in an option. */
const maxUintBytes = 4
/** The maximum number of options in a message. A request with a long path and query has a dozen. */
const maxOptions = 64

const payloadMarker = 0xff
const maxOptionNumber = 0xffff

/** Encodes options in ascending order, and a non-empty payload after its marker, RFC 7252 §3.1. */
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

/** Decodes options and payload as views into `bytes`. Throws CoapFormatError. */
export function decodeOptionsAndPayload(bytes: Uint8Array): Pick<CoapMessage, "options" | "payload"> {
    const options: CoapOption[] = []
    let number = 0
    let at = 0
    /** Reads the extension of a delta or length whose nibble is `nibble`, and returns the value. */
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
        if (options.length === maxOptions) throw new CoapFormatError(`more than ${maxOptions} options`)
        options.push({ number, value: bytes.subarray(at, at + length) })
        at += length
    }
    return { options, payload: bytes.subarray(at) }
}

/**
 * Tells whether an option is critical. A recipient must understand critical options and may ignore others, RFC 7252
 * §5.4.1.
 */
export function isCritical(number: number): boolean {
    return number % 2 === 1
}

/** Tells whether the value has a valid length. The value of an unknown option may have any length. */
export function hasValidLength({ number, value }: CoapOption): boolean {
    const known = valueBytes.get(number)
    return !known || (value.length >= known.min && value.length <= known.max)
}

/**
 * Makes an option whose value is an unsigned integer in as few bytes as possible, RFC 7252 §3.2. Throws RangeError if
 * the value is not an unsigned integer of at most four bytes.
 */
export function uintOption(number: number, value: number): CoapOption {
    if (!Number.isInteger(value) || value < 0 || value >= 256 ** maxUintBytes)
        throw new RangeError(`option ${number} cannot be ${value}`)
    const bytes: number[] = []
    for (let rest = value; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
    return { number, value: Uint8Array.from(bytes) }
}

/**
 * Returns the value of an unsigned integer option. Returns undefined if the option is absent or has an invalid length,
 * which counts as absent (RFC 7252 §5.4.3). Leading zeros are valid.
 */
export function uintValue(options: CoapOption[], number: number): number | undefined {
    const option = options.find(o => o.number === number)
    if (!option || !hasValidLength(option) || option.value.length > maxUintBytes) return undefined
    return option.value.reduce((value, byte) => value * 256 + byte, 0)
}

/** Returns one `Uri-Path` option per segment. `/` has none. */
export function pathOptions(path: string): CoapOption[] {
    return path
        .split("/")
        .filter(segment => segment !== "")
        .map(segment => ({ number: OptionNumber.UriPath, value: Buffer.from(segment) }))
}

/** Returns the path of a request, such as `/vitals`, with each segment percent-encoded. */
export function pathOf(options: CoapOption[]): string {
    const segments = options
        .filter(o => o.number === OptionNumber.UriPath)
        .map(o => encodeURIComponent(Buffer.from(o.value).toString("utf8")))
    return "/" + segments.join("/")
}

/** Returns the parts of the query, such as `["rt=core.rd*"]`. */
export function queryOf(options: CoapOption[]): string[] {
    return options.filter(o => o.number === OptionNumber.UriQuery).map(o => Buffer.from(o.value).toString("utf8"))
}

/** Returns the nibble of a delta or length, and the bytes that extend it, RFC 7252 §3.1. */
function nibble(value: number): { nibble: number; extended: number[] } {
    if (value < 13) return { nibble: value, extended: [] }
    if (value < 269) return { nibble: 13, extended: [value - 13] }
    return { nibble: 14, extended: [(value - 269) >> 8, (value - 269) & 0xff] }
}
