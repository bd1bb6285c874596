import { zeros } from "../platform/zeros"
import { blockSize, maxLag } from "./pulse"
import { yieldToMainLoop } from "../platform/sleep"

/*
 * The autocorrelation of the last 8 s, stored as sums over blocks of 2 s, so that a new block costs only its own
 * products. All blocks have similar weight, so that one jerk does not drown the pulse in the others. Nothing from
 * before the 8 s contributes, so its periods are current.
 *
 * Starts when it is imported; `heartrate.ts` passes on the blocks and resets it. Only this module writes its state, the
 * others of `heart/` read it.
 */

/** 8 s. */
const blocks = 4
const lags = maxLag + 1
/** Lags per slice. */
const slice = 21
/**
 * Regularises the weights: a block with more energy than usual weighs less, one with hardly any does not get a huge
 * weight.
 */
const energyFloor = 0.1
/** A lag with less than this share of the products has no meaningful value. */
const fewest = 0.05
const tiny = 1e-6

/** Correlation by lag, 0 to `maxLag`, relative to lag 0. */
export const correlation = zeros(lags)
/** Mean square of the newest block. */
export let newestPower: number
/** Mean square of the 8 s. */
export let meanPower: number
/** Energy of the strongest block divided by that of the weakest. */
export let spread: number
/** Sums by block and lag. */
const sums = zeros(blocks * lags)
let next: number
let complete: number

resetCorrelation()

export function resetCorrelation(): void {
    newestPower = meanPower = spread = next = complete = 0
}

/**
 * Adds a block: the last `blockSize` values of `pulse`, which begins `maxLag` values earlier. Yields between slices.
 */
export async function correlate(pulse: number[]): Promise<void> {
    for (let lag = 0; lag < lags; lag += slice) {
        multiply(pulse, lag, Math.min(lags, lag + slice))
        await yieldToMainLoop()
    }
    newestPower = sums[next * lags] / blockSize
    next = (next + 1) % blocks
    if (complete < blocks) complete++
    combine()
}

/**
 * Products of the newest block with earlier values, for lags `from` to before `to`. The block's 25 values are in
 * variables, because fetching the factors takes most of the interpreter's time.
 */
export function multiply(p: number[], from: number, to: number): void {
    const x0 = p[maxLag]
    const x1 = p[maxLag + 1]
    const x2 = p[maxLag + 2]
    const x3 = p[maxLag + 3]
    const x4 = p[maxLag + 4]
    const x5 = p[maxLag + 5]
    const x6 = p[maxLag + 6]
    const x7 = p[maxLag + 7]
    const x8 = p[maxLag + 8]
    const x9 = p[maxLag + 9]
    const x10 = p[maxLag + 10]
    const x11 = p[maxLag + 11]
    const x12 = p[maxLag + 12]
    const x13 = p[maxLag + 13]
    const x14 = p[maxLag + 14]
    const x15 = p[maxLag + 15]
    const x16 = p[maxLag + 16]
    const x17 = p[maxLag + 17]
    const x18 = p[maxLag + 18]
    const x19 = p[maxLag + 19]
    const x20 = p[maxLag + 20]
    const x21 = p[maxLag + 21]
    const x22 = p[maxLag + 22]
    const x23 = p[maxLag + 23]
    const x24 = p[maxLag + 24]
    let at = next * lags + from
    for (let j = maxLag - from; j > maxLag - to; j--) {
        sums[at] =
            x0 * p[j] +
            x1 * p[j + 1] +
            x2 * p[j + 2] +
            x3 * p[j + 3] +
            x4 * p[j + 4] +
            x5 * p[j + 5] +
            x6 * p[j + 6] +
            x7 * p[j + 7] +
            x8 * p[j + 8] +
            x9 * p[j + 9] +
            x10 * p[j + 10] +
            x11 * p[j + 11] +
            x12 * p[j + 12] +
            x13 * p[j + 13] +
            x14 * p[j + 14] +
            x15 * p[j + 15] +
            x16 * p[j + 16] +
            x17 * p[j + 17] +
            x18 * p[j + 18] +
            x19 * p[j + 19] +
            x20 * p[j + 20] +
            x21 * p[j + 21] +
            x22 * p[j + 22] +
            x23 * p[j + 23] +
            x24 * p[j + 24]
        at++
    }
}

/**
 * Sums the blocks as if all were amplified to the same energy: the product of two blocks is weighted with both gains. A
 * lag crosses one or two block boundaries, so the weight is interpolated linearly between gains; the gain before the
 * window is 0.
 */
export function combine(): void {
    const floor = measure()
    // Oldest first; the gain of a missing block is 0.
    const gain1 = gainOf(0, floor)
    const gain2 = gainOf(1, floor)
    const gain3 = gainOf(2, floor)
    const gain4 = gainOf(3, floor)
    const at1 = next * lags
    const at2 = ((next + 1) % blocks) * lags
    const at3 = ((next + 2) % blocks) * lags
    const at4 = ((next + 3) % blocks) * lags
    const s = sums
    // Scaled to the value at lag 0; longer lags have fewer products.
    const unit = 1 / (complete * blockSize)
    let share = 1
    let energy = 1
    let weight1 = gain1 * gain1
    let weight2 = gain2 * gain2
    let weight3 = gain3 * gain3
    let weight4 = gain4 * gain4
    let step1 = -weight1 / blockSize
    let step2 = (gain2 * (gain1 - gain2)) / blockSize
    let step3 = (gain3 * (gain2 - gain3)) / blockSize
    let step4 = (gain4 * (gain3 - gain4)) / blockSize
    for (let lag = 0; lag < lags; lag++) {
        if (lag === blockSize) {
            step1 = 0
            step2 = (-gain2 * gain1) / blockSize
            step3 = (gain3 * (gain1 - gain2)) / blockSize
            step4 = (gain4 * (gain2 - gain3)) / blockSize
        }
        const sum = weight1 * s[at1 + lag] + weight2 * s[at2 + lag] + weight3 * s[at3 + lag] + weight4 * s[at4 + lag]
        if (lag === 0 && sum > 0) energy = sum
        correlation[lag] = share > fewest ? sum / (share * energy) : 0
        share -= unit
        weight1 += step1
        weight2 += step2
        weight3 += step3
        weight4 += step4
    }
}

/** Gain of a block; place 0 is the oldest of four. */
function gainOf(place: number, floor: number): number {
    if (place < blocks - complete) return 0
    return 1 / Math.sqrt(sums[((next + place) % blocks) * lags] + floor)
}

/** @returns the energy that is added to that of each block */
function measure(): number {
    let total = 0
    let high = 0
    let low = Infinity
    for (let b = 0; b < complete; b++) {
        const energy = sums[b * lags]
        total += energy
        if (energy > high) high = energy
        if (energy < low) low = energy
    }
    meanPower = total / (complete * blockSize)
    spread = high / (low + tiny)
    return (energyFloor * total) / complete + tiny
}
