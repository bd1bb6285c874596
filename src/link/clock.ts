import { millis } from "@devicescript/core"

/*
 * Unix time from receipts. A receipt says what time it was at some moment between sending an envelope and hearing of it:
 * that bounds the difference between unix time and `millis()` from both sides. Each receipt narrows the bounds, time
 * widens them by as much as the rate of the two clocks is uncertain, and where they contradict each other the router's
 * clock was set. Receipts that are far apart bound the rate in the same way.
 * Whoever delays receipts can only make bounds that say less.
 *
 * Starts without a time. The uplink gives it each receipt; the uplink and `alarms/` read it.
 */

/** How fast, and how slow, the mote's crystal may be, that of the router, and its clock while it is slewed. */
const maxDrift = 0.0002
/** By so much an hour the rate may change, with the warmth of the crystal: 2 ppm. */
const wanderPerMs = 0.000002 / 3600000
/** Receipts that are so far apart do not tell the rate any better than what came between. */
const anchorMs = 4 * 3600000
/** 2020 and 2100: a router outside of them does not know the time either. */
const minUnixMs = 1577836800000
const maxUnixMs = 4102444800000

let isSet = false
/** `millis()` of the newest receipt, and the bounds of the difference then. */
let heardMs = 0
let low = 0
let high = 0
/** Bounds of the change of the difference in a millisecond. */
let slowest = -maxDrift
let fastest = maxDrift
/** A receipt of long ago: the rate since then is the change of the difference by the time. */
let anchorAtMs = 0
let anchorLow = 0
let anchorHigh = 0

/**
 * Unix time less `millis()` in ms, undefined as long as it is not known.
 * @param atMs for this `millis()`, in the past where something happened then
 */
export function clockShift(atMs = millis()): number | undefined {
    if (!isSet) return undefined
    const rate = (slowest + fastest) / 2
    return (low + high) / 2 + rate * (atMs - heardMs)
}

/**
 * @param unixMs what the receipt says
 * @param sentMs `millis()` when the envelope was sent, for the first and only time
 * @param receivedMs `millis()` now
 */
export function clockReceipt(unixMs: number, sentMs: number, receivedMs: number): void {
    if (unixMs < minUnixMs || unixMs > maxUnixMs) return
    const least = unixMs - receivedMs
    const most = unixMs + 1 - sentMs // it was cut to whole milliseconds
    const ms = receivedMs - heardMs
    heardMs = receivedMs
    if (isSet) {
        slowest = Math.max(slowest - ms * wanderPerMs, -maxDrift)
        fastest = Math.min(fastest + ms * wanderPerMs, maxDrift)
        low = Math.max(least, low + ms * slowest)
        high = Math.min(most, high + ms * fastest)
        if (low <= high && learn()) return
    }
    isSet = true
    low = least
    high = most
    slowest = -maxDrift
    fastest = maxDrift
    setAnchor()
}

/** Forgets what time it is. @devsWhenUsed */
export function resetClock(): void {
    isSet = false
    heardMs = low = high = 0
    slowest = -maxDrift
    fastest = maxDrift
    setAnchor()
}

/** Bounds the rate by what happened since the anchor; says whether that agrees with what was known. */
function learn(): boolean {
    const ms = heardMs - anchorAtMs
    if (ms <= 0) return true
    slowest = Math.max(slowest, (low - anchorHigh) / ms)
    fastest = Math.min(fastest, (high - anchorLow) / ms)
    const isNarrow = 2 * (high - low) < anchorHigh - anchorLow
    if (ms > anchorMs || isNarrow) setAnchor()
    return slowest <= fastest
}

function setAnchor(): void {
    anchorAtMs = heardMs
    anchorLow = low
    anchorHigh = high
}
