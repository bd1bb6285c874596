import { createHmac, timingSafeEqual } from "node:crypto"
import { WireError } from "./cbor.ts"
import { kidBytes } from "./keys.ts"

/*
 * COSE_Mac0 (RFC 9052 §6.2) in the one shape that docs/wire.md, "Envelope", allows. Deterministic CBOR has exactly one
 * encoding of that shape, so this code reads and writes its bytes directly. That is strict by construction and, for
 * every envelope, some twenty times cheaper than a general decoder.
 */

/** A COSE_Mac0: `#6.17([bstr .cbor {1: 5, 4: kid}, {}, payload, tag])`, alg HMAC 256/256. */
export interface Mac0 {
    kid: Uint8Array
    payload: Uint8Array
    tag: Uint8Array
}

const tagBytes = 32

const start = Uint8Array.of(0xd1, 0x84) // tag 17, array of 4
const protectedStart = Uint8Array.of(0x4d, 0xa2, 0x01, 0x05, 0x04, 0x48) // bstr of 13: {1: 5, 4: bstr of 8}
const unprotected = Uint8Array.of(0xa0) // {}
const macStructureStart = Uint8Array.of(0x84, 0x64, 0x4d, 0x41, 0x43, 0x30) // array of 4, "MAC0"

/** Parses a COSE_Mac0 without checking the MAC. Throws WireError for any other shape. */
export function parseMac0(bytes: Uint8Array): Mac0 {
    const reader = new ShapeReader(bytes)
    reader.expect(start)
    reader.expect(protectedStart)
    const kid = reader.take(kidBytes)
    reader.expect(unprotected)
    const payload = reader.bstr()
    const tag = reader.bstr()
    reader.end()
    if (tag.length !== tagBytes) throw new WireError("not an HMAC 256/256 tag")
    return { kid, payload, tag }
}

export function encodeMac0(kid: Uint8Array, payload: Uint8Array, externalAad: string, key: Uint8Array): Uint8Array {
    const tag = mac(kid, payload, externalAad, key)
    return Buffer.concat([
        start,
        protectedStart,
        kid,
        unprotected,
        head(majorType.bstr, payload.length),
        payload,
        head(majorType.bstr, tagBytes),
        tag,
    ])
}

/** Tells whether the tag was made with `key` for this `externalAad`. Takes constant time. */
export function verifyMac0(message: Mac0, externalAad: string, key: Uint8Array): boolean {
    return timingSafeEqual(mac(message.kid, message.payload, externalAad, key), message.tag)
}

/** HMAC-SHA-256 over the MAC_structure, RFC 9052 §6.3: `["MAC0", protected, external_aad, payload]`. */
function mac(kid: Uint8Array, payload: Uint8Array, externalAad: string, key: Uint8Array): Uint8Array {
    const structure = Buffer.concat([
        macStructureStart,
        protectedStart,
        kid,
        head(majorType.bstr, externalAad.length),
        Buffer.from(externalAad, "ascii"),
        head(majorType.bstr, payload.length),
        payload,
    ])
    return createHmac("sha256", key).update(structure).digest()
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
export class ShapeReader {
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
