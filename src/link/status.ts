import { Envelope } from "./seal"

/*
 * Starts when it is imported. The uplink writes it, and `mote.ts` the battery; `coap/`, `cable/`, `alarms/` and
 * `pack.ts` read it.
 */

/** The mote's status without vital signs, for `/status` and for the Jacdac service on the cable. */
class Status {
    eui: string
    boot = 0
    isLinked = false
    /** The newest sealed envelope, which `GET /vitals` returns. */
    newest: Envelope | undefined
    /** Number of waiting readings. */
    queued = 0
    /** Counts since the start: readings dropped, envelopes sent, envelopes retransmitted, receipts. */
    lost = 0
    sent = 0
    repeated = 0
    receipts = 0
    /** `millis()` of the last receipt. */
    receiptMs: number | undefined
    /** In percent. Undefined if the board does not measure it. */
    battery: number | undefined
}

export const status = new Status()
