import { decode, isCount, WireError } from "./cbor.ts"
import { bareHeader, encodeMac0, head, majorType, parseMac0, verifyMac0 } from "./cose.ts"

/** The router's confirmation that it has stored an envelope durably. Only a receipt lets a mote delete its readings. */
export interface Receipt {
    /** Unix time in milliseconds, which sets the mote's clock. */
    now: number
    /** The newest known version of the mote's configuration. */
    config: number
}

/**
 * Encodes the receipt for the envelope with this `nonce` (13 bytes): a COSE_Mac0 over `[now, config]`, with `now`
 * truncated to whole milliseconds. The nonce is not in it: the MAC covers it as external_aad.
 */
export function makeReceipt({ now, config }: Receipt, nonce: Uint8Array, key: Uint8Array): Uint8Array {
    const payload = Buffer.concat([
        head(majorType.array, 2),
        head(majorType.uint, Math.trunc(now)),
        head(majorType.uint, config),
    ])
    return encodeMac0(bareHeader, payload, nonce, key)
}

/** Verifies and decodes the receipt for the envelope with this `nonce`. Throws WireError for a wrong shape or MAC. */
export function openReceipt(bytes: Uint8Array, nonce: Uint8Array, key: Uint8Array): Receipt {
    const message = parseMac0(bytes)
    if (Buffer.compare(message.protectedHeader, bareHeader) !== 0) throw new WireError("not a receipt")
    if (!verifyMac0(message, nonce, key)) throw new WireError("the receipt's MAC is wrong, or for another envelope")
    const fields = decode(message.payload)
    if (!Array.isArray(fields) || fields.length !== 2) throw new WireError("not a receipt")
    const [now, config] = fields as unknown[]
    if (!isCount(now) || !isCount(config)) throw new WireError("not a receipt")
    return { now, config }
}
