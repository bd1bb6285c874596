import { sampleBytes } from "../drivers/max30102"
import { zeros } from "../zeros"

/** Samples of the sensor in 2 s, at 25 Hz; every second one is kept after the filter. */
export const hopSamples = 50
/** Kept samples in 2 s, at 12.5 Hz. */
export const blockSize = 25
/** The longest lag, 3.2 s: more than one and a half periods of 30 bpm. */
export const maxLag = 40

/** Counts at and above which the converter is as good as saturated. */
const saturated = 0x3ff00

/** 1 / (1 + 2π · 0.8 Hz / 12.5 Hz). */
const fastShare = 0.713204
/** How much the newest block counts for the steepness. */
const meanRate = 0.25

/**
 * The pulse out of the optical signal: a causal Butterworth band-pass at 25 Hz, second order from 0.5 Hz up, fourth order
 * to 3.2 Hz (240 bpm is 4 Hz and has hardly any harmonics), upside down, so that more blood is more; then first order from
 * 0.8 Hz up, because breath may move the light more than a pulse does, and because the steep rise of a pulse tells its
 * moment better than its round top. It works through a burst in one call and allocates nothing.
 */
export class Pulse {
    /** The last block and the `maxLag` values before it, at 12.5 Hz, in counts. */
    readonly values = zeros(maxLag + blockSize)
    /** Of the block, in counts. */
    mean: number
    /** Samples of the block that had no room to move: too much light. */
    saturations: number
    /** How much of the block's movement is in the band of a heart, 0…1; of noise and flicker, little. */
    purity: number
    /**
     * How much faster the signal rises than it falls, as the skewness of its derivative, mean of some blocks: 0 for noise
     * and for what swings to and fro.
     */
    steepness: number
    /** Sensor samples in the block so far. */
    filled: number

    private high1: number
    private high2: number
    private low1: number
    private low2: number
    private last1: number
    private last2: number
    private slow: number
    private fast: number
    private offset: number
    /** Blocks since the start. */
    private blocks: number
    private sum: number
    private clipped: number
    /** Sums of the differences between the values of the block. */
    private squares: number
    private cubes: number
    private wide: number
    private narrow: number

    constructor() {
        this.reset()
    }

    /** Forgets everything: the signal starts anew. */
    reset(): void {
        for (let i = 0; i < this.values.length; i++) this.values[i] = 0
        this.high1 = this.high2 = this.low1 = this.low2 = this.last1 = this.last2 = 0
        this.slow = this.fast = 0
        this.offset = undefined
        this.mean = this.saturations = this.purity = this.steepness = this.blocks = 0
        this.clear()
    }

    /**
     * Takes samples of `fifo` from number `from` on, at most to the end of the block.
     * @returns how many it took; the block is complete when `filled` is `hopSamples`
     */
    push(fifo: Buffer, from: number, count: number): number {
        const take = Math.min(count - from, hopSamples - this.filled)
        const values = this.values
        let high1 = this.high1
        let high2 = this.high2
        let low1 = this.low1
        let low2 = this.low2
        let last1 = this.last1
        let last2 = this.last2
        let slow = this.slow
        let fast = this.fast
        let squares = this.squares
        let cubes = this.cubes
        let wide = this.wide
        let narrow = this.narrow
        let offset = this.offset
        let sum = this.sum
        let clipped = this.clipped
        let filled = this.filled
        let at = from * sampleBytes + 3 // infrared comes second
        for (let i = 0; i < take; i++) {
            const counts = ((fifo[at] & 3) << 16) | (fifo[at + 1] << 8) | fifo[at + 2]
            at += sampleBytes
            if (offset === undefined) offset = counts
            if (counts >= saturated) clipped++
            sum += counts
            const x = offset - counts
            const y = 0.914969144 * x + high1
            high1 = 1.822694925 * y - 1.829938288 * x + high2
            high2 = 0.914969144 * x - 0.837181651 * y
            const w = 0.120074713 * y + low1
            low1 = 1.087528908 * w + 0.240149426 * y + low2
            low2 = 0.120074713 * y - 0.567827759 * w
            const z = 0.091969559 * w + last1
            last1 = 0.832977664 * z + 0.183939117 * w + last2
            last2 = 0.091969559 * w - 0.200855899 * z
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
                values[maxLag + (filled >> 1) - 1] = fast
            }
        }
        this.high1 = high1
        this.high2 = high2
        this.low1 = low1
        this.low2 = low2
        this.last1 = last1
        this.last2 = last2
        this.slow = slow
        this.fast = fast
        this.squares = squares
        this.cubes = cubes
        this.wide = wide
        this.narrow = narrow
        this.offset = offset
        this.sum = sum
        this.clipped = clipped
        this.filled = filled
        if (filled === hopSamples) {
            this.mean = sum / hopSamples
            this.saturations = clipped
            this.purity = wide > 0 ? narrow / wide : 0
            this.measureSteepness()
        }
        return take
    }

    private measureSteepness(): void {
        const variance = this.squares / blockSize
        const skewness =
            variance > 0 ? this.cubes / (blockSize * variance * Math.sqrt(variance)) : 0
        this.blocks++
        // The filters turn the phases so that the steep rise of the blood becomes a steep fall.
        this.steepness += Math.max(meanRate, 1 / this.blocks) * (-skewness - this.steepness)
    }

    /** Makes room for the next block; the values of this one become its past. */
    next(): void {
        const values = this.values
        for (let i = 0; i < maxLag; i++) values[i] = values[i + blockSize]
        this.clear()
    }

    private clear(): void {
        this.filled = this.sum = this.clipped = this.wide = this.narrow = 0
        this.squares = this.cubes = 0
    }
}
