import {
    byteStringHead,
    cborAt,
    endCbor,
    expectCbor,
    readAnyByteString,
    readByteString,
    readCbor,
    readUnsigned,
} from "./cbor"
import { Purpose } from "./transport"
import { hkdf, randomBytes, sha256 } from "../platform/hash"
import { yieldToMainLoop } from "../platform/sleep"

/*
 * COSE (RFC 9052) as in docs/wire.md, "Envelope": a COSE_Mac0 around a nonce and what AES-CCM makes of the plaintext with
 * it. The parts that are the same in every envelope are built once; AES and SHA-256 are the VM's own.
 *
 * Started by the uplink, which seals envelopes and opens receipts; its state is private.
 */

const saltBytes = 5
const nonceBytes = 13
const tagBytes = 8
/** Format 2 in the high half; the purpose is added. */
const firstType = 0x21

/** Tag 17, array of 4, protected header {1: 4, 4: kid}: HMAC 256/64. The kid follows. */
const envelopeStart = hex`d184 4d a2 0104 0448`
/** Tag 17, array of 4, protected header {1: 4}, and an empty map. */
const receiptStart = hex`d184 43 a1 0104 a0`
/** MAC_structure, RFC 9052 §6.3: array of 4, "MAC0", the protected header. The kid follows. */
const envelopeMacStart = hex`84 64 4d414330 4d a2 0104 0448`
/** The same for a receipt, and the head of its external_aad, a nonce. */
const receiptMacStart = hex`84 64 4d414330 43 a1 0104 4d`
const emptyMap = hex`a0`
const emptyString = hex`40`
const tagHead = hex`48`
/** Array of 2: now, config. */
const receiptPayloadStart = hex`82`
/** A configuration of 208 bytes takes 257. */
const maxDownBytes = 320

/**
 * The keys of one mote, 32 bytes each: those in constant use, and a function for the others. Created by `deriveKeys`.
 */
export class MoteKeys {
    readonly kid: Buffer
    upEnc: Buffer
    upMac: Buffer
    receipt: Buffer
    /** What the envelopes from and to this mote begin with, and their MAC_structures. */
    readonly start: Buffer
    readonly macStart: Buffer
    private secret: Buffer

    constructor(secret: Buffer, kid: Buffer) {
        this.kid = kid
        this.secret = secret
        this.start = Buffer.concat(envelopeStart, kid, emptyMap)
        this.macStart = Buffer.concat(envelopeMacStart, kid, emptyString)
    }

    /** Derives the key of docs/wire.md, "Keys", with this label. */
    derive(label: string): Buffer {
        return hkdf(this.secret, label, this.kid)
    }
}

/** Derives the keys of a mote, in slices. @param secret 32 bytes @param kid 8 bytes */
export async function deriveKeys(secret: Buffer, kid: Buffer): Promise<MoteKeys> {
    const derived = new MoteKeys(secret, kid)
    derived.upEnc = derived.derive("vitalmote/2 up enc")
    await yieldToMainLoop()
    derived.upMac = derived.derive("vitalmote/2 up mac")
    await yieldToMainLoop()
    derived.receipt = derived.derive("vitalmote/2 receipt")
    return derived
}

/** A sealed message. A retransmission sends the same bytes. */
export interface Envelope {
    readonly bytes: Buffer
    readonly nonce: Buffer
    sendings: number
}

/** Keys of this mote. */
let keys: MoteKeys
let seq = 0
/** The nonce of this start without its type and number: boot and salt from the second byte on. */
let startNonce: Buffer

/**
 * Starts sealing, and verification of receipts.
 * @param boot number of this start, never used before, below 2^24
 */
export function startSealing(mote: MoteKeys, boot: number): void {
    keys = mote
    seq = 0
    startNonce = Buffer.concat(bigEndian32(boot), randomBytes(saltBytes))
}

/**
 * Seals a plaintext. Each call uses a new sequence number, so no nonce is reused. @throws RangeError if this start has
 * none left
 */
export function seal(plaintext: Buffer, purpose = Purpose.vitals): Envelope {
    if (seq > 0xffffffff) throw new RangeError("no sequence number is left")
    const nonce = Buffer.concat(startNonce, bigEndian32(seq++))
    nonce[0] = firstType + purpose
    const text = aesCcm(plaintext, keys.upEnc, nonce, tagBytes)
    // eslint-disable-next-line no-useless-assignment -- its memory is needed below
    plaintext = undefined
    const head = byteStringHead(nonceBytes + text.length)
    const tag = sha256([keys.macStart, head, nonce, text], keys.upMac).slice(0, tagBytes)
    return { bytes: Buffer.concat(keys.start, head, nonce, text, tagHead, tag), nonce, sendings: 0 }
}

/**
 * The native function behind `encrypt` and `decrypt` of @devicescript/crypto, without their checks of arguments that are
 * constant here.
 */
type Encryptable = Buffer & {
    encrypt(algo: "aes-256-ccm", key: Buffer, nonce: Buffer, tagLength: number): Buffer
}

/** Added to the length of the tag in order to decrypt. */
const decrypting = 0x1000

/** AES-CCM (RFC 3610) with 2 bytes of length. @throws Error if it decrypts and the tag is wrong */
function aesCcm(data: Buffer, key: Buffer, nonce: Buffer, tagLength: number): Buffer {
    return (data as Encryptable).encrypt("aes-256-ccm", key, nonce, tagLength)
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
    const payload = openMac0(bytes, receiptStart, Buffer.concat(receiptMacStart, nonce), keys.receipt)
    if (!payload) return undefined
    readCbor(payload)
    expectCbor(receiptPayloadStart)
    const now = readUnsigned()
    const config = readUnsigned()
    return endCbor() ? { now, config } : undefined
}

/** Opens what the clinic has sealed for this mote and purpose. Undefined if it is not authentic. */
export function openDown(mote: MoteKeys, purpose: Purpose, bytes: Buffer): Buffer | undefined {
    if (bytes.length > maxDownBytes) return undefined
    const payload = openMac0(bytes, mote.start, mote.macStart, mote.derive("vitalmote/2 down mac"))
    if (!payload || payload[0] !== firstType + purpose) return undefined
    const nonce = payload.slice(0, nonceBytes)
    try {
        return aesCcm(payload.slice(nonceBytes), mote.derive("vitalmote/2 down enc"), nonce, decrypting + tagBytes)
    } catch {
        return undefined
    }
}

/** The payload of a COSE_Mac0. Undefined if the MAC is wrong. */
function openMac0(bytes: Buffer, start: Buffer, macStart: Buffer, key: Buffer): Buffer | undefined {
    readCbor(bytes)
    expectCbor(start)
    const at = cborAt
    const payload = readAnyByteString()
    const end = cborAt
    const tag = readByteString(tagBytes)
    if (!endCbor()) return undefined
    return equal(sha256([macStart, bytes.slice(at, end)], key), tag) ? payload : undefined
}

/** Compares the beginning of a hash with a tag, in constant time. */
function equal(hash: Buffer, tag: Buffer): boolean {
    let difference = 0
    for (let i = 0; i < tagBytes; i++) difference |= hash[i] ^ tag[i]
    return difference === 0
}

function bigEndian32(value: number): Buffer {
    return Buffer.from([value >>> 24, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff])
}
