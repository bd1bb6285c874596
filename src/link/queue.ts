import { Reading } from "../reading"
import {
    addSummary,
    clearSummaries,
    dropSummary,
    firstSummaryTicks,
    makeSummaryRoom,
    startSummaries,
    summaryCount,
} from "./summaries"

/*
 * Readings that wait to be sealed, oldest first. When the queue is full, the oldest become summaries, and summaries are
 * merged; only those that are already too long are dropped, and `lost` counts their readings.
 *
 * Started by the uplink, which adds readings; `pack.ts` takes them out. Only this module writes its state.
 */

/** Resolution of times in packs: 1/16 s. */
export const ticksPerS = 16
export const tickMs = 62.5

/*
 * A reading in the queue is six bytes of bit fields; an absent value is 0. First a u16: ticks since the previous
 * reading; signal quality in percent, plus 1; motion. Then an i32: heart rate in 0.1 beat/min; temperature in 0.01 °C
 * from 10 °C, plus 1; oxygen saturation in percent. An entry without a quality is a pause, whose length in ticks is the
 * i32.
 */
const entryBytes = 6
const stepMask = 0xff
export const qualityShift = 8
export const qualityMask = 0x7f
export const qualityBias = 1
export const motionShift = 15
/** Fields of the i32, and their units. */
export const bpmShift = 0
export const bpmMask = 0xfff
const perBpm = 10
export const tempShift = 12
export const tempMask = 0xfff
/** Added to the temperature in 0.01 °C. */
export const tempBias = -999
const perDegree = 100
export const spo2Shift = 24
export const spo2Mask = 0x7f
const maxSpo2 = 100

/** Readings per summary: 30 s at the default rate… */
export const groupReadings = 15
/** …or fewer before a pause, but not so few that no space is saved… */
const leastReadings = 6
/** …unless the pause would make the summary longer than an hour. */
const maxGroupTicks = 57600

/** Number of waiting readings, including those in summaries. */
export let queued = 0
/** Number of readings dropped since `lost` was reset. */
export let lost = 0
/** Output of `takeReadings`: the first and the last time, in ticks of `millis()`. */
export let firstTicks = 0
export let lastTicks = 0
/** For each reading, i32 each: the ticks since the one before (of the first: meaningless), and its two words. */
export let steps: Buffer
export let firsts: Buffer
export let seconds: Buffer
/** All words together. */
export let allFirsts = 0
export let allSeconds = 0

/** A ring buffer. */
let ring: Buffer
let head = 0
let used = 0
/** Base times of the first and of the next entry. */
let startTicks = 0
let endTicks = 0

/**
 * Creates an empty queue; must be called first.
 * @param batch maximum for `takeReadings`, at least `groupReadings`
 */
export function startQueue(readings: number, summaries: number, batch: number): void {
    ring = Buffer.alloc(readings * entryBytes)
    startSummaries(summaries)
    steps = Buffer.alloc(4 * batch)
    firsts = Buffer.alloc(4 * batch)
    seconds = Buffer.alloc(4 * batch)
    clearQueue()
    lost = head = 0
}

export function queueReading(reading: Reading): void {
    const ticks = Math.round(reading.atMs / tickMs)
    if (used === 0) startTicks = endTicks = ticks
    let step = ticks - endTicks
    endTicks = ticks
    if (step !== (step & stepMask)) {
        append(0, step)
        step = 0
    }
    const quality = Math.round(100 * Math.max(0, Math.min(reading.quality, 1)))
    let first = step | ((quality + qualityBias) << qualityShift)
    let second = fixed(reading.tempC, perDegree, tempBias, tempMask) << tempShift
    if (reading.motion) first |= 1 << motionShift
    else {
        second |= fixed(reading.bpm, perBpm, 0, bpmMask) << bpmShift
        second |= fixed(reading.spo2, 1, 0, maxSpo2) << spo2Shift
    }
    append(first, second)
    queued++
}

/** Time of the oldest reading in ticks of `millis()`. The queue must not be empty. */
export function oldestTicks(): number {
    if (summaryCount > 0) return firstSummaryTicks()
    const first = ring.getAt(head, "u16")
    return startTicks + (first === 0 ? ring.getAt(head + 2, "i32") : first & stepMask)
}

/** Discards all readings and counts them in `lost`. */
export function clearQueue(): void {
    lost += queued
    queued = used = 0
    clearSummaries()
}

/**
 * Moves the oldest readings out of the ring into `steps`, `firsts` and `seconds`.
 * @returns their number, at most `max`
 */
export function takeReadings(max: number): number {
    const count = move(max, false)
    queued -= count
    return count
}

/** The number of readings lost since the last call. */
export function takeLost(): number {
    const count = lost
    lost = 0
    return count
}

/** Counts readings lost elsewhere. */
export function addLost(count: number): void {
    lost += count
}

/** Discards the oldest summaries, which are now in an envelope. */
export function dropSummaries(count: number): void {
    for (let i = 0; i < count; i++) queued -= dropSummary()
}

function append(first: number, second: number): void {
    if (used * entryBytes === ring.length) thin()
    const at = (head + used * entryBytes) % ring.length
    ring.setAt(at, "u16", first)
    ring.setAt(at + 2, "i32", second)
    used++
}

/** Makes room for at least one entry. */
function thin(): void {
    const dropped = makeSummaryRoom()
    lost += dropped
    queued -= dropped
    addSummary(move(groupReadings, true), firstTicks, lastTicks, seconds)
}

/** @param isGroup whether to stop at the end of a summary */
function move(max: number, isGroup: boolean): number {
    let count = 0
    let ticks = startTicks
    allFirsts = allSeconds = 0
    while (count < max && used > 0) {
        const first = ring.getAt(head, "u16")
        const second = ring.getAt(head + 2, "i32")
        if (first === 0) {
            const isEnd =
                count >= leastReadings || (count > 0 && (second < 0 || ticks + second - firstTicks > maxGroupTicks))
            if (isGroup && isEnd) break
            ticks += second
        } else {
            ticks += first & stepMask
            if (count === 0) firstTicks = ticks
            steps.setAt(count << 2, "i32", ticks - lastTicks)
            lastTicks = ticks
            firsts.setAt(count << 2, "i32", first)
            seconds.setAt(count << 2, "i32", second)
            allFirsts |= first
            allSeconds |= second
            count++
        }
        used--
        head += entryBytes
        if (head === ring.length) head = 0
    }
    startTicks = ticks
    return count
}

/** `value` in units of 1/`per`, plus `bias`; 0 if it is undefined or not within 1 and `max`. */
function fixed(value: number | undefined, per: number, bias: number, max: number): number {
    if (value === undefined || value === null) return 0
    const scaled = Math.round(value * per) + bias
    return scaled > 0 && scaled <= max ? scaled : 0
}
