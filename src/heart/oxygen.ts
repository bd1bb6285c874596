import { sampleBytes } from "../drivers/max30102"
import { zeros } from "../platform/zeros"
import { hopSamples } from "./pulse"

/*
 * Oxygen saturation from the ratio of ratios R: the relative pulsation of red light over that of infrared. Both are
 * summed over 0.2 s; the differences between sums contain the pulse, but neither drift nor the converter's noise. R is
 * the slope of red on infrared over 8 s, by orthogonal regression, because both channels have the same noise and an
 * ordinary one would overestimate R for a weak pulse. Nothing is allocated after the start.
 *
 *     addColours(fifo, from, to) // in step with pushLight
 *     nextOxygen(quality, motion) // every 2 s
 *
 * Starts when it is imported; `sensing/sensing.ts` passes on the light, resets it, and reads the result.
 */

/**
 * SpO2 in percent from the ratio R: the usual straight line, 110 − 25 R (J. G. Webster, Design of Pulse Oximeters,
 * 1997). It falls everywhere, so each saturation has one ratio, and an error of the ratio has the same effect at every saturation.
 * The parabola that Maxim measured for its own board (−45.060 R² + 30.354 R + 94.845) has its vertex at R = 0.34 and is three times
 * as steep at R = 0.9. Neither is calibrated for another housing, which would need a study with arterial blood (ISO 80601-2-61).
 */
const calibrationSlope = -25
const calibrationMost = 110

/** Samples per sum, 0.2 s: components faster than a pulse average out. */
const sumSamples = 5
/** Blocks of 2 s. */
const blocks = 4
/** Sums stored per block: x², xy, y², infrared, red. */
const fields = 5
/** Number of differences in 8 s. */
const differences = (blocks * hopSamples) / sumSamples

/** Minimum of either colour in counts; cover glass, a room or a dead LED return far less. */
const minSkinCounts = 20000
/** A larger sum may include a clipped sample. */
const maxSum = sumSamples * 0x3f000
/** Root mean square of the differences over the steady level, infrared; that of a pulse of 0.05 % peak to peak. */
const minPerfusion = 0.00015
/** Regularises the weights: a block with much energy weighs no more than others, one with hardly any weighs less. */
const energyFloor = 0.1
/** Variance of a difference that may be the converter's noise, in counts². */
const noiseVariance = 1600
/** Minimum determination (r²) beyond that noise: a pulse affects both colours in a fixed ratio, movement does not. */
const minDetermination = 0.97
/** Maximum standard error of a value, in percent of saturation. */
const maxErrorPercent = 1
/** Minimum quality of the heart rate. */
const minQuality = 0.6
/**
 * Movement increases perfusion and draws the ratio to 1; a lack of oxygen does only the latter. A value whose perfusion
 * has grown by this factor is rejected…
 */
const perfusionGrowth = 1.5
/** …if it also differs by this much. */
const changePercent = 3
/** Rate at which the usual perfusion is learnt, and at which it is forgotten every 2 s. */
const followRate = 0.2
const forgetRate = 1.003
const minPercent = 70
const maxPercent = 100
/** Values up to this far above 100 are noise. */
const overshootPercent = 2

/** From 70 to 100, in the 2 s that complete 8 s without gap, motion or doubt; otherwise undefined. */
export let spo2: number | undefined
const sums = zeros(blocks * fields)
/** Complete blocks, at most `blocks`, and the index of the current one. */
let complete: number
let block: number
/** The current and the previous sum; −1 without one. */
let infrared: number
let red: number
let count: number
let lastInfrared: number
let lastRed: number
/** From the last values; 0 before the first. */
let usualPerfusion: number
let lastPercent: number
/** There was too much light in the block. */
let clipped: boolean

resetOxygen()

/** Starts anew after a gap in the signal or a change of the LED currents. */
export function resetOxygen(): void {
    spo2 = undefined
    complete = infrared = red = count = 0
    usualPerfusion = lastPercent = block = 0
    lastInfrared = -1
    clear()
}

