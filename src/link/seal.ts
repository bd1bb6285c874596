import {
    byteStringHead,
    endCbor,
    expectCbor,
    readAnyByteString,
    readByteString,
    readCbor,
    readUnsigned,
    skipCbor,
} from "./cbor"
import { Purpose } from "./transport"
import { hkdf, randomBytes, sha256 } from "../platform/hash"
import { yieldToMainLoop } from "../platform/sleep"

/*
 * COSE (RFC 9052) as in docs/wire.md, "Envelope": a COSE_Mac0 around a COSE_Encrypt0 (RFC 9459, A256CTR). The parts
 * that are the same in every envelope are built once; AES and SHA-256 are the VM's own.
 *
 * Started by the uplink, which seals envelopes and opens receipts; its state is private.
 */

const kidBytes = 8
const saltBytes = 5
const nonceBytes = 13
const tagBytes = 32

/** Tag 17, array of 4, protected header {1: 5, 4: kid}: HMAC 256/256. The kid follows. */
const mac0Start = hex`d184 4d a2 0105 0448`
const mac0StartBytes = 8 + kidBytes + 1
/** MAC_structure, RFC 9052 §6.3: array of 4, "MAC0", protected header. The kid follows. */
const macStructureStart = hex`84 64 4d414330 4d a2 0105 0448`
/** Unprotected header of the COSE_Mac0: an empty map. */
const unprotected = hex`a0`
const tagHead = hex`5820`
/** Tag 16, array of 3, h'', map of 2: alg A256CTR, IV of 16 bytes. The IV follows. */
const encrypt0Start = hex`d083 40 a2 01 39fffb 05 50`
const nonceOffset = 10 + 1
/** A configuration of 208 bytes takes 289 in its two layers. */
const maxDownBytes = 320
/** Start of every counter block (RFC 3610 §2.3 with a 13-byte nonce), and the first counter for encryption. */
const ivStart = hex`01`
const ivEnd = hex`0001`

const externalAadVitals = hex`46 766974616c73`
const externalAadAlarm = hex`45 616c61726d`
const externalAadReceipt = hex`47 72656365697074`
export const externalAadConfig = hex`46 636f6e666967`
export const externalAadCommand = hex`47 636f6d6d616e64`
/** Array of 3: nonce, now, config. */
const receiptStart = hex`83`

/**
 * The keys of one mote, 32 bytes each: those in constant use, and a function for the others. Created by `deriveKeys`.
 */
export class MoteKeys {
    readonly kid: Buffer
    upEnc: Buffer
    upMac: Buffer
    receipt: Buffer
    private secret: Buffer

    constructor(secret: Buffer, kid: Buffer) {
        this.kid = kid
        this.secret = secret
    }

    /** Derives the key of docs/wire.md, "Keys", with the label `vitalmote/1 USE`: `down enc`, `down mac`, `mqtt`. */
    derive(use: string): Buffer {
        return hkdf(this.secret, "vitalmote/1 " + use, this.kid)
    }
}

/** Derives the keys of a mote, in slices. @param secret 32 bytes @param kid 8 bytes */
export async function deriveKeys(secret: Buffer, kid: Buffer): Promise<MoteKeys> {
    const derived = new MoteKeys(secret, kid)
    derived.upEnc = derived.derive("up enc")
    await yieldToMainLoop()
    derived.upMac = derived.derive("up mac")
    await yieldToMainLoop()
    derived.receipt = derived.derive("receipt")
    return derived
}

/** A sealed message. A retransmission sends the same bytes. */
export interface Envelope {
    readonly bytes: Buffer
    /** boot ‖ salt ‖ seq */
    readonly nonce: Buffer
    sendings: number
}

/** Keys of this mote. */
let keys: MoteKeys
let seq = 0
let envelopeStart: Buffer
let vitalsStart: Buffer
let alarmStart: Buffer
/** The COSE_Encrypt0 before its ciphertext; the sequence number in it changes. */
let sealedStart: Buffer

/**
 * Starts sealing, and verification of receipts.
 * @param boot number of this start, never used before
 */
export function startSealing(mote: MoteKeys, boot: number): void {
    keys = mote
    seq = 0
    envelopeStart = Buffer.concat(mac0Start, keys.kid, unprotected)
    vitalsStart = Buffer.concat(macStructureStart, keys.kid, externalAadVitals)
    alarmStart = Buffer.concat(macStructureStart, keys.kid, externalAadAlarm)
    sealedStart = Buffer.concat(
        encrypt0Start,
        ivStart,
        bigEndian32(boot),
        randomBytes(saltBytes),
        bigEndian32(0),
        ivEnd,
    )
}

