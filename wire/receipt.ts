import { decode, isCount, WireError } from "./cbor.ts"
import { encodeMac0, head, majorType, parseMac0, verifyMac0 } from "./cose.ts"
import { nonceBytes } from "./envelope.ts"

/** The router's word that an envelope is durable; nothing else lets a mote drop a reading. */
export interface Receipt {
    kid: Uint8Array
    /** That of the envelope, 13 bytes. */
    nonce: Uint8Array
    /** Unix time in milliseconds; sets the mote's clock. */
    now: number
    /** The newest configuration version known. */
    config: number
}

const externalAad = "receipt"

/** A COSE_Mac0 over `[nonce, now, config]`; `now` loses its fraction. */
export function makeReceipt(receipt: Receipt, key: Uint8Array): Uint8Array {
    const payload = Buffer.concat([
        head(majorType.array, 3),
        head(majorType.bstr, receipt.nonce.length),
        receipt.nonce,
        head(majorType.uint, Math.trunc(receipt.now)),
        head(majorType.uint, receipt.config),
    ])
    return encodeMac0(receipt.kid, payload, externalAad, key)
}

/** Throws WireError on a wrong shape or MAC. */
export function openReceipt(bytes: Uint8Array, key: Uint8Array): Receipt {
    const message = parseMac0(bytes)
    if (!verifyMac0(message, externalAad, key)) throw new WireError("the receipt's MAC is wrong")
    const fields = decode(message.payload)
    if (!Array.isArray(fields) || fields.length !== 3) throw new WireError("not a receipt")
    const [nonce, now, config] = fields as unknown[]
    if (!(nonce instanceof Uint8Array) || nonce.length !== nonceBytes) throw new WireError("not a receipt")
    if (!isCount(now) || !isCount(config)) throw new WireError("not a receipt")
    return { kid: message.kid, nonce, now, config }
}
