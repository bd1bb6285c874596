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
import { zeros } from "../platform/zeros"

/*
 * Readings that wait to be sealed, oldest first. When the queue is full, the oldest become summaries, and summaries are
 * merged; only those that are already too long are dropped, and `lost` counts their readings.
 *
 * Started by the uplink, which adds readings; `senml.ts` takes them out. Only this module writes its state.
 */

/** Resolution of times in packs: 1/16 s. */
export const tickMs = 62.5

/*
 * A reading in the queue is six bytes of bit fields; an absent value is 0. First a u16: ticks since the previous
 * reading; signal quality in 1/64, plus 1; motion. Then an i32: heart rate in 1/16 beat/min; temperature in 1/32 °C
 * from -64 °C; oxygen saturation in percent. An entry without a quality is a pause, whose length in ticks is the i32.
 */
const entryBytes = 6
const stepMask = 0xff
export const qualityShift = 8
export const qualityMask = 0x7f
export const qualityBias = 1
export const qualityBits = 6
export const motionShift = 15
export const motionMask = 1
/** Fields of the i32. */
export const bpmShift = 0
export const bpmMask = 0x1fff
export const bpmBits = 4
export const tempShift = 13
export const tempMask = 0xfff
export const tempBias = 2048
export const tempBits = 5
export const spo2Shift = 25
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
/** Output of `takeReadings`: time in ticks of `millis()`, and the two words of each reading. */
export let times: number[]
export let firsts: number[]
export let seconds: number[]

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
    times = zeros(batch)
    firsts = zeros(batch)
    seconds = zeros(batch)
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
    const quality = Math.max(0, Math.min(reading.quality, 1)) * (1 << qualityBits)
    let first = step | ((Math.round(quality) + qualityBias) << qualityShift)
    let second = fixed(reading.tempC, tempBits, tempBias, tempMask) << tempShift
    if (reading.motion) first |= motionMask << motionShift
    else {
        second |= fixedBpm(reading.bpm)
        if (reading.spo2 !== undefined) second |= fixed(reading.spo2, 0, 0, maxSpo2) << spo2Shift
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
 * Moves the oldest readings out of the ring into `times`, `firsts` and `seconds`.
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
    addSummary(move(groupReadings, true), times, seconds)
}

/** @param isGroup whether to stop at the end of a summary */
function move(max: number, isGroup: boolean): number {
    let count = 0
    while (count < max && used > 0) {
        const first = ring.getAt(head, "u16")
        const second = ring.getAt(head + 2, "i32")
        if (first === 0) {
            const isEnd =
                count >= leastReadings || (count > 0 && (second < 0 || startTicks + second - times[0] > maxGroupTicks))
            if (isGroup && isEnd) break
            startTicks += second
        } else {
            startTicks += first & stepMask
            times[count] = startTicks
            firsts[count] = first
            seconds[count] = second
            count++
        }
        used--
        head += entryBytes
        if (head === ring.length) head = 0
    }
    return count
}

/** In 1/16, but no finer than binary16: 1/8 from 128 on, 1/4 from 256 on. */
function fixedBpm(bpm: number | undefined): number {
    const scaled = fixed(bpm, bpmBits, 0, bpmMask)
    if (scaled < 2048) return scaled
    const step = scaled < 4096 ? 2 : 4
    return Math.round(scaled / step) * step
}

/** `value` in units of 2^-`bits`, counted from `-bias`; 0 if it is undefined or above `max`. */
function fixed(value: number | undefined, bits: number, bias: number, max: number): number {
    if (value === undefined || value === null) return 0
    const scaled = Math.round(value * (1 << bits)) + bias
    return scaled > 0 && scaled <= max ? scaled : 0
}
