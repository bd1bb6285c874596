import { zeros } from "../platform/zeros"
import { blockSize, maxLag, pulseBytes } from "./pulse"
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
const lastBlock = blocks - 1
export const lags = maxLag + 1
/** Of the sums of a block, each f32: an array of numbers takes twice the memory. */
export const sumBytes = 4
const lagsBytes = lags * sumBytes
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
const sums = Buffer.alloc(blocks * lagsBytes)
let next: number
let complete: number

resetCorrelation()

export function resetCorrelation(): void {
    newestPower = meanPower = spread = next = complete = 0
}

/**
 * Adds a block: the last `blockSize` values of `pulse`, which begins `maxLag` values earlier. Yields between slices.
 */
export async function correlate(pulse: Buffer): Promise<void> {
    multiply(pulse, sums, next * lagsBytes)
    await yieldToMainLoop()
    newestPower = sums.getAt(next * lagsBytes, "f32") / blockSize
    next = (next + 1) & lastBlock
    if (complete < blocks) complete++
    combine()
}

/**
 * Products of the newest block with earlier values, for all lags. The block's 25 values are in variables, and so are those that they
 * are multiplied with, which move on by one from lag to lag: fetching factors from an array takes most of the interpreter's time.
 * @param p `maxLag` values, then the block
 * @param to where the sums go, from byte `at` on, for lags 0 to `maxLag`
 */
