import type { Purpose } from "../../../wire/envelope.ts"
import { kidBytes } from "../../../wire/keys.ts"
import type { Accepted } from "../store.ts"

/*
 * The records of the outbox's log. Each has a header of 12 bytes: a magic number, the length of the body, and a CRC-32 over the
 * segment's number, that length and the body. The body begins with the kind. Numbers are big-endian.
 */

const magic = 0x564d6f31 // "VMo1"
export const headerBytes = 12
/** No record is longer: an envelope has 4096 bytes at most. */
const maxBodyBytes = 8192
const kinds = { envelope: 1, settled: 2, released: 3 } as const
const idBytes = 8
const envelopeAt = 2 + 4 + idBytes + 8 + kidBytes
/** The maximum number of ids in one record. */
const maxSettledIds = 512
const saltBytes = 5
/** The generation of an envelope whose replay window has it already. */
export const knownGeneration = 0xffffffff

/** An envelope of the outbox. `generation` is that of the secret that it used. */
export type EnvelopeRecord = Accepted & { id: number; generation: number }

/** A nonce that is free again. */
export interface Released {
    kid: Uint8Array
    generation: number
    boot: number
    /** 10 hex digits. */
    salt: string
    seq: number
}

/** A stretch of a segment that is no record. */
export interface Damage {
    at: number
    bytes: number
    /** No record follows. It may be a write that was interrupted, of which nobody has a receipt. */
    isTail: boolean
}

export function envelopeRecord(record: EnvelopeRecord): Buffer {
    const { envelope, kid } = record
    const body = Buffer.allocUnsafe(envelopeAt + envelope.length)
    body[0] = kinds.envelope
    body[1] = record.purpose === "alarm" ? 1 : 0
    body.writeUInt32BE(record.generation, 2)
    body.writeDoubleBE(record.id, 6)
    body.writeDoubleBE(Math.trunc(record.receivedAt), 14)
    body.set(kid, 22)
    body.set(envelope, envelopeAt)
    return body
}

export function settledRecords(ids: readonly number[]): Buffer[] {
    const records: Buffer[] = []
    for (let from = 0; from < ids.length; from += maxSettledIds) {
        const some = ids.slice(from, from + maxSettledIds)
        const body = Buffer.allocUnsafe(1 + some.length * idBytes)
        body[0] = kinds.settled
        some.forEach((id, i) => body.writeDoubleBE(id, 1 + i * idBytes))
        records.push(body)
    }
    return records
}

export function releasedRecord({ kid, generation, boot, salt, seq }: Released): Buffer {
    const body = Buffer.alloc(1 + 4 + 4 + 4 + kidBytes + saltBytes)
    body[0] = kinds.released
    body.writeUInt32BE(generation, 1)
    body.writeUInt32BE(boot, 5)
    body.writeUInt32BE(seq, 9)
    body.set(kid, 13)
    body.write(salt, 13 + kidBytes, "hex")
    return body
}

/** Puts bodies one behind the other, each after its header. */
export function framed(bodies: readonly Uint8Array[], segment: number): Buffer {
    const bytes = Buffer.allocUnsafe(bodies.reduce((sum, body) => sum + headerBytes + body.length, 0))
    let at = 0
    for (const body of bodies) {
        const { length } = body
        bytes.writeUInt32BE(magic, at)
        bytes.writeUInt32BE(length, at + 4)
        bytes.set(body, at + headerBytes)
        bytes.writeUInt32BE(checksum(bytes, at + headerBytes, length, segment), at + 8)
        at += headerBytes + length
    }
    return bytes
}

/** A record's body by kind. */
export type Body =
    | { kind: "envelope"; purpose: Purpose; generation: number; id: number; length: number }
    | { kind: "settled"; ids: number[] }
    | { kind: "released"; released: Released }
    | { kind: "unknown" }

