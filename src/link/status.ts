import { Envelope } from "./seal"

/*
 * Starts when it is imported. The uplink writes it, and `mote.ts` the battery; `coap/`, `cable/`, `alarms/` and `senml.ts` read it.
 */

/** What a mote can tell of itself, without vitals: for `/status`, and for whoever looks over its cable. */
class Status {
    eui: string
    boot = 0
    isLinked = false
    /** The envelope sealed last: what `GET /vitals` shows. */
    newest: Envelope | undefined
    /** Readings that wait. */
    queued = 0
    /** Since the start: readings that made room for others, envelopes sent for the first time and again, receipts. */
    lost = 0
    sent = 0
    repeated = 0
    receipts = 0
    /** `millis()` of the last receipt. */
    receiptMs: number | undefined
    /** Percent; undefined where the board does not measure it. */
    battery: number | undefined
}

export const status = new Status()
