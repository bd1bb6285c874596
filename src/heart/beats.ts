import { zeros } from "../platform/zeros"
import { blockSize, maxLag, pulseBytes } from "./pulse"

/*
 * Counts beats by their steep edge, which after the filters is a fall within 160 ms. Irregular beats have no period,
 * but a mean rate.
 *
 * Starts when it is imported; `heartrate.ts` passes on the blocks and resets it. Its state is private.
 */

/** Samples per minute at 12.5 Hz. */
const samplesPerMinute = 750
/** 8 s, in blocks of 2 s. */
const blocks = 4
/** The fall of a beat is at least this share of the root mean square of all changes; that of an early beat is weak. */
const steepFall = 0.35
/** The distance between beats is at least this share of the period; anything sooner is the reflected wave. */
const nearest = 0.5
const fewestBeats = 3

/** Samples since the start. */
let now: number
/** By block: number of beats, and times of the first and last. */
const counts = zeros(blocks)
const firsts = zeros(blocks)
const lasts = zeros(blocks)
/** Time and steepness of the last beat. */
let lastBeat: number
let steepest: number

resetBeats()

export function resetBeats(): void {
    now = steepest = 0
    lastBeat = -maxLag
    for (let i = 0; i < blocks; i++) counts[i] = 0
}

/**
 * Counts the beats of a block of 2 s.
 * @param values the block, after the `maxLag` values before it
 * @param slope root mean square of its changes within 160 ms
 * @param bpm likely rate
 * @returns mean rate of the beats in the last 8 s; 0 if there are too few
 */
export function countBeats(values: Buffer, slope: number, bpm: number): number {
    const least = steepFall * slope
    const apart = (nearest * samplesPerMinute) / bpm
    const block = (now / blockSize) % blocks
    const start = maxLag * pulseBytes
    const end = (maxLag + blockSize) * pulseBytes
    counts[block] = 0
    let before = values.getAt(start - 4 * pulseBytes, "f32") - values.getAt(start - 2 * pulseBytes, "f32")
    let fall = values.getAt(start - 3 * pulseBytes, "f32") - values.getAt(start - pulseBytes, "f32")
    for (let i = start; i < end; i += pulseBytes) {
        const after = values.getAt(i - 2 * pulseBytes, "f32") - values.getAt(i, "f32")
        if (fall >= least && fall > before && fall >= after) {
            // The vertex of the parabola through three samples.
            const top = (0.5 * (before - after)) / (before - 2 * fall + after)
            const at = now + (i - start) / pulseBytes + top
            const isNext = at - lastBeat >= apart
            if (isNext || fall > steepest) {
                if (isNext) counts[block]++
                if (counts[block] === 1) firsts[block] = at
                lastBeat = lasts[block] = at
                steepest = fall
            }
        }
        before = fall
        fall = after
    }
    now = now + blockSize
    return mean(block)
}

function mean(newest: number): number {
    let beats = 0
    let first = 0
    let last = 0
    for (let i = 1; i <= blocks; i++) {
        const block = (newest + i) % blocks
        if (counts[block] > 0) {
            if (beats === 0) first = firsts[block]
            beats += counts[block]
            last = lasts[block]
        }
    }
    return beats < fewestBeats ? 0 : (samplesPerMinute * (beats - 1)) / (last - first)
}