export function multiply(p: Buffer, to: Buffer, at: number): void {
    const x0 = p.getAt(pulseBytes * maxLag, "f32")
    const x1 = p.getAt(pulseBytes * (maxLag + 1), "f32")
    const x2 = p.getAt(pulseBytes * (maxLag + 2), "f32")
    const x3 = p.getAt(pulseBytes * (maxLag + 3), "f32")
    const x4 = p.getAt(pulseBytes * (maxLag + 4), "f32")
    const x5 = p.getAt(pulseBytes * (maxLag + 5), "f32")
    const x6 = p.getAt(pulseBytes * (maxLag + 6), "f32")
    const x7 = p.getAt(pulseBytes * (maxLag + 7), "f32")
    const x8 = p.getAt(pulseBytes * (maxLag + 8), "f32")
    const x9 = p.getAt(pulseBytes * (maxLag + 9), "f32")
    const x10 = p.getAt(pulseBytes * (maxLag + 10), "f32")
    const x11 = p.getAt(pulseBytes * (maxLag + 11), "f32")
    const x12 = p.getAt(pulseBytes * (maxLag + 12), "f32")
    const x13 = p.getAt(pulseBytes * (maxLag + 13), "f32")
    const x14 = p.getAt(pulseBytes * (maxLag + 14), "f32")
    const x15 = p.getAt(pulseBytes * (maxLag + 15), "f32")
    const x16 = p.getAt(pulseBytes * (maxLag + 16), "f32")
    const x17 = p.getAt(pulseBytes * (maxLag + 17), "f32")
    const x18 = p.getAt(pulseBytes * (maxLag + 18), "f32")
    const x19 = p.getAt(pulseBytes * (maxLag + 19), "f32")
    const x20 = p.getAt(pulseBytes * (maxLag + 20), "f32")
    const x21 = p.getAt(pulseBytes * (maxLag + 21), "f32")
    const x22 = p.getAt(pulseBytes * (maxLag + 22), "f32")
    const x23 = p.getAt(pulseBytes * (maxLag + 23), "f32")
    const x24 = p.getAt(pulseBytes * (maxLag + 24), "f32")
    let y0 = x0
    let y1 = x1
    let y2 = x2
    let y3 = x3
    let y4 = x4
    let y5 = x5
    let y6 = x6
    let y7 = x7
    let y8 = x8
    let y9 = x9
    let y10 = x10
    let y11 = x11
    let y12 = x12
    let y13 = x13
    let y14 = x14
    let y15 = x15
    let y16 = x16
    let y17 = x17
    let y18 = x18
    let y19 = x19
    let y20 = x20
    let y21 = x21
    let y22 = x22
    let y23 = x23
    let y24 = x24
    for (let j = pulseBytes * (maxLag - 1); ; j -= pulseBytes) {
        const sum =
            x0 * y0 +
            x1 * y1 +
            x2 * y2 +
            x3 * y3 +
            x4 * y4 +
            x5 * y5 +
            x6 * y6 +
            x7 * y7 +
            x8 * y8 +
            x9 * y9 +
            x10 * y10 +
            x11 * y11 +
            x12 * y12 +
            x13 * y13 +
            x14 * y14 +
            x15 * y15 +
            x16 * y16 +
            x17 * y17 +
            x18 * y18 +
            x19 * y19 +
            x20 * y20 +
            x21 * y21 +
            x22 * y22 +
            x23 * y23 +
            x24 * y24
        to.setAt(at, "f32", sum)
        if (j < 0) return
        at += sumBytes
        y24 = y23
        y23 = y22
        y22 = y21
        y21 = y20
        y20 = y19
        y19 = y18
        y18 = y17
        y17 = y16
        y16 = y15
        y15 = y14
        y14 = y13
        y13 = y12
        y12 = y11
        y11 = y10
        y10 = y9
        y9 = y8
        y8 = y7
        y7 = y6
        y6 = y5
        y5 = y4
        y4 = y3
        y3 = y2
        y2 = y1
        y1 = y0
        y0 = p.getAt(j, "f32")
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
    const at1 = next * lagsBytes
    const at2 = ((next + 1) & lastBlock) * lagsBytes
    const at3 = ((next + 2) & lastBlock) * lagsBytes
    const at4 = ((next + 3) & lastBlock) * lagsBytes
    const s = sums
    let weight1 = gain1 * gain1
    let weight2 = gain2 * gain2
    let weight3 = gain3 * gain3
    let weight4 = gain4 * gain4
    let step1 = -weight1 / blockSize
    let step2 = (gain2 * (gain1 - gain2)) / blockSize
    let step3 = (gain3 * (gain2 - gain3)) / blockSize
    let step4 = (gain4 * (gain3 - gain4)) / blockSize
    // What a correlation of 1 would be: the value at lag 0, and less at longer lags, which have fewer products.
    const energy =
        weight1 * s.getAt(at1, "f32") +
        weight2 * s.getAt(at2, "f32") +
        weight3 * s.getAt(at3, "f32") +
        weight4 * s.getAt(at4, "f32")
    let whole = energy > 0 ? energy : 1
    const least = fewest * whole
    const loss = whole / (complete * blockSize)
    for (let lag = 0; lag < lags; lag++) {
        if (lag === blockSize) {
            step1 = 0
            step2 = (-gain2 * gain1) / blockSize
            step3 = (gain3 * (gain1 - gain2)) / blockSize
            step4 = (gain4 * (gain2 - gain3)) / blockSize
        }
        const offset = lag * sumBytes
        const sum =
            weight1 * s.getAt(at1 + offset, "f32") +
            weight2 * s.getAt(at2 + offset, "f32") +
            weight3 * s.getAt(at3 + offset, "f32") +
            weight4 * s.getAt(at4 + offset, "f32")
        correlation[lag] = whole > least ? sum / whole : 0
        whole -= loss
        weight1 += step1
        weight2 += step2
        weight3 += step3
        weight4 += step4
    }
}

/** Gain of a block; place 0 is the oldest of four. */
function gainOf(place: number, floor: number): number {
    if (place < blocks - complete) return 0
    return 1 / Math.sqrt(sums.getAt(((next + place) & lastBlock) * lagsBytes, "f32") + floor)
}

/** @returns the energy that is added to that of each block */
function measure(): number {
    let total = 0
    let high = 0
    let low = Infinity
    for (let b = 0; b < complete; b++) {
        const energy = sums.getAt(b * lagsBytes, "f32")
        total += energy
        if (energy > high) high = energy
        if (energy < low) low = energy
    }
    meanPower = total / (complete * blockSize)
    spread = high / (low + tiny)
    return (energyFloor * total) / complete + tiny
}
