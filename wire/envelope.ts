import { createCipheriv, createDecipheriv } from "node:crypto"
import { WireError } from "./cbor.ts"
import { encodeMac0, headerWith, kidIn, parseMac0, tagBytes, verifyMac0, type Mac0 } from "./cose.ts"
import { wireFormat } from "./keys.ts"

/** The purpose of an envelope from a mote. */
export type Purpose = "vitals" | "alarm"

/** The low nibble of an envelope's type, by purpose. The clinic makes those for `config` and `command`. */
const purposes = { vitals: 1, alarm: 2, config: 3, command: 4 } as const
export type SealedPurpose = keyof typeof purposes

/** The largest envelope that a receiver has to accept. */
export const maxEnvelopeBytes = 4096
export const nonceBytes = 13
/** The random part of the clinic's nonces, which follows the type. */
export const randomNonceBytes = nonceBytes - 1
const saltBytes = 5
const bootAt = 1
const saltAt = 4
const seqAt = saltAt + saltBytes
const maxBoot = 2 ** 24 - 1
const maxSeq = 2 ** 32 - 1
const algorithm = "aes-256-ccm"
const noAad = new Uint8Array(0)

/** An envelope of another format than this code knows. It may well be authentic. */
export class FormatError extends WireError {
    readonly format: number

    constructor(format: number) {
        super(`format ${format} is not known`)
        this.format = format
    }
}

/** The inner tag is wrong: neither the mote nor the clinic made the content, whoever made the MAC. */
export class InnerTagError extends WireError {
    constructor() {
        super("the inner tag is wrong: the content was altered")
    }
}

/** An envelope of either direction: AES-CCM-16-64-256 (RFC 9053 §4.2) inside a COSE_Mac0. */
export interface Sealed extends Mac0 {
    bytes: Uint8Array
    kid: Uint8Array
    purpose: SealedPurpose
    /** 13 bytes: the type and what makes it unique. */
    nonce: Uint8Array
    /** Followed by the inner tag of 8 bytes. */
    ciphertext: Uint8Array
}

/** An envelope from a mote. Its nonce is type ‖ boot ‖ salt ‖ seq. */
export interface Envelope extends Sealed {
    purpose: Purpose
    /** The mote's boot counter, 24 bits. */
    boot: number
    /** 5 random bytes, drawn at each boot. */
    salt: Uint8Array
    /** Counts the envelopes since that boot, from 0, 32 bits. */
    seq: number
}

/**
 * Parses an envelope of either direction without checking its MAC. The fields are views into `bytes`. Throws FormatError
 * for another format, and WireError for any other shape than that of docs/wire.md, "Envelope", and for more than
 * `maxEnvelopeBytes`.
 */
export function parseSealed(bytes: Uint8Array): Sealed {
    if (bytes.length > maxEnvelopeBytes) throw new WireError(`more than ${maxEnvelopeBytes} bytes`)
    const message = parseMac0(bytes)
    const { protectedHeader, payload, tag } = message
    if (payload.length === 0) throw new WireError("an envelope without a type")
    const format = payload[0]! >> 4
    if (format !== wireFormat) throw new FormatError(format)
    const kid = kidIn(protectedHeader)
    if (tag.length !== tagBytes) throw new WireError("not an HMAC 256/64 tag")
    if (payload.length < nonceBytes + tagBytes) throw new WireError("cut short")
    const nonce = payload.subarray(0, nonceBytes)
    return { ...message, bytes, kid, nonce, purpose: purposeOf(nonce), ciphertext: payload.subarray(nonceBytes) }
}

function purposeOf(nonce: Uint8Array): SealedPurpose {
    const [purpose] = Object.entries(purposes).find(([, code]) => code === (nonce[0]! & 15)) ?? []
    if (purpose === undefined) throw new WireError("an envelope with an unknown purpose")
    return purpose as SealedPurpose
}

/** Parses an envelope from a mote like `parseSealed`. */
export function parseEnvelope(bytes: Uint8Array): Envelope {
    const sealed = parseSealed(bytes)
    const { nonce, purpose } = sealed
    if (purpose !== "vitals" && purpose !== "alarm") throw new WireError("not an envelope from a mote")
    const view = new DataView(nonce.buffer, nonce.byteOffset, nonceBytes)
    return {
        ...sealed,
        purpose,
        boot: view.getUint32(0) & maxBoot,
        salt: nonce.subarray(saltAt, seqAt),
        seq: view.getUint32(seqAt),
    }
}

/**
 * Tells whether an envelope has this purpose, and `macKey` made its MAC. Takes constant time for a given length. Call it
 * before decrypting anything.
 */
export function verifyEnvelope(envelope: Sealed, purpose: SealedPurpose, macKey: Uint8Array): boolean {
    return envelope.purpose === purpose && verifyMac0(envelope, noAad, macKey)
}

/** Decrypts an envelope. Throws InnerTagError if `encKey` did not make this ciphertext for this nonce. */
export function openEnvelope({ nonce, ciphertext }: Sealed, encKey: Uint8Array): Uint8Array {
    const end = ciphertext.length - tagBytes
    const decipher = createDecipheriv(algorithm, encKey, nonce, { authTagLength: tagBytes })
    decipher.setAuthTag(ciphertext.subarray(end))
    try {
        const plaintext = decipher.update(ciphertext.subarray(0, end))
        decipher.final()
        return plaintext
    } catch {
        throw new InnerTagError()
    }
}

/**
 * Seals one plaintext as a mote does. The same (`boot`, `salt`, `seq`) must never be used for two plaintexts. Throws
 * RangeError for a salt, boot or seq of another size.
 */
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
    if (o.boot > maxBoot || o.seq > maxSeq) throw new RangeError("no nonce is left")
    const unique = Buffer.alloc(randomNonceBytes)
    unique.writeUIntBE(o.boot, bootAt - 1, saltAt - bootAt)
    unique.set(o.salt, saltAt - 1)
    unique.writeUInt32BE(o.seq, seqAt - 1)
    return seal(o.purpose, unique, o.plaintext, { kid: o.kid, enc: o.upEnc, mac: o.upMac })
}

/** Encrypts and authenticates a plaintext. The same `unique` (12 bytes) must never be used for two plaintexts. */
export function seal(
    purpose: SealedPurpose,
    unique: Uint8Array,
    plaintext: Uint8Array,
    { kid, enc, mac }: { kid: Uint8Array; enc: Uint8Array; mac: Uint8Array },
): Uint8Array {
    const nonce = Buffer.concat([Uint8Array.of((wireFormat << 4) | purposes[purpose]), unique])
    const cipher = createCipheriv(algorithm, enc, nonce, { authTagLength: tagBytes })
    const ciphertext = cipher.update(plaintext)
    cipher.final()
    return encodeMac0(headerWith(kid), Buffer.concat([nonce, ciphertext, cipher.getAuthTag()]), noAad, mac)
}
