import { zeros } from "../platform/zeros"
import { maxLag } from "./pulse"
import { yieldToMainLoop } from "../platform/sleep"

/*
 * Follows the heart rate: a hidden Markov model whose states are rates and whose observation is the spectrum of the
 * autocorrelation, together with its shortest strong period, which tells a rate from its half.
 *
 * Starts when it is imported; `heartrate.ts` gives it each window and resets it, and reads the result.
 */

/** Heart rates from 30 to 240 bpm in steps of 3. */
const firstBin = 10
const bins = 71
const binBpm = 3
/** Bins in one slice of work; every second of them is worked out. */
const slice = 16
/** 2 cos of the angle by which 6 bpm turn in one sample at 12.5 Hz, 2π · 0.1 / 12.5; of 24 bpm; of 30 bpm. */
const turnStep = 1.997473913212035
const turn24 = 1.9597101047684937
const turn30 = 1.9371663222572622
/** A heart rate changes by at most 9 bpm in 2 s: weights of 0, 1, 2 and 3 bins to either side. */
const stay = 0.32
const move1 = 0.2
const move2 = 0.1
const move3 = 0.04
const reach = 3
/** …and now and then the tracker was wrong: any rate may follow any other. */
const leak = 0.01
/** No bin is ruled out by one window. */
const floor = 0.02
/** How far from the shortest period a bin still profits from it. */
const peakReach = 3
/** …and how much, next to the strongest rate of the spectrum: a second harmonic may be stronger than the pulse. */
const peakWeight = 2
/** While the wearer moves hard, the shortest period may be what is left of the steps, so it counts less… */
const effortPeak = 0.75
/** …and a rate below 75 bpm is less and less likely, down to this share at 45. */
const effortSlow = 0.2
const slowBins = 15
const slowestBins = 5
const tiny = 1e-9

/** The most probable rate, in bpm. */
export let trackedBpm: number
/** The same between the bins, as the mean of the five around it; smoother than one window's period. */
export let meanBpm: number
/** Its probability, that of two bins to either side included. */
export let trackedMass: number
/** Its power in the spectrum, over that of the strongest rate: small for the half of a rate. */
export let trackedShare: number
/** Probabilities by bin, with `reach` zeros on both sides. */
let probability = zeros(bins + 2 * reach)
let next = zeros(bins + 2 * reach)
const spectrum = zeros(bins)
const tapered = zeros(maxLag + 1)

resetTracker()

export function resetTracker(): void {
    for (let i = 0; i < bins; i++) probability[reach + i] = 1 / bins
    trackedBpm = meanBpm = trackedMass = trackedShare = 0
}

/**
 * One step of 2 s. Yields between slices.
 * @param correlation autocorrelation by lag at 12.5 Hz, 1 at lag 0
 * @param peakBpm rate of its shortest strong period, 0 when there is none
 * @param peak its height, 0…1
 * @param effort how hard the wearer moves, 0…1
 */
export async function track(correlation: number[], peakBpm: number, peak: number, effort: number): Promise<void> {
    await yieldToMainLoop()
    const max = await transform(correlation)
    await yieldToMainLoop()
    let sum = weigh(max, peakBpm, peak, effort)
    await yieldToMainLoop()
    if (effort > 0) sum -= discourage(effort)
    choose(max, sum)
}

/**
 * Moves the probabilities on by 2 s and weighs them with the spectrum, whose maximum is `max`.
 * @returns the sum of the weights
 */
export function weigh(max: number, peakBpm: number, peak: number, effort: number): number {
    const scale = 1 / (max + tiny)
    const p = probability
    const peakBin = peakBpm / binBpm - firstBin
    const background = leak / bins
    const peakShare = peakWeight * peak * (1 - effortPeak * effort)
    let sum = 0
    for (let i = 0; i < bins; i++) {
        const at = i + reach
        const prior =
            stay * p[at] +
            move1 * (p[at - 1] + p[at + 1]) +
            move2 * (p[at - 2] + p[at + 2]) +
            move3 * (p[at - 3] + p[at + 3])
        const s = spectrum[i] * scale
        let likelihood = s * s + floor
        const distance = i < peakBin ? peakBin - i : i - peakBin
        if (distance < peakReach) likelihood += peakShare * (1 - distance / peakReach)
        const value = ((1 - leak) * prior + background) * likelihood
        next[at] = value
        sum += value
    }
    return sum
}

/**
 * Makes slow rates less likely.
 * @returns by how much their weights are less
 */
function discourage(effort: number): number {
    const share = (effort * (1 - effortSlow)) / (slowBins - slowestBins)
    let total = 0
    for (let i = 0; i < slowBins; i++) {
        const less = next[reach + i] * share * Math.min(slowBins - i, slowBins - slowestBins)
        next[reach + i] -= less
        total += less
    }
    return total
}

/** Makes probabilities of the weights and finds the highest. */
export function choose(max: number, sum: number): void {
    let best = reach
    for (let at = reach; at < reach + bins; at++) {
        next[at] /= sum
        if (next[at] > next[best]) best = at
    }
    trackedBpm = binBpm * (firstBin + best - reach)
    trackedShare = spectrum[best - reach] / (max + tiny)
    trackedMass = next[best - 2] + next[best - 1] + next[best] + next[best + 1] + next[best + 2]
    const lean = 2 * (next[best + 2] - next[best - 2]) + next[best + 1] - next[best - 1]
    meanBpm = trackedBpm + (binBpm * lean) / trackedMass
    const p = probability
    probability = next
    next = p
}

/**
 * The cosine transform of the tapered autocorrelation, which is the spectrum, by Clenshaw's recurrence: one
 * multiplication a lag and no table. 3.2 s resolve 19 bpm, so every second bin will do; those between are means.
 * @returns its maximum
 */
export async function transform(correlation: number[]): Promise<number> {
    for (let lag = 1; lag <= maxLag; lag++) tapered[lag] = correlation[lag] * (1 - lag / (maxLag + 1))
    let max = 0
    let before = turn24
    let turn = turn30
    for (let i = 0; i < bins; i += 2) {
        let b1 = 0
        let b2 = 0
        // Four lags a turn: the two variables change places by themselves, and less goes into the head of the loop.
        for (let lag = maxLag; lag > 0; lag -= 4) {
            b2 = tapered[lag] + turn * b1 - b2
            b1 = tapered[lag - 1] + turn * b2 - b1
            b2 = tapered[lag - 2] + turn * b1 - b2
            b1 = tapered[lag - 3] + turn * b2 - b1
        }
        const s = Math.max(0, 0.5 + (turn / 2) * b1 - b2)
        spectrum[i] = s
        if (i > 0) spectrum[i - 1] = (s + spectrum[i - 2]) / 2
        if (s > max) max = s
        const after = turnStep * turn - before
        before = turn
        turn = after
        if (i % slice === slice - 2) await yieldToMainLoop()
    }
    return max
}
