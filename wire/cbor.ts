import { decode as decodeCbor, encode as encodeCbor, type DecodeOptions } from "cbor2"
import { registerEncoder } from "cbor2/encoder"

/** The bytes are not what the wire format says. The message is one line and never quotes them. */
export class WireError extends Error {}

const strict: DecodeOptions = {
    cde: true, // definite lengths, shortest integers, sorted and so unique keys
    rejectLongLoundNaN: true,
    rejectSimple: true,
    rejectUndefined: true,
    preferMap: true,
    ignoreGlobalTags: true, // a tag stays a tag: no Date, RegExp or URL grows out of hostile bytes
    maxDepth: 32, // an array counts twice here; the wire format nests five deep
}

// Without this, cbor2 writes a Buffer as the object its toJSON() returns.
registerEncoder(Buffer, buffer => [NaN, asUint8Array(buffer)])

/** Deterministic CBOR, RFC 8949 §4.2.1. Numbers without a fraction become integers. */
export function encode(value: unknown): Uint8Array {
    return encodeCbor(value, { cde: true })
}

/**
 * Exactly one CBOR item, and only in the encoding `encode` would give it: anything indefinite, longer than needed,
 * unsorted, duplicate, nested too deep or trailing is refused. Maps become `Map`, byte strings views into `bytes`,
 * tags cbor2's `Tag`, integers beyond 2^53 bigints. The caller bounds the size.
 *
 * `floats: "any"` accepts floats of any width, for what others encoded where RFC 8949 §4.2.1 is not asked for.
 * Throws WireError.
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

/** An unsigned integer that a number holds exactly. */
export function isCount(value: unknown): value is number {
    return Number.isSafeInteger(value) && (value as number) >= 0
}

function asUint8Array(bytes: Uint8Array): Uint8Array {
    return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
