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
 * `floats: "any"` accepts floats of any width, for formats that do not require RFC 8949 §4.2.1.
 */
export function decode(bytes: Uint8Array, floats: "shortest" | "any" = "shortest"): unknown {
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

/** Tells whether a value is an unsigned integer that a JavaScript number holds exactly. */
export function isCount(value: unknown): value is number {
    return Number.isSafeInteger(value) && (value as number) >= 0
}

function asUint8Array(bytes: Uint8Array): Uint8Array {
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
