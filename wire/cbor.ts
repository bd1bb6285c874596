import { decode as decodeCbor, encode as encodeCbor, type DecodeOptions } from "cbor2"
import { registerEncoder } from "cbor2/encoder"

/** The bytes violate the wire format. The message is one line and never quotes them. */
export class WireError extends Error {}

const strict: DecodeOptions = {
    cde: true, // definite lengths, shortest integers, and sorted, therefore unique keys
    rejectLongLoundNaN: true,
    rejectSimple: true,
    rejectUndefined: true,
    preferMap: true,
    ignoreGlobalTags: true, // a tag stays a tag: hostile bytes cannot create a Date, RegExp or URL
    maxDepth: 32, // an array counts twice here; the wire format nests five deep
}

// Without this, cbor2 writes a Buffer as the object its toJSON() returns.
registerEncoder(Buffer, buffer => [NaN, asUint8Array(buffer)])

/** Encodes deterministic CBOR, RFC 8949 §4.2.1. Numbers without a fraction become integers. */
export function encode(value: unknown): Uint8Array {
    return encodeCbor(value, { cde: true })
}

/**
 * Decodes exactly one CBOR item, and only in the encoding that `encode` produces. Throws WireError for indefinite
 * lengths, encodings longer than needed, unsorted or duplicate keys, deep nesting and trailing bytes. Maps become
 * `Map`, byte strings become views into `bytes`, tags become cbor2's `Tag`, and integers beyond 2^53 become bigints.
 * The caller bounds the size.
 *
 * `floats: "any"` accepts floats of any width, for formats that do not require RFC 8949 §4.2.1. Bytes with more than
 * `maxItems` data items are refused before anything is decoded, because a megabyte of tiny items takes half a second.
 */
export function decode(bytes: Uint8Array, floats: "shortest" | "any" = "shortest", maxItems = Infinity): unknown {
    if (maxItems < Infinity && hasMoreItems(bytes, maxItems)) throw new WireError("too many items")
    try {
        // Through a plain Uint8Array, or the byte strings inside a Buffer would be Buffers too.
        return decodeCbor(asUint8Array(bytes), {
            ...strict,
            rejectLongFloats: floats === "shortest",
        })
    } catch {
        throw new WireError("not one item of deterministic CBOR")
    }
}

/** Counts the heads of data items, RFC 8949 §3. What is malformed here the decoder refuses. */
function hasMoreItems(bytes: Uint8Array, max: number): boolean {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    let items = 0
    for (let at = 0; at < bytes.length; items++) {
        if (items >= max) return true
        const major = bytes[at]! >> 5
        const info = bytes[at]! & 31
        const size = info < 24 || info > 27 ? 0 : 1 << (info - 24)
        if (at + 1 + size > bytes.length) return false
        const isString = major === 2 || major === 3
        const length = isString ? (size === 0 ? info : argumentAt(view, at + 1, size)) : 0
        at += 1 + size + length
    }
    return false
}

function argumentAt(view: DataView, at: number, size: number): number {
    if (size === 1) return view.getUint8(at)
    if (size === 2) return view.getUint16(at)
    return size === 4 ? view.getUint32(at) : Number(view.getBigUint64(at))
}

/** Tells whether a value is an unsigned integer that a JavaScript number holds exactly. */
export function isCount(value: unknown): value is number {
    return Number.isSafeInteger(value) && (value as number) >= 0
}

function asUint8Array(bytes: Uint8Array): Uint8Array {
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