/** Decodes the body at `at` of an intact record. A later version may have other kinds. */
export function decodeBody(bytes: Buffer, at: number, length: number): Body {
    switch (bytes[at]) {
        case kinds.envelope:
            return {
                kind: "envelope",
                purpose: bytes[at + 1] === 1 ? "alarm" : "vitals",
                generation: bytes.readUInt32BE(at + 2),
                id: bytes.readDoubleBE(at + 6),
                length: length - envelopeAt,
            }
        case kinds.settled:
            return {
                kind: "settled",
                ids: Array.from({ length: (length - 1) / idBytes }, (_, i) => bytes.readDoubleBE(at + 1 + i * idBytes)),
            }
        case kinds.released:
            return {
                kind: "released",
                released: {
                    generation: bytes.readUInt32BE(at + 1),
                    boot: bytes.readUInt32BE(at + 5),
                    seq: bytes.readUInt32BE(at + 9),
                    kid: Uint8Array.from(bytes.subarray(at + 13, at + 13 + kidBytes)),
                    salt: bytes.toString("hex", at + 13 + kidBytes, at + 13 + kidBytes + saltBytes),
                },
            }
    }
    return { kind: "unknown" }
}

/** The length of the record of an envelope of `length` bytes, with its header. */
export function recordBytes(length: number): number {
    return headerBytes + envelopeAt + length
}

/** The kid, the time and the envelope in the body at `at`, as views. */
export function envelopeIn(bytes: Buffer, at: number, length: number) {
    const view = (from: number, to: number) => new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from)
    return {
        kid: view(at + 22, at + 22 + kidBytes),
        receivedAt: bytes.readDoubleBE(at + 14),
        envelope: view(at + envelopeAt, at + length),
    }
}

/** The kid in the body at `at` as a latin1 string, for maps. */
export function kidKeyIn(bytes: Buffer, at: number): string {
    return bytes.toString("latin1", at + 22, at + 22 + kidBytes)
}

/** Tells whether the record at `at` is intact. Returns the length of its body, or undefined. */
export function intactLength(bytes: Buffer, at: number, segment: number): number | undefined {
    const length = plausibleLength(bytes, at)
    if (length === undefined) return undefined
    const body = at + headerBytes
    return checksum(bytes, body, length, segment) === bytes.readUInt32BE(at + 8) ? length : undefined
}

/** The same without the checksum, which is checked when the record is read. */
export function plausibleLength(bytes: Buffer, at: number): number | undefined {
    if (at + headerBytes >= bytes.length || bytes.readUInt32BE(at) !== magic) return undefined
    const length = bytes.readUInt32BE(at + 4)
    return length > 0 && length <= maxBodyBytes && at + headerBytes + length <= bytes.length ? length : undefined
}

/**
 * Visits every intact record from `from` on, and returns what is none: what was interrupted or damaged. Behind damage it
 * finds the next record.
 */
export function scan(
    bytes: Buffer,
    { from, segment }: { from: number; segment: number },
    visit: (bodyAt: number, length: number) => void,
): Damage[] {
    const damages: Damage[] = []
    const start = Buffer.alloc(4)
    start.writeUInt32BE(magic)
    for (let at = from; at < bytes.length;) {
        const length = intactLength(bytes, at, segment)
        if (length !== undefined) {
            visit(at + headerBytes, length)
            at += headerBytes + length
            continue
        }
        let next = bytes.indexOf(start, at + 1)
        while (next >= 0 && intactLength(bytes, next, segment) === undefined) next = bytes.indexOf(start, next + 1)
        const isTail = next < 0
        const end = isTail ? bytes.length : next
        damages.push({ at, bytes: end - at, isTail })
        at = end
    }
    return damages
}

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
    for (let bit = 0; bit < 8; bit++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1
    return n >>> 0
})

/** CRC-32 of a body of `length` bytes at `at`, after the segment's number and the length. */
function checksum(bytes: Buffer, at: number, length: number, segment: number): number {
    let crc = 0xffffffff
    for (const word of [segment, length])
        for (let shift = 24; shift >= 0; shift -= 8) crc = (crc >>> 8) ^ crcTable[(crc ^ (word >>> shift)) & 255]!
    for (let i = at; i < at + length; i++) crc = (crc >>> 8) ^ crcTable[(crc ^ bytes[i]!) & 255]!
    return (crc ^ 0xffffffff) >>> 0
}
