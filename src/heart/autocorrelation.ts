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
/**
 * Regularises the weights: a block with more energy than usual weighs less, one with hardly any does not get a huge
 * weight.
 */
const energyFloor = 0.1
/** A lag needs this share of the products. */
const fewest = 0.05
const mostTaper = 4100
const taperStep = 100
const tiny = 1e-6

/** Correlation by lag, 0 to `maxLag`, relative to lag 0. */
export const correlation = zeros(lags)
/** The same for the transform: weighted with 4,100 at lag 0, 100 less at each lag, and whole. */
export const tapered = zeros(lags)
/** Mean square of the newest block. */
export let newestPower: number
/** Mean square of the 8 s. */
export let meanPower: number
/** Energy of the strongest block divided by that of the weakest. */
export let spread: number
/** Sums by block, and in each by lag. */
const sums = [newSums(), newSums(), newSums(), newSums()]
let next: number
let complete: number

resetCorrelation()

/** Room for the sums of all lags. */
export function newSums(): Buffer {
    return Buffer.alloc(lags * sumBytes)
}

export function resetCorrelation(): void {
    newestPower = meanPower = spread = next = complete = 0
}

/**
 * Adds a block: the last `blockSize` values of `pulse`, which begins `maxLag` values earlier. Yields between slices.
 */
export async function correlate(pulse: Buffer): Promise<void> {
    const newest = sums[next]
    multiply(pulse, newest)
    await yieldToMainLoop()
    newestPower = newest.getAt(0, "f32") / blockSize
    next = (next + 1) & lastBlock
    if (complete < blocks) complete++
    combine()
}

/**
 * Products of the newest block with earlier values, for all lags. The block's 25 values are in variables, and so are those that they
 * are multiplied with, which move on by three after three lags: fetching and moving factors takes most of the interpreter's time.
 * @param p `maxLag` values, then the block
 * @param to where the sums go, for lags 0 to `maxLag`
 */
export function multiply(p: Buffer, to: Buffer): void {
    let at = 0
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
    for (let j = pulseBytes * (maxLag - 1); ; j -= 3 * pulseBytes) {
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
        const z1 = p.getAt(j, "f32")
        const sum1 =
            x0 * z1 +
            x1 * y0 +
            x2 * y1 +
            x3 * y2 +
            x4 * y3 +
            x5 * y4 +
            x6 * y5 +
            x7 * y6 +
            x8 * y7 +
            x9 * y8 +
            x10 * y9 +
            x11 * y10 +
            x12 * y11 +
            x13 * y12 +
            x14 * y13 +
            x15 * y14 +
            x16 * y15 +
            x17 * y16 +
            x18 * y17 +
            x19 * y18 +
            x20 * y19 +
            x21 * y20 +
            x22 * y21 +
            x23 * y22 +
            x24 * y23
        to.setAt(at + sumBytes, "f32", sum1)
        if (j === 0) return
        const z2 = p.getAt(j - pulseBytes, "f32")
        const sum2 =
            x0 * z2 +
            x1 * z1 +
            x2 * y0 +
            x3 * y1 +
            x4 * y2 +
            x5 * y3 +
            x6 * y4 +
            x7 * y5 +
            x8 * y6 +
            x9 * y7 +
            x10 * y8 +
            x11 * y9 +
            x12 * y10 +
            x13 * y11 +
            x14 * y12 +
            x15 * y13 +
            x16 * y14 +
            x17 * y15 +
            x18 * y16 +
            x19 * y17 +
            x20 * y18 +
            x21 * y19 +
            x22 * y20 +
            x23 * y21 +
            x24 * y22
        to.setAt(at + 2 * sumBytes, "f32", sum2)
        at += 3 * sumBytes
        y24 = y21
        y23 = y20
        y22 = y19
        y21 = y18
        y20 = y17
        y19 = y16
        y18 = y15
        y17 = y14
        y16 = y13
        y15 = y12
        y14 = y11
        y13 = y10
        y12 = y9
        y11 = y8
        y10 = y7
        y9 = y6
        y8 = y5
        y7 = y4
        y6 = y3
        y5 = y2
        y4 = y1
        y3 = y0
        y2 = z1
        y1 = z2
        y0 = p.getAt(j - 2 * pulseBytes, "f32")
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
    const sums1 = sums[next]
    const sums2 = sums[(next + 1) & lastBlock]
    const sums3 = sums[(next + 2) & lastBlock]
    const sums4 = sums[(next + 3) & lastBlock]
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
        weight1 * sums1.getAt(0, "f32") +
        weight2 * sums2.getAt(0, "f32") +
        weight3 * sums3.getAt(0, "f32") +
        weight4 * sums4.getAt(0, "f32")
    let whole = energy > 0 ? energy : 1
    const loss = whole / (complete * blockSize)
    // Lags with too few products have no meaningful value.
    const end = Math.min(lags, Math.ceil((1 - fewest) * complete * blockSize))
    for (let lag = end; lag < lags; lag++) correlation[lag] = tapered[lag] = 0
    let taper = mostTaper
    for (let lag = 0; lag < end; lag++) {
        if (lag === blockSize) {
            step1 = 0
            step2 = (-gain2 * gain1) / blockSize
            step3 = (gain3 * (gain1 - gain2)) / blockSize
            step4 = (gain4 * (gain2 - gain3)) / blockSize
        }
        const offset = lag * sumBytes
        const sum =
            weight1 * sums1.getAt(offset, "f32") +
            weight2 * sums2.getAt(offset, "f32") +
            weight3 * sums3.getAt(offset, "f32") +
            weight4 * sums4.getAt(offset, "f32")
        const value = sum / whole
        correlation[lag] = value
        tapered[lag] = (value * taper) | 0
        taper -= taperStep
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
    return 1 / Math.sqrt(sums[(next + place) & lastBlock].getAt(0, "f32") + floor)
}

/** @returns the energy that is added to that of each block */
function measure(): number {
    let total = 0
    let high = 0
    let low = Infinity
    for (let b = 0; b < complete; b++) {
        const energy = sums[b].getAt(0, "f32")
        total += energy
        if (energy > high) high = energy
        if (energy < low) low = energy
    }
    meanPower = total / (complete * blockSize)
    spread = high / (low + tiny)
    return (energyFloor * total) / complete + tiny
}
