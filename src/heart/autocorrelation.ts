import { zeros } from "../platform/zeros"
import { blockSize, maxLag } from "./pulse"
import { yieldToMainLoop } from "../platform/sleep"

/*
 * The autocorrelation of the last 8 s, kept as sums over blocks of 2 s: a new block costs only its own products. Each
 * block counts about the same, so that one jerk does not drown the pulse of the others. Nothing from before the 8 s has a
 * part in it: its periods are those of the 8 s, not older ones.
 *
 * Starts when it is imported; `heartrate.ts` gives it the blocks and resets it. Only this module writes its state, the others of
 * `heart/` read it.
 */

/** 8 s. */
const blocks = 4
/** 4 bytes a lag. */
const blockBytes = 4 * (maxLag + 1)
/** Lags in one slice of work. */
const slice = 7
/** A block with more energy than usual weighs less, one with hardly any does not weigh more and more. */
const energyFloor = 0.1
/** A lag that is left with less than this share of the products says nothing. */
const fewest = 0.05
const tiny = 1e-6

/** By lag, 0 to `maxLag`, in units of the value at lag 0. */
export const correlation = zeros(maxLag + 1)
/** Mean square of the block added last. */
export let newestPower: number
/** Mean square of the 8 s. */
export let meanPower: number
/** Energy of the strongest block over that of the weakest. */
export let spread: number
/** By block and lag, f32: an array would be twice as large. */
const sums = Buffer.alloc(blocks * blockBytes)
let next: number
let complete: number

resetCorrelation()

export function resetCorrelation(): void {
    newestPower = meanPower = spread = next = complete = 0
}

/** Adds a block: the last `blockSize` of `pulse`, which begins `maxLag` values before it. Yields between slices. */
export async function correlate(pulse: number[]): Promise<void> {
    const base = next * blockBytes
    const end = maxLag + blockSize
    for (let lag = 0; lag <= maxLag; lag++) {
        let sum = 0
        let j = maxLag - lag
        // Five products a turn: the interpreter spends most of a loop on its head.
        for (let i = maxLag; i < end; i += 5) {
            sum +=
                pulse[i] * pulse[j] +
                pulse[i + 1] * pulse[j + 1] +
                pulse[i + 2] * pulse[j + 2] +
                pulse[i + 3] * pulse[j + 3] +
                pulse[i + 4] * pulse[j + 4]
            j += 5
        }
        sums.setAt(base + 4 * lag, "f32", sum)
        if (lag % slice === slice - 1) await yieldToMainLoop()
    }
    await yieldToMainLoop()
    newestPower = sums.getAt(base, "f32") / blockSize
    next = (next + 1) % blocks
    if (complete < blocks) complete++
    combine()
    await yieldToMainLoop()
    normalise()
}

/**
 * Adds up the blocks as if each had been amplified to the same energy: a product of two blocks is weighted with the
 * gains of both. A lag reaches back over one border or two, so the weight goes in straight lines from gain to gain;
 * the gain of what lies before the window is 0.
 */
export function combine(): void {
    const floor = measure()
    for (let lag = 0; lag <= maxLag; lag++) correlation[lag] = 0
    let before = 0
    let twoBefore = 0
    for (let age = complete; age > 0; age--) {
        let at = ((next - age + blocks) % blocks) * blockBytes
        const gain = 1 / Math.sqrt(sums.getAt(at, "f32") + floor)
        let weight = gain * gain
        let step = (gain * (before - gain)) / blockSize
        for (let lag = 0; lag < blockSize; lag++) {
            correlation[lag] += weight * sums.getAt(at, "f32")
            at += 4
            weight += step
        }
        step = (gain * (twoBefore - before)) / blockSize
        for (let lag = blockSize; lag <= maxLag; lag++) {
            correlation[lag] += weight * sums.getAt(at, "f32")
            at += 4
            weight += step
        }
        twoBefore = before
        before = gain
    }
}

/** @returns the energy that is added to that of each block */
function measure(): number {
    let total = 0
    let high = 0
    let low = Infinity
    for (let b = 0; b < complete; b++) {
        const energy = sums.getAt(b * blockBytes, "f32")
        total += energy
        if (energy > high) high = energy
        if (energy < low) low = energy
    }
    meanPower = total / (complete * blockSize)
    spread = high / (low + tiny)
    return (energyFloor * total) / complete + tiny
}

/** In units of the value at lag 0; a longer lag has fewer products. */
export function normalise(): void {
    const step = 1 / (complete * blockSize)
    const energy = correlation[0] > 0 ? correlation[0] : 1
    let share = 1
    for (let lag = 0; lag <= maxLag; lag++) {
        correlation[lag] = share > fewest ? correlation[lag] / (share * energy) : 0
        share -= step
    }
}
