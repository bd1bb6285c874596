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
 * Readings that wait to be sealed, oldest first. Where there is no room any more the oldest become summaries, and summaries
 * longer ones; only what is too long already is dropped, and `lost` counts the readings.
 *
 * Started by the uplink, which puts readings in; `senml.ts` takes them out. Only this module writes its state.
 */

/** Ticks of the times that go out: 1/16 s. */
export const tickMs = 62.5

/*
 * A reading in the queue is six bytes of bit fields; what is absent is 0. First u16: ticks since the reading before; signal
 * quality in 1/64, plus 1; motion. Then i32: heart rate in 1/16 beat/min; temperature in 1/32 °C from -64 °C; oxygen
 * saturation in percent. Six bytes without a quality are a pause, of so many ticks as the i32 says.
 */
const entryBytes = 6
const stepMask = 0xff
export const qualityShift = 8
export const qualityMask = 0x7f
export const qualityBias = 1
export const qualityBits = 6
export const motionShift = 15
export const motionMask = 1
/** In the i32. */
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

/** Readings that become one summary: 30 s of them at the default rate… */
export const groupReadings = 15
/** …fewer where there is a pause, but so many at least that it saves room… */
const leastReadings = 6
/** …unless the pause makes it so long, an hour. */
const maxGroupTicks = 57600

/** Readings that wait; a summary counts for all that it stands for. */
export let queued = 0
/** Readings that had to make room since `lost` was last set to 0. */
export let lost = 0
/** What `takeReadings` took: time in ticks of `millis()`, and the two words of each reading. */
export let times: number[]
export let firsts: number[]
export let seconds: number[]

/** The entry after the last is the first. */
let ring: Buffer
let head = 0
let used = 0
/** Times that the first and the next entry are counted from. */
let startTicks = 0
let endTicks = 0

/**
 * Begins with an empty queue; to be called first.
 * @param batch the most readings that `takeReadings` takes, at least `groupReadings`
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

/** Time of the oldest in ticks of `millis()`; there must be one. */
export function oldestTicks(): number {
    if (summaryCount > 0) return firstSummaryTicks()
    const first = ring.getAt(head, "u16")
    return startTicks + (first === 0 ? ring.getAt(head + 2, "i32") : first & stepMask)
}

/** Forgets everything; `lost` counts it. */
export function clearQueue(): void {
    lost += queued
    queued = used = 0
    clearSummaries()
}

/**
 * Takes the oldest readings of the ring out of it, into `times`, `firsts` and `seconds`.
 * @returns their number, at most `max`
 */
export function takeReadings(max: number): number {
    const count = move(max, false)
    queued -= count
    return count
}

/** What was lost since this was asked last. */
export function takeLost(): number {
    const count = lost
    lost = 0
    return count
}

/** Counts what others have lost. */
export function addLost(count: number): void {
    lost += count
}

/** Forgets the oldest summaries, which are in an envelope now. */
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

/** Makes room for an entry or more. */
function thin(): void {
    const dropped = makeSummaryRoom()
    lost += dropped
    queued -= dropped
    addSummary(move(groupReadings, true), times, seconds)
}

/** @param isGroup whether to end where a summary should */
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

/** In 1/16, but no finer than binary16 is: 1/8 from 128 on, 1/4 from 256 on. */
function fixedBpm(bpm: number | undefined): number {
    const scaled = fixed(bpm, bpmBits, 0, bpmMask)
    if (scaled < 2048) return scaled
    const step = scaled < 4096 ? 2 : 4
    return Math.round(scaled / step) * step
}

/** `value` in units of 2^-`bits`, counted from `-bias`; 0 where it is no number or above `max`. */
function fixed(value: number | undefined, bits: number, bias: number, max: number): number {
    if (value === undefined || value === null) return 0
    const scaled = Math.round(value * (1 << bits)) + bias
    return scaled > 0 && scaled <= max ? scaled : 0
}