/** Takes the samples of a FIFO burst from number `from` to before `to`. */
export function addColours(fifo: Buffer, from: number, to: number): void {
    const base = block * fields
    const s = sums
    const end = to * sampleBytes
    for (let at = from * sampleBytes; at < end; at += sampleBytes) {
        red += ((fifo[at] & 3) << 16) | (fifo[at + 1] << 8) | fifo[at + 2]
        infrared += ((fifo[at + 3] & 3) << 16) | (fifo[at + 4] << 8) | fifo[at + 5]
        count++
        if (count < sumSamples) continue
        if (lastInfrared >= 0) {
            const x = infrared - lastInfrared
            const y = red - lastRed
            s[base] = s[base] + x * x
            s[base + 1] = s[base + 1] + x * y
            s[base + 2] = s[base + 2] + y * y
        }
        s[base + 3] = s[base + 3] + infrared
        s[base + 4] = s[base + 4] + red
        if (infrared > maxSum) clipped = true
        if (red > maxSum) clipped = true
        lastInfrared = infrared
        lastRed = red
        infrared = red = count = 0
    }
}

/**
 * Completes a block of 2 s.
 * @param quality of the heart rate at its end, 0 without one
 * @param motion whether something moves the sensor
 */
export function nextOxygen(quality: number, motion: boolean): void {
    spo2 = undefined
    usualPerfusion *= forgetRate
    if (motion || !isLit()) complete = 0
    else {
        if (complete < blocks) complete++
        block = (block + 1) & (blocks - 1)
        if (quality >= minQuality && complete === blocks) evaluate()
    }
    clear()
}

/** Whether both colours return from skin and neither saturates the converter. */
function isLit(): boolean {
    const base = block * fields
    const least = minSkinCounts * hopSamples
    return !clipped && sums[base + 3] >= least && sums[base + 4] >= least
}

function clear(): void {
    const base = block * fields
    for (let i = base; i < base + fields; i++) sums[i] = 0
    clipped = false
}

/** Computes the value of the last 8 s, if it is good enough, and begins the next 8 s. */
function evaluate(): void {
    const size = blocks * fields
    let energy = 0
    let power = 0
    let infrared = 0
    let red = 0
    for (let i = 0; i < size; i += fields) {
        energy += sums[i] + sums[i + 2]
        power += sums[i]
        infrared += sums[i + 3]
        red += sums[i + 4]
    }
    const floor = (energyFloor * energy) / blocks
    let xx = 0
    let xy = 0
    let yy = 0
    let weights = 0
    for (let i = 0; i < size; i += fields) {
        const weight = 1 / (sums[i] + sums[i + 2] + floor)
        xx += weight * sums[i]
        xy += weight * sums[i + 1]
        yy += weight * sums[i + 2]
        weights += weight
    }
    const perfusion = Math.sqrt(power / differences) / (infrared / differences)
    if (perfusion < minPerfusion || xy <= 0) return
    const noiseEnergy = (weights * noiseVariance * differences) / blocks
    const clean = Math.max(0, xx - noiseEnergy) * Math.max(0, yy - noiseEnergy)
    if (xy * xy < minDetermination * clean) return
    // The slope that solves slope²·xy + slope·(xx − yy) − xy = 0.
    const slope = (yy - xx + Math.sqrt((yy - xx) * (yy - xx) + 4 * xy * xy)) / (2 * xy)
    // The residual of each block: a part on which the blocks disagree is not the pulse.
    let scatter = 0
    for (let i = 0; i < size; i += fields) {
        const weight = 1 / (sums[i] + sums[i + 2] + floor)
        const miss = weight * (sums[i + 1] * (slope * slope - 1) + slope * (sums[i] - sums[i + 2]))
        scatter += miss * miss
    }
    const steepness = 2 * slope * xy + xx - yy
    const random = (slope * slope * ((xx * yy) / (xy * xy) - 1)) / differences
    const variance = Math.max(random, scatter / (steepness * steepness))

    const scale = infrared / red
    const percent = calibrationSlope * slope * scale + calibrationMost
    const error = -calibrationSlope * scale * Math.sqrt(variance)
    if (error > maxErrorPercent) return
    if (percent < minPercent || percent > maxPercent + overshootPercent) return
    const usual = usualPerfusion
    const hasGrown = usual > 0 && perfusion > perfusionGrowth * usual
    if (hasGrown && Math.abs(percent - lastPercent) > changePercent) return
    usualPerfusion = usual > 0 ? usual + followRate * (perfusion - usual) : perfusion
    lastPercent = percent
    spo2 = Math.min(maxPercent, percent)
    complete = 0
}
