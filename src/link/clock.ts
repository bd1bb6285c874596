import { millis } from "@devicescript/core"

/** How fast, and how slow, the mote's crystal may be, that of the router, and its clock while it is slewed. */
const maxDrift = 0.0002
/** By so much an hour the rate may change, with the warmth of the crystal: 2 ppm. */
const wanderPerMs = 0.000002 / 3600000
/** Receipts that are so far apart do not tell the rate any better than what came between. */
const anchorMs = 4 * 3600000
/** 2020 and 2100: a router outside of them does not know the time either. */
const minUnixMs = 1577836800000
const maxUnixMs = 4102444800000

/**
 * Unix time from receipts. A receipt says what time it was at some moment between sending an envelope and hearing of it:
 * that bounds the difference between unix time and `millis()` from both sides. Each receipt narrows the bounds, time
 * widens them by as much as the rate of the two clocks is uncertain, and where they contradict each other the router's
 * clock was set. Receipts that are far apart bound the rate in the same way.
 * Whoever delays receipts can only make bounds that say less.
 */
export class Clock {
    private isSet = false
    /** `millis()` of the newest receipt, and the bounds of the difference then. */
    private atMs = 0
    private low = 0
    private high = 0
    /** Bounds of the change of the difference in a millisecond. */
    private slowest = -maxDrift
    private fastest = maxDrift
    /** A receipt of long ago: the rate since then is the change of the difference by the time. */
    private anchorAtMs = 0
    private anchorLow = 0
    private anchorHigh = 0

    /**
     * Unix time less `millis()` in ms, undefined as long as it is not known.
     * @param atMs for this `millis()`, in the past where something happened then
     */
    get(atMs = millis()): number | undefined {
        if (!this.isSet) return undefined
        const rate = (this.slowest + this.fastest) / 2
        return (this.low + this.high) / 2 + rate * (atMs - this.atMs)
    }

    /**
     * @param unixMs what the receipt says
     * @param sentMs `millis()` when the envelope was sent, for the first and only time
     * @param receivedMs `millis()` now
     */
    receipt(unixMs: number, sentMs: number, receivedMs: number): void {
        if (unixMs < minUnixMs || unixMs > maxUnixMs) return
        const low = unixMs - receivedMs
        const high = unixMs + 1 - sentMs // it was cut to whole milliseconds
        const ms = receivedMs - this.atMs
        this.atMs = receivedMs
        if (this.isSet) {
            this.slowest = Math.max(this.slowest - ms * wanderPerMs, -maxDrift)
            this.fastest = Math.min(this.fastest + ms * wanderPerMs, maxDrift)
            this.low = Math.max(low, this.low + ms * this.slowest)
            this.high = Math.min(high, this.high + ms * this.fastest)
            if (this.low <= this.high && this.learn()) return
        }
        this.isSet = true
        this.low = low
        this.high = high
        this.slowest = -maxDrift
        this.fastest = maxDrift
        this.setAnchor()
    }

    /** Bounds the rate by what happened since the anchor; says whether that agrees with what was known. */
    private learn(): boolean {
        const ms = this.atMs - this.anchorAtMs
        if (ms <= 0) return true
        this.slowest = Math.max(this.slowest, (this.low - this.anchorHigh) / ms)
        this.fastest = Math.min(this.fastest, (this.high - this.anchorLow) / ms)
        const isNarrow = 2 * (this.high - this.low) < this.anchorHigh - this.anchorLow
        if (ms > anchorMs || isNarrow) this.setAnchor()
        return this.slowest <= this.fastest
    }

    private setAnchor(): void {
        this.anchorAtMs = this.atMs
        this.anchorLow = this.low
        this.anchorHigh = this.high
    }
}
