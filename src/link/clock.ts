/** Crystals on both ends, and a router's clock that is being slewed. */
const driftPerMs = 0.0002
/** 2020 and 2100: a router outside of them does not know the time either. */
const minUnixMs = 1577836800000
const maxUnixMs = 4102444800000

/**
 * Unix time from receipts. A receipt says what time it was at some moment between sending an envelope and hearing of it:
 * that bounds the difference between unix time and `millis()` from both sides. Each receipt narrows the bounds, time
 * widens them by the drift of the clocks, and where they contradict each other the router's clock was set.
 * Whoever delays receipts can only make bounds that say less.
 */
export class Clock {
    private low = 0
    private high = 0
    private atMs = 0
    private isSet = false

    /** Unix time less `millis()` in ms, undefined as long as it is not known. */
    get(): number | undefined {
        return this.isSet ? (this.low + this.high) / 2 : undefined
    }

    /**
     * @param unixMs what the receipt says
     * @param sentMs `millis()` when the envelope was sent, for the first and only time
     * @param receivedMs `millis()` now
     */
    receipt(unixMs: number, sentMs: number, receivedMs: number): void {
        if (unixMs < minUnixMs || unixMs > maxUnixMs) return
        const drift = (receivedMs - this.atMs) * driftPerMs
        const low = unixMs - receivedMs
        const high = unixMs + 1 - sentMs // it was cut to whole milliseconds
        const narrowLow = Math.max(low, this.low - drift)
        const narrowHigh = Math.min(high, this.high + drift)
        const agrees = this.isSet && narrowLow <= narrowHigh
        this.low = agrees ? narrowLow : low
        this.high = agrees ? narrowHigh : high
        this.atMs = receivedMs
        this.isSet = true
    }
}
