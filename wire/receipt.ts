import { decode, isCount, WireError } from "./cbor.ts"
import { encodeMac0, head, majorType, parseMac0, verifyMac0 } from "./cose.ts"
import { nonceBytes } from "./envelope.ts"

/** The router's confirmation that it has stored an envelope durably. Only a receipt lets a mote delete its readings. */
export interface Receipt {
    kid: Uint8Array
    /** The envelope's nonce, 13 bytes. */
    nonce: Uint8Array
    /** Unix time in milliseconds, which sets the mote's clock. */
    now: number
    /** The newest known version of the mote's configuration. */
    config: number
}

const externalAad = "receipt"

/** Encodes a receipt: a COSE_Mac0 over `[nonce, now, config]`, with `now` truncated to whole milliseconds. */
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

/** Verifies and decodes a receipt. Throws WireError for a wrong shape or MAC. */
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