/**
 * Seals a plaintext. Each call uses a new sequence number, so no nonce is reused. @throws RangeError if this start has
 * none left
 */
export function seal(plaintext: Buffer, purpose = Purpose.vitals): Envelope {
    if (seq > 0xffffffff) throw new RangeError("no sequence number is left")
    const start = sealedStart
    start.blitAt(nonceOffset + nonceBytes - 4, bigEndian32(seq++), 0, 4)
    const nonce = start.slice(nonceOffset, nonceOffset + nonceBytes)
    const text = a256ctr(plaintext, keys.upEnc, nonce)
    // eslint-disable-next-line no-useless-assignment -- its memory is needed below
    plaintext = undefined
    const textHead = byteStringHead(text.length)
    const payloadHead = byteStringHead(start.length + textHead.length + text.length)
    const macStart = purpose === Purpose.alarm ? alarmStart : vitalsStart
    const tag = sha256([macStart, payloadHead, start, textHead, text], keys.upMac)
    const bytes = Buffer.concat(envelopeStart, payloadHead, start, textHead, text, tagHead, tag)
    return { bytes, nonce, sendings: 0 }
}

/**
 * The native function behind `encrypt` of @devicescript/crypto, without its checks of arguments that are constant here.
 */
type Encryptable = Buffer & {
    encrypt(algo: "aes-256-ccm", key: Buffer, nonce: Buffer, tagLength: number): Buffer
}

/** AES-256-CTR, which is AES-CCM without a tag (RFC 3610 §2.3). */
export function a256ctr(data: Buffer, key: Buffer, nonce: Buffer): Buffer {
    return (data as Encryptable).encrypt("aes-256-ccm", key, nonce, 0)
}

/** The router's confirmation that an envelope is durable. */
export interface Receipt {
    /** Unix time in ms. */
    now: number
    /** The newest configuration version known to the router. */
    config: number
}

/** Opens the receipt for this mote's envelope with `nonce`. Undefined if it is not one. */
export function openReceipt(bytes: Buffer, nonce: Buffer): Receipt | undefined {
    const { kid, receipt } = keys
    const payload = openMac0(bytes, kid, receipt, externalAadReceipt)
    if (!payload) return undefined
    readCbor(payload)
    expectCbor(receiptStart)
    const receiptNonce = readByteString(nonceBytes)
    const now = readUnsigned()
    const config = readUnsigned()
    if (!endCbor() || receiptNonce.toString("hex") !== nonce.toString("hex")) return undefined
    return { now, config }
}

/**
 * Opens what the clinic has sealed for this mote and purpose. Undefined if it is not authentic.
 * @param externalAad `externalAadConfig` or `externalAadCommand`
 */
export function openDown(mote: MoteKeys, externalAad: Buffer, bytes: Buffer): Buffer | undefined {
    if (bytes.length > maxDownBytes) return undefined
    const payload = openMac0(bytes, mote.kid, mote.derive("down mac"), externalAad)
    if (!payload) return undefined
    readCbor(payload)
    expectCbor(encrypt0Start)
    expectCbor(ivStart)
    skipCbor(nonceBytes)
    expectCbor(ivEnd)
    const text = readAnyByteString()
    if (!endCbor() || text.length === 0) return undefined
    const nonce = payload.slice(nonceOffset, nonceOffset + nonceBytes)
    return a256ctr(text, mote.derive("down enc"), nonce)
}

/** The payload of a COSE_Mac0 for this mote. Undefined if the MAC is wrong. */
function openMac0(bytes: Buffer, kid: Buffer, key: Buffer, externalAad: Buffer): Buffer | undefined {
    readCbor(bytes)
    expectCbor(mac0Start)
    expectCbor(kid)
    expectCbor(unprotected)
    const payload = readAnyByteString()
    const tag = readByteString(tagBytes)
    if (!endCbor()) return undefined
    const head = bytes.slice(mac0StartBytes, bytes.length - payload.length - 2 - tagBytes)
    const mac = sha256([macStructureStart, kid, externalAad, head, payload], key)
    return equal(mac, tag) ? payload : undefined
}

/** Compares two tags in constant time. */
function equal(a: Buffer, b: Buffer): boolean {
    let difference = 0
    for (let i = 0; i < tagBytes; i += 4) difference |= a.getAt(i, "i32") ^ b.getAt(i, "i32")
    return difference === 0
}

function bigEndian32(value: number): Buffer {
    return Buffer.from([value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff])
}
