import { createCipheriv } from "node:crypto"
import { WireError } from "./cbor.ts"
import { encodeMac0, head, majorType, parseMac0, ShapeReader, verifyMac0 } from "./cose.ts"

/** The purpose of an envelope. The MAC covers it as external_aad. */
export type Purpose = "vitals" | "alarm"

/** The largest envelope that a receiver has to accept. */
export const maxEnvelopeBytes = 4096

/** An envelope from a mote: a COSE_Encrypt0 (RFC 9459, A256CTR) inside a COSE_Mac0. */
export interface Envelope {
    bytes: Uint8Array
    kid: Uint8Array
    /** 13 bytes: boot ‖ salt ‖ seq. */
    nonce: Uint8Array
    /** The mote's boot counter. */
    boot: number
    /** 5 random bytes, drawn at each boot. */
    salt: Uint8Array
    /** Counts the envelopes since that boot, from 0. */
    seq: number
    /** 16 bytes: the first counter block. */
    iv: Uint8Array
    ciphertext: Uint8Array
    /** 32 bytes over `payload`. */
    tag: Uint8Array
    /** The COSE_Encrypt0 including its IV, which the MAC covers. */
    payload: Uint8Array
}

const sealedStart = Uint8Array.of(
    ...[0xd0, 0x83], // tag 16, array of 3
    ...[0x40, 0xa2], // protected h'', map of 2
    ...[0x01, 0x39, 0xff, 0xfb], // 1: -65532, A256CTR
    ...[0x05, 0x50], // 5: bstr of 16
)
const ivStart = Uint8Array.of(1)
const ivEnd = Uint8Array.of(0, 1)
const saltBytes = 5
export const nonceBytes = 4 + saltBytes + 4

/**
 * Parses an envelope without checking its MAC. The fields are views into `bytes`. Throws WireError for any other shape
 * than that of docs/wire.md, "Envelope", and for more than `maxEnvelopeBytes`.
 */
export function parseEnvelope(bytes: Uint8Array): Envelope {
    if (bytes.length > maxEnvelopeBytes) throw new WireError(`more than ${maxEnvelopeBytes} bytes`)
    const { kid, payload, tag } = parseMac0(bytes)
    const sealed = new ShapeReader(payload)
    sealed.expect(sealedStart)
    const iv = payload.subarray(sealedStart.length, sealedStart.length + 16)
    sealed.expect(ivStart)
    const nonce = sealed.take(nonceBytes)
    sealed.expect(ivEnd)
    const ciphertext = sealed.bstr()
    sealed.end()
    return { bytes, kid, ...parseNonce(nonce), iv, ciphertext, tag, payload }
}

/** Splits boot (4, big-endian) ‖ salt (5) ‖ seq (4, big-endian). */
function parseNonce(nonce: Uint8Array): Pick<Envelope, "nonce" | "boot" | "salt" | "seq"> {
    const view = new DataView(nonce.buffer, nonce.byteOffset, nonceBytes)
    return {
        nonce,
        boot: view.getUint32(0),
        salt: nonce.subarray(4, 4 + saltBytes),
        seq: view.getUint32(4 + saltBytes),
    }
}

/** Tells whether `upMac` made the MAC for this purpose, in constant time. Call it before decrypting anything. */
export function verifyEnvelope(envelope: Envelope, purpose: Purpose, upMac: Uint8Array): boolean {
    return verifyMac0(envelope, purpose, upMac)
}

/** Decrypts an envelope. Verify it first: any bytes decrypt to something. */
export function openEnvelope(envelope: Envelope, upEnc: Uint8Array): Uint8Array {
    return a256ctr(upEnc, envelope.iv, envelope.ciphertext)
}

/** Seals one plaintext. The same (`boot`, `salt`, `seq`) must never be used for two plaintexts. */
export function sealEnvelope(o: {
    kid: Uint8Array
    upEnc: Uint8Array
    upMac: Uint8Array
    purpose: Purpose
    boot: number
    salt: Uint8Array
    seq: number
    plaintext: Uint8Array
}): Uint8Array {
    if (o.salt.length !== saltBytes) throw new RangeError(`a salt has ${saltBytes} bytes`)
    const nonce = Buffer.alloc(nonceBytes)
    nonce.writeUInt32BE(o.boot)
    nonce.set(o.salt, 4)
    nonce.writeUInt32BE(o.seq, 4 + saltBytes)
    return seal(o.kid, nonce, o.plaintext, o.upEnc, o.purpose, o.upMac)
}

/** Puts both layers around a plaintext. The same `nonce` (13 bytes) must never be used for two plaintexts. */
export function seal(
    kid: Uint8Array,
    nonce: Uint8Array,
    plaintext: Uint8Array,
    encKey: Uint8Array,
    externalAad: string,
    macKey: Uint8Array,
): Uint8Array {
    const iv = Buffer.concat([ivStart, nonce, ivEnd])
    const ciphertext = a256ctr(encKey, iv, plaintext)
    const length = head(majorType.bstr, ciphertext.length)
    const sealed = Buffer.concat([sealedStart, iv, length, ciphertext])
    return encodeMac0(kid, sealed, externalAad, macKey)
}

/** AES-256-CTR. Encryption and decryption are the same operation. */
function a256ctr(key: Uint8Array, iv: Uint8Array, bytes: Uint8Array): Uint8Array {
    return createCipheriv("aes-256-ctr", key, iv).update(bytes)
}
