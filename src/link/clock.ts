import { millis } from "@devicescript/core"

/*
 * Unix time from receipts. A receipt contains the time at some moment between sending an envelope and receiving the
 * receipt, which bounds the difference between Unix time and `millis()` from both sides. Each receipt narrows the
 * bounds, and the uncertainty of the two clock rates widens them over time. If they contradict each other, the router's
 * clock was set. Receipts far apart bound the rate in the same way.
 * Delaying receipts can only widen the bounds.
 *
 * Starts without a time. The uplink passes on each receipt; the uplink and `alarms/` read it.
 */

/** Maximum rate error of the mote's crystal, the router's crystal, and its clock while it is slewed. */
const maxDrift = 0.0002
/** Maximum change of the rate with the temperature of the crystal: 2 ppm per hour. */
const wanderPerMs = 0.000002 / 3600000
/** Age of the anchor after which it is replaced, because it no longer gives a better rate. */
const anchorMs = 4 * 3600000
/** 2020 and 2100: a router outside this range does not know the time. */
const minUnixMs = 1577836800000
const maxUnixMs = 4102444800000

let isSet = false
/** `millis()` of the newest receipt, and the bounds of the difference at that moment. */
let heardMs = 0
let low = 0
let high = 0
/** Bounds of the change of the difference per millisecond. */
let slowest = -maxDrift
let fastest = maxDrift
/** An earlier receipt: the rate since then is the change of the difference over time. */
let anchorAtMs = 0
let anchorLow = 0
let anchorHigh = 0

/**
 * Unix time minus `millis()` in ms. Undefined while unknown.
 * @param atMs the `millis()` for which it applies; in the past for earlier events
 */
export function clockShift(atMs = millis()): number | undefined {
    if (!isSet) return undefined
    return (low + high) / 2 + clockRate() * (atMs - heardMs)
}

/** By how much Unix time runs faster than `millis()`: 0 while unknown. */
export function clockRate(): number {
    return (slowest + fastest) / 2
}

/**
 * Updates the bounds from a receipt.
 * @param unixMs time in the receipt
 * @param sentMs `millis()` when the envelope was sent, which was its only transmission
 * @param receivedMs `millis()` now
 */
export function clockReceipt(unixMs: number, sentMs: number, receivedMs: number): void {
    if (unixMs < minUnixMs || unixMs > maxUnixMs) return
    const least = unixMs - receivedMs
    const most = unixMs + 1 - sentMs // it was truncated to whole milliseconds
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

/** Forgets the time. @devsWhenUsed */
export function resetClock(): void {
    isSet = false
    heardMs = low = high = 0
    slowest = -maxDrift
    fastest = maxDrift
    setAnchor()
}

/** Bounds the rate by the change since the anchor. @returns whether that agrees with the earlier bounds */
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
