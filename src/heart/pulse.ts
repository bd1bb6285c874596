import { sampleBytes } from "../drivers/max30102"

/*
 * Extracts the pulse from the optical signal: a causal Butterworth band-pass at 25 Hz, second order from 0.5 Hz, fourth
 * order to 3.2 Hz (240 bpm is 4 Hz and has hardly any harmonics), inverted, so that more blood is a higher value. It is
 * followed by a first-order high-pass at 0.8 Hz, because breathing may change the light more than a pulse does, and
 * because the steep edge of a pulse locates it better than its round top. Each burst is processed in one call, without
 * allocation.
 *
 * Starts when it is imported; `heartrate.ts` passes on the light and resets it. `motion.ts` removes the motion from
 * `pulse`; the others of `heart/` read it.
 */

/** Sensor samples in 2 s, at 25 Hz; every second one is kept after the filter. */
export const hopSamples = 50
/** Kept samples in 2 s, at 12.5 Hz. */
export const blockSize = 25
/** The longest lag, 3.2 s: more than one and a half periods of 30 bpm. */
export const maxLag = 40

/** A value of `pulse` is an f32: an array of numbers takes twice the memory. */
export const pulseBytes = 4

/** From this count on the converter is practically saturated. */
const saturated = 0x3ff00

/**
 * The product of the filters' gains, and the square of that of the low-passes. The filters themselves leave their gains out,
 * which saves a third of the multiplications.
 */
const gain = 0.010104204
const lowPassPower = 0.000121952673
/** 1 / (1 + 2π · 0.8 Hz / 12.5 Hz). */
const fastShare = 0.713204
/** Weight of the newest block in the steepness. */
const meanRate = 0.25

/**
 * The last block and the `maxLag` values before it, at 12.5 Hz, in whole counts: the interpreter multiplies whole numbers twice as
 * fast, and the converter's noise is larger than a count.
 */
export const pulse = Buffer.alloc((maxLag + blockSize) * pulseBytes)
/** Mean of the block, in counts. */
export let steadyLevel: number
/** Saturated samples in the block: too much light. */
export let saturations: number
/** Share of the block's variation in the band of the heart rate, 0 to 1; small for noise and flicker. */
export let purity: number
/**
 * How much faster the signal rises than it falls: the skewness of its derivative, averaged over some blocks. 0 for
 * noise and for symmetric swings.
 */
export let steepness: number
/** Sensor samples in the block so far. */
export let filled: number

let high1: number
let high2: number
let low1: number
let low2: number
let last1: number
let last2: number
let slow: number
let fast: number
let offset: number
/** Blocks since the start. */
let blocks: number
let sum: number
let clipped: number
/** Sums of the differences between the values of the block. */
let squares: number
let cubes: number
let wide: number
let narrow: number

resetPulse()

/** Resets the filters for a new signal. */
export function resetPulse(): void {
    pulse.fillAt(0, pulse.length, 0)
    high1 = high2 = low1 = low2 = last1 = last2 = 0
    slow = fast = 0
    offset = undefined
    steadyLevel = saturations = purity = steepness = blocks = 0
    clear()
}

/**
 * Takes samples of `fifo`, from number `from` to at most the end of the block.
 * @returns number of samples taken; the block is complete when `filled` is `hopSamples`
 */
export function filterLight(fifo: Buffer, from: number, count: number): number {
    const take = Math.min(count - from, hopSamples - filled)
    const end = (from + take) * sampleBytes
    for (let at = from * sampleBytes; at < end; at += sampleBytes) {
        // Infrared comes second.
        const counts = ((fifo[at + 3] & 3) << 16) | (fifo[at + 4] << 8) | fifo[at + 5]
        if (offset === undefined) offset = counts
        if (counts >= saturated) clipped++
        sum += counts
        const x = offset - counts
        const y = x + high1
        high1 = 1.822694925 * y + high2 - x - x
        high2 = x - 0.837181651 * y
        const w = y + low1
        low1 = 1.087528908 * w + y + y + low2
        low2 = y - 0.567827759 * w
        const z = w + last1
        last1 = 0.832977664 * z + w + w + last2
        last2 = w - 0.200855899 * z
        wide += y * y
        narrow += z * z
        filled++
        if (!(filled & 1)) {
            const rise = fastShare * (fast + z - slow) - fast
            const square = rise * rise
            squares += square
            cubes += square * rise
            fast += rise
            slow = z
            pulse.setAt(pulseBytes * (maxLag + (filled >> 1) - 1), "f32", Math.round(gain * fast))
        }
    }
    if (filled === hopSamples) {
        steadyLevel = sum / hopSamples
        saturations = clipped
        purity = wide > 0 ? (lowPassPower * narrow) / wide : 0
        measureSteepness()
    }
    return take
}

function measureSteepness(): void {
    const variance = squares / blockSize
    const skewness = variance > 0 ? cubes / (blockSize * variance * Math.sqrt(variance)) : 0
    blocks++
    // The phase of the filters turns the steep rise of the blood into a steep fall.
    steepness += Math.max(meanRate, 1 / blocks) * (-skewness - steepness)
}

/** Makes room for the next block; the values of this one become its past. */
export function nextPulse(): void {
    shiftBlock(pulse)
    clear()
}

/** Moves `maxLag` values and a block after them by a block. */
export function shiftBlock(values: Buffer): void {
    // In pieces that do not overlap, because `blitAt` is a memcpy.
    for (let at = 0; at < maxLag * pulseBytes; at += blockSize * pulseBytes)
        values.blitAt(at, values, at + blockSize * pulseBytes, blockSize * pulseBytes)
}

function clear(): void {
    filled = sum = clipped = wide = narrow = 0
    squares = cubes = 0
}
