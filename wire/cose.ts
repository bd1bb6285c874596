import { createHmac, timingSafeEqual } from "node:crypto"
import { WireError } from "./cbor.ts"
import { kidBytes } from "./keys.ts"

/*
 * COSE_Mac0 (RFC 9052 §6.2) in the shapes that docs/wire.md allows. Deterministic CBOR has exactly one encoding of each,
 * so this code reads and writes its bytes directly. That is strict by construction and, for every envelope, some twenty
 * times cheaper than a general decoder.
 */

/** A COSE_Mac0: `#6.17([protectedHeader, {}, payload, tag])`. The fields are the contents of its byte strings. */
export interface Mac0 {
    protectedHeader: Uint8Array
    payload: Uint8Array
    tag: Uint8Array
}

/** The length of a tag of HMAC 256/64. */
export const tagBytes = 8

const start = Uint8Array.of(0xd1, 0x84) // tag 17, array of 4
const unprotected = Uint8Array.of(0xa0) // {}
const macStructureStart = Uint8Array.of(0x84, 0x64, 0x4d, 0x41, 0x43, 0x30) // array of 4, "MAC0"
const headerStart = Uint8Array.of(0xa2, 0x01, 0x04, 0x04, 0x48) // {1: 4, 4: bstr of 8}

/** The protected header without a kid: `{1: 4}`, alg HMAC 256/64. */
export const bareHeader = Uint8Array.of(0xa1, 0x01, 0x04)

/** Encodes the protected header with a kid: `{1: 4, 4: kid}`. */
export function headerWith(kid: Uint8Array): Uint8Array {
    return Buffer.concat([headerStart, kid])
}

/** Returns the kid in a protected header. Throws WireError for any other header than `headerWith` makes. */
export function kidIn(protectedHeader: Uint8Array): Uint8Array {
    const reader = new ShapeReader(protectedHeader)
    reader.expect(headerStart)
    const kid = reader.take(kidBytes)
    reader.end()
    return kid
}

/**
 * Parses a COSE_Mac0 with any protected header and any tag, without checking the MAC. The fields are views into `bytes`.
 * Throws WireError for any other shape.
 */
export function parseMac0(bytes: Uint8Array): Mac0 {
    const reader = new ShapeReader(bytes)
    reader.expect(start)
    const protectedHeader = reader.bstr()
    reader.expect(unprotected)
    const payload = reader.bstr()
    const tag = reader.bstr()
    reader.end()
    return { protectedHeader, payload, tag }
}

/** Encodes a COSE_Mac0 whose header says HMAC 256/64. */
export function encodeMac0(
    protectedHeader: Uint8Array,
    payload: Uint8Array,
    externalAad: Uint8Array,
    key: Uint8Array,
): Uint8Array {
    return Buffer.concat([
        start,
        bstr(protectedHeader),
        unprotected,
        bstr(payload),
        bstr(mac(protectedHeader, payload, externalAad, key)),
    ])
}

/** Tells whether the tag is HMAC 256/64 with `key` for this `externalAad`. Takes constant time for a tag of that length. */
export function verifyMac0(message: Mac0, externalAad: Uint8Array, key: Uint8Array): boolean {
    const { protectedHeader, payload, tag } = message
    return tag.length === tagBytes && timingSafeEqual(mac(protectedHeader, payload, externalAad, key), tag)
}

/** HMAC-SHA-256 over the MAC_structure, RFC 9052 §6.3, `["MAC0", protected, external_aad, payload]`; its first 8 bytes. */
function mac(protectedHeader: Uint8Array, payload: Uint8Array, externalAad: Uint8Array, key: Uint8Array): Uint8Array {
    const structure = Buffer.concat([macStructureStart, bstr(protectedHeader), bstr(externalAad), bstr(payload)])
    return createHmac("sha256", key).update(structure).digest().subarray(0, tagBytes)
}

function bstr(bytes: Uint8Array): Uint8Array {
    return Buffer.concat([head(majorType.bstr, bytes.length), bytes])
}

/** CBOR major types, RFC 8949 §3.1. */
export const majorType = { uint: 0, bstr: 2, array: 4 } as const

/** Encodes the head of a CBOR item in its shortest form, RFC 8949 §3. `value` is a number below 2^53 or a length. */
export function head(type: number, value: number): Uint8Array {
    const first = type << 5
    if (value < 24) return Uint8Array.of(first | value)
    if (value < 2 ** 8) return Uint8Array.of(first | 24, value)
    const width = value < 2 ** 16 ? 2 : value < 2 ** 32 ? 4 : 8
    const bytes = Buffer.alloc(1 + width, first | (24 + Math.log2(width)))
    if (width < 8) bytes.writeUIntBE(value, 1, width)
    else bytes.writeBigUInt64BE(BigInt(value), 1)
    return bytes
}

/** Reads bytes of a known shape. Every method throws WireError if they have another one. */
class ShapeReader {
    private readonly bytes: Uint8Array
    private offset = 0

    constructor(bytes: Uint8Array) {
        this.bytes = bytes
    }

    take(length: number): Uint8Array {
        const end = this.offset + length
        if (end > this.bytes.length) throw new WireError("cut short")
        const taken = this.bytes.subarray(this.offset, end)
        this.offset = end
        return taken
    }

    expect(expected: Uint8Array): void {
        const found = this.take(expected.length)
        if (!expected.every((byte, i) => byte === found[i])) throw new WireError("not a known COSE message")
    }

    /** Reads a byte string of less than 64 KiB with the shortest head. */
    bstr(): Uint8Array {
        const head = this.byte()
        if (head >= 0x40 && head < 0x58) return this.take(head - 0x40)
        let length = 0
        if (head === 0x58) length = this.byte()
        else if (head === 0x59) length = (this.byte() << 8) | this.byte()
        if (length < (head === 0x59 ? 0x100 : 24)) throw new WireError("not a byte string in deterministic CBOR")
        return this.take(length)
    }

    end(): void {
        if (this.offset !== this.bytes.length) throw new WireError("bytes after the message")
    }

    private byte(): number {
        return this.take(1)[0]!
    }
}
