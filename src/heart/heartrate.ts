import { correlate, correlation, meanPower, newestPower, resetCorrelation, spread, tapered } from "./autocorrelation"
import { countBeats, resetBeats } from "./beats"
import {
    addAcceleration,
    correlateMotion,
    effort,
    isMoving,
    likeness,
    nextMotion,
    removeMotion,
    skipMotion,
} from "./motion"
import { isSwing, nextButOne, peakNear, periodBpm, preciseBpm, shortestPeriod } from "./period"
import { filterLight, nextPulse, pulse, purity, resetPulse, saturations, steadyLevel, steepness } from "./pulse"
import { meanBpm, resetTracker, track, trackedBpm, trackedMass, trackedShare } from "./tracker"
import {
    assumeMotion,
    isDisturbed,
    isRegular,
    judgeMoving,
    judgeStill,
    resetTrust,
    restBpm,
    Signs,
    trusted,
} from "./trust"
import { yieldToMainLoop } from "../platform/sleep"

/*
 * Estimates the heart rate from the optical signal: every 2 s a value with its quality, from the last 8 s. The work is
 * divided into slices of some thousand interpreter steps, and nothing is allocated after the start.
 *
 *     pushLight(fifo, 0, count) // until `filled` is `hopSamples`
 *     await estimateHeart()
 *
 * Starts when it is imported; `sensing/sensing.ts` passes on light and acceleration, resets it, and reads the result.
 */

/** Minimum purity: a pulse has most of its power in its band, unless it is very fast. */
const minPurity = 0.08
/** A rate with less than this share of the strongest one's power is likely its half or its double. */
const fullShare = 0.6
/** A rate that is also the rate of movement counts less, and not at all from this likeness on. */
const sameRate = 0.75
/** One more beat in 8 s is 7.5 bpm: within this difference, period and count refer to the same beats. */
const sameBeats = 5.5
/** Two more beats: above this difference, something else was counted. */
const otherBeats = 11
/** Without a steady period, the count gives a better mean rate; this is its weight. */
const countShare = 0.67

/** Beats per minute, 30 to 240. Undefined: not trusted. */
export let bpm: number | undefined
/** From 0 to 1. */
export let quality = 0
/** The sensor moves more than a heartbeat can move it. */
export let motion = false

/** Samples of the burst after the end of the window. */
let ahead = 0
const signs = new Signs()
// The initialisation of the modules above is enough work for one slice.
await yieldToMainLoop()

/** Starts anew after a gap in the signal. */
export function resetHeart(): void {
    resetPulse()
    skipMotion()
    resetCorrelation()
    resetTracker()
    resetBeats()
    resetTrust()
    bpm = undefined
    quality = 0
    motion = false
}

/**
 * Takes the acceleration for the light that comes next.
 * @param fifo x, y and z of each sample, s16 little-endian, countsPerG to 1 g
 * @param count number of samples; −1 after a gap
 */
export function pushAcceleration(fifo: Buffer, count: number): void {
    if (count < 0 && isMoving) assumeMotion()
    addAcceleration(fifo, count)
}

/**
 * Takes samples of a FIFO burst, from number `from` to at most the end of the window.
 * @returns number of samples taken
 */
export function pushLight(fifo: Buffer, from: number, count: number): number {
    const taken = filterLight(fifo, from, count)
    ahead = count - from - taken
    return taken
}

/** Processes the window and begins the next. */
export async function estimateHeart(): Promise<void> {
    if (saturations) return resetHeart()
    removeMotion(pulse, ahead)
    await yieldToMainLoop()
    correlateMotion()
    await yieldToMainLoop()
    await correlate(pulse)
    await yieldToMainLoop()
    const shortest = shortestPeriod(correlation)
    const peakBpm = shortest ? periodBpm(correlation, shortest) : 0
    await track(tapered, peakBpm, shortest ? correlation[shortest] : 0, effort, restBpm)
    await yieldToMainLoop()
    judge()
    nextPulse()
    nextMotion()
}

/** Decides whether there is a value. */
export function judge(): void {
    const lag = peakNear(correlation, trackedBpm)
    const isPulse = lag && purity >= minPurity && isSwing(correlation, lag)
    const share = Math.min(1, trackedShare / fullShare)
    signs.likeness = isMoving ? likeness(trackedBpm) : 0
    const own = 1 - Math.min(1, signs.likeness / sameRate)
    const worth = isPulse ? trackedMass * correlation[lag] * share * own : 0
    let rate = isPulse ? preciseBpm(correlation, lag) : 0
    quality = Math.max(0, Math.min(1, worth))
    signs.tracked = trackedBpm
    signs.quality = quality
    signs.level = Math.sqrt(meanPower) / steadyLevel
    signs.newest = Math.sqrt(newestPower) / steadyLevel
    signs.spread = spread
    signs.steepness = steepness
    signs.regularity = isPulse ? nextButOne(correlation, lag) : 0
    const slope = Math.sqrt(2 * meanPower * Math.max(0, 1 - correlation[2]))
    const counted = countBeats(pulse, slope, rate > 0 ? rate : trackedBpm)
    const miss = Math.abs(counted - rate)
    signs.isCounted = miss <= sameBeats || miss > otherBeats
    if (isMoving) {
        signs.mass = trackedMass
        signs.effort = effort
        signs.miss = isPulse ? Math.abs(rate - meanBpm) : Infinity
        // The period of one window is as reliable as its quality.
        rate = meanBpm + quality * (isPulse ? rate - meanBpm : 0)
        signs.bpm = rate
        judgeMoving(signs)
    } else {
        signs.bpm = rate
        judgeStill(signs)
        if (!isRegular && miss <= sameBeats) rate += countShare * (counted - rate)
    }
    motion = isDisturbed
    bpm = trusted ? rate : undefined
}
