import { accelerationBytes, countsPerG } from "../drivers/acceleration"
import { zeros } from "../platform/zeros"
import { lags, multiply, newSums, sumBytes } from "./autocorrelation"
import { blockSize, maxLag, pulseBytes, shiftBlock } from "./pulse"

/*
 * Removes from the optical signal what the acceleration explains: a normalised LMS adaptive filter (Widrow and Hoff;
 * Haykin, Adaptive Filter Theory) whose references are the three axes, each at three moments. It adapts continuously,
 * so the position of the sensor and the play of the strap need not be known. A pulse at exactly the step rate is
 * removed as well, for as long as it stays there.
 *
 * Starts when it is imported; `heartrate.ts` passes on the acceleration and resets it, and reads the result, as does
 * `sensing/`.
 */

/** Butterworth band-pass of first order at 25 Hz, 0.5 to 3.2 Hz. Its gain, from counts to g, follows it. */
const gain = 0.26086919 / countsPerG
const feedback1 = 1.40121392
const feedback2 = -0.47826162
/** Values stored per axis at 12.5 Hz: some from before the block, the block, and the rest of the same burst. */
const past = 3
const capacity = past + blockSize + 20
/** A moment is x, y and z in g and the sum of their squares, each f32; arrays of numbers would take twice the memory. */
const momentBytes = 16
const energyOffset = 12
const pastBytes = past * momentBytes
const blockEnd = pastBytes + blockSize * momentBytes
/** Lags per minute at 12.5 Hz. */
const lagsPerMinute = 750
/** Shares of the axes in the mixture whose rhythm is correlated, and its unit: whole numbers, with which the interpreter is faster. */
const mixY = 0.8
const mixZ = -0.6
const wholeG = 1000
/** Share of the correlation that remains after 2 s: that of the last 8 s counts most. */
const fadingRhythm = 0.7
/** A rate at which the acceleration repeats itself exactly loses this share of its power. */
export const subtracted = 0.7
/** Maximum skew between acceleration and light in stored values; beyond it, one of them has lost samples. */
const maxSkew = 8
/** The accelerometer has its own oscillator, which is tracked: share of the skew that a block corrects, and learns. */
const skewGain = 0.3
const skewLearning = 0.05
/** Step size of the adaptive filter: about one second at 12.5 Hz. */
const adaption = 0.1
/** Sum of squares over the three moments in g², below which it adapts slowly. */
const energyFloor = 0.001
/** Share of the coefficients kept from block to block, so that useless ones fade. */
const keep = 0.95
/** Root mean square in g, above the noise of the chip and of a quiet wrist. Below it nothing is removed. */
const stillG = 0.02
/** Above this level in g, a rate from the light alone is not trusted. */
const movingG = 0.08
/** Level in g of a runner. */
const runningG = 0.4
/**
 * A burst whose samples differ by at most this much from the newest one of the burst before is at rest: one step of a LIS3DH and
 * some noise, 16 mg. What that can be in the band is below `stillG`. Squared, the sum of the axes.
 */
const restCounts = 68
const restSquares = restCounts * restCounts
/** After this many such bursts the filters have settled, and need not run. */
const restBursts = 3
const tiny = 1e-6
/** Share of the level that remains after 2 s of rest. */
const fading = 0.75

/** The wearer is moving, or was some seconds ago. */
export let isMoving: boolean
/** Intensity of the movement, from 0 (rest) to 1. */
export let effort: number
/** Root mean square of the acceleration in the band of the heart rate, in g; decays over some seconds. */
let level: number
const moments = Buffer.alloc(capacity * momentBytes)
/** The newest block of the mixture and the `maxLag` values before it, its products, and their sums by lag, which fade; each f32. */
const mixture = Buffer.alloc((maxLag + blockSize) * pulseBytes)
const products = newSums()
const rhythm = newSums()
/** Filter states, two per axis, and the last value of each, in counts before the gain. */
const states = zeros(9)
/** The newest sample in counts. */
let newestX: number
let newestY: number
let newestZ: number
/** Consecutive bursts at rest. */
let rested: number
/** Coefficients by axis. */
const weights = zeros(9)
/** Values that wait; −1 without an accelerometer. */
export let stored: number
/** Number of oldest values that are no longer needed. */
let used: number
/** Stored values per sample: as learnt, and as used until the next block. */
let learntStep: number
let step: number
let phase: number

resetMotion()

/** Starts anew after a gap in the acceleration, or without any. */
function resetMotion(): void {
    stored = -1
    used = rested = 0
    setLevel(0)
    learntStep = step = 0.5
    phase = 0
}

/** After a gap in the light, the stored acceleration belongs to no block. */
export function skipMotion(): void {
    if (stored > past) stored = past
    used = 0
}

/** Takes samples of `fifo`, 24 to 27 a second, and stores about every second one, in step with the light. */
export function addAcceleration(fifo: Buffer, count: number): void {
    if (count <= 0) {
        if (count < 0) resetMotion()
        return
    }
    const isFirst = stored < 0
    if (isFirst) {
        stored = past
        moments.fillAt(0, pastBytes, 0)
        keepNewest(fifo, 0)
        settle()
    } else if (stored + count > capacity) skipMotion()
    const end = count * accelerationBytes
    const isAtRest = isNearNewest(fifo, end)
    if (!isAtRest || rested < restBursts) {
        if (rested >= restBursts) settle()
        filterAcceleration(fifo, end)
        rested = isAtRest ? rested + 1 : 0
    } else storeRest(count)
    keepNewest(fifo, end - accelerationBytes)
}

function keepNewest(fifo: Buffer, at: number): void {
    newestX = fifo.getAt(at, "i16")
    newestY = fifo.getAt(at + 2, "i16")
    newestZ = fifo.getAt(at + 4, "i16")
}

/** The filters as if the acceleration had always been that of the newest sample. */
function settle(): void {
    states[0] = states[1] = -newestX
    states[3] = states[4] = -newestY
    states[6] = states[7] = -newestZ
    states[2] = states[5] = states[8] = 0
}

/** Whether a burst is at rest; every second sample is enough, including the newest. */
function isNearNewest(fifo: Buffer, end: number): boolean {
    for (let at = end - accelerationBytes; at >= 0; at -= 2 * accelerationBytes) {
        const x = fifo.getAt(at, "i16") - newestX
        const y = fifo.getAt(at + 2, "i16") - newestY
        const z = fifo.getAt(at + 4, "i16") - newestZ
        if (x * x + y * y + z * z > restSquares) return false
    }
    return true
}

/** Stores moments without movement. */
function storeRest(count: number): void {
    phase += step * count
    for (; phase >= 1; phase--) {
        moments.fillAt(stored * momentBytes, momentBytes, 0)
        stored++
    }
}

/** Filters a burst, and stores about every second value. */
function filterAcceleration(fifo: Buffer, end: number): void {
    let index = stored
    let to = index * momentBytes
    let turn = phase
    let lowX = states[0]
    let highX = states[1]
    let lastX = states[2]
    let lowY = states[3]
    let highY = states[4]
    let lastY = states[5]
    let lowZ = states[6]
    let highZ = states[7]
    let lastZ = states[8]
    // All axes share one loop, because its overhead is as large as one filter.
    for (let at = 0; at < end; at += accelerationBytes) {
        const rawX = fifo.getAt(at, "i16")
        const x = rawX + lowX
        lowX = feedback1 * x + highX
        highX = feedback2 * x - rawX
        const rawY = fifo.getAt(at + 2, "i16")
        const y = rawY + lowY
        lowY = feedback1 * y + highY
        highY = feedback2 * y - rawY
        const rawZ = fifo.getAt(at + 4, "i16")
        const z = rawZ + lowZ
        lowZ = feedback1 * z + highZ
        highZ = feedback2 * z - rawZ
        turn += step
        if (turn >= 1) {
            turn -= 1
            const share = turn / step
            const nowX = gain * (x + share * (lastX - x))
            const nowY = gain * (y + share * (lastY - y))
            const nowZ = gain * (z + share * (lastZ - z))
            moments.setAt(to, "f32", nowX)
            moments.setAt(to + 4, "f32", nowY)
            moments.setAt(to + 8, "f32", nowZ)
            moments.setAt(to + energyOffset, "f32", nowX * nowX + nowY * nowY + nowZ * nowZ)
            index++
            to += momentBytes
        }
        lastX = x
        lastY = y
        lastZ = z
    }
    states[0] = lowX
    states[1] = highX
    states[2] = lastX
    states[3] = lowY
    states[4] = highY
    states[5] = lastY
    states[6] = lowZ
    states[7] = highZ
    states[8] = lastZ
    phase = turn
    stored = index
}

/**
 * Removes the motion from the newest block.
 * @param pulse ends with the block
 * @param ahead samples of the light after the block, from the same burst
 */
export function removeMotion(pulse: Buffer, ahead: number): void {
    if (stored < 0) return
    const skew = stored + phase - (past + blockSize + ahead / 2)
    if (Math.abs(skew) > maxSkew) {
        setLevel(0)
        used = Math.max(0, Math.floor(stored - ahead / 2) - past)
        return
    }
    pad(past + blockSize)
    setLevel(Math.max(measure(), fading * level))
    if (level > stillG) filter(pulse)
    used = blockSize
    learntStep -= (skewLearning * skew) / (2 * blockSize)
    step = learntStep - (skewGain * skew) / (2 * blockSize)
}

/**
 * Correlates the newest block of the mixture, which `filter` has made, with what came before. The direction of the mixture does not matter
 * for its rhythm.
 */
export function correlateMotion(): void {
    if (effort === 0) {
        rhythm.fillAt(0, rhythm.length, 0)
        mixture.fillAt(0, mixture.length, 0)
        return
    }
    multiply(mixture, products)
    for (let at = 0; at < lags * sumBytes; at += sumBytes)
        rhythm.setAt(at, "f32", fadingRhythm * rhythm.getAt(at, "f32") + products.getAt(at, "f32"))
    shiftBlock(mixture)
}

/**
 * Whether the wearer moves at a rate: the correlation after two periods, so that both a swing and its double, the step, are found.
 * @returns 0 to 1; 1 if the acceleration repeats with every second beat
 */
export function likeness(bpm: number): number {
    const lag = (2 * lagsPerMinute) / bpm
    if (effort === 0 || lag >= maxLag) return 0
    const at = Math.floor(lag)
    const before = rhythm.getAt(at * sumBytes, "f32")
    const after = rhythm.getAt((at + 1) * sumBytes, "f32")
    return Math.max(0, (before + (lag - at) * (after - before)) / (rhythm.getAt(0, "f32") + tiny))
}

/**
 * Reduces the spectrum of the light at the rates of the movement: spectral subtraction, without a spectrum of the acceleration.
 * @param spectrum power by bin, f32
 * @param bpm rate of the first bin
 * @param step between bins
 * @returns the new maximum
 */
export function subtractMotion(spectrum: Buffer, bpm: number, step: number): number {
    const scale = subtracted / (rhythm.getAt(0, "f32") + tiny)
    const end = spectrum.length
    let most = 0
    // The lags become shorter from bin to bin, so that each is fetched once.
    let whole = maxLag
    let before = 0
    let rise = 0
    for (let to = 0; to < end; to += 4) {
        let power = spectrum.getAt(to, "f32")
        const lag = (2 * lagsPerMinute) / bpm
        bpm += step
        if (lag < maxLag) {
            if (lag < whole) {
                whole = lag | 0
                before = rhythm.getAt(whole * sumBytes, "f32")
                rise = rhythm.getAt(whole * sumBytes + sumBytes, "f32") - before
            }
            const like = before + (lag - whole) * rise
            if (like > 0) {
                power -= power * scale * like
                spectrum.setAt(to, "f32", power)
            }
        }
        if (power > most) most = power
    }
    return most
}

/** Makes room for the next block. */
export function nextMotion(): void {
    if (used === 0) return
    const bytes = used * momentBytes
    // In pieces that do not overlap, because `blitAt` is a memcpy.
    for (let at = 0; at + bytes < moments.length; at += bytes) moments.blitAt(at, moments, at + bytes, bytes)
    stored -= used
    used = 0
}

function setLevel(to: number): void {
    level = to
    isMoving = level > movingG
    effort = Math.max(0, Math.min(1, (level - stillG) / (runningG - stillG)))
}

/** Repeats the newest value up to this length. */
function pad(length: number): void {
    while (stored < length) {
        const to = stored * momentBytes
        moments.blitAt(to, moments, to - momentBytes, momentBytes)
        stored++
    }
}

/** @returns the root mean square of the block */
function measure(): number {
    let energy = 0
    for (let at = pastBytes; at < blockEnd; at += momentBytes) energy += moments.getAt(at + energyOffset, "f32")
    return Math.sqrt(energy / blockSize)
}

/** Filters the newest block, and mixes the axes of its acceleration. */
function filter(pulse: Buffer): void {
    let wx1 = keep * weights[0]
    let wx2 = keep * weights[1]
    let wx3 = keep * weights[2]
    let wy1 = keep * weights[3]
    let wy2 = keep * weights[4]
    let wy3 = keep * weights[5]
    let wz1 = keep * weights[6]
    let wz2 = keep * weights[7]
    let wz3 = keep * weights[8]
    let x1 = moments.getAt(pastBytes - 1 * momentBytes, "f32")
    let x2 = moments.getAt(pastBytes - 2 * momentBytes, "f32")
    let x3 = moments.getAt(pastBytes - 3 * momentBytes, "f32")
    let y1 = moments.getAt(pastBytes - 1 * momentBytes + 4, "f32")
    let y2 = moments.getAt(pastBytes - 2 * momentBytes + 4, "f32")
    let y3 = moments.getAt(pastBytes - 3 * momentBytes + 4, "f32")
    let z1 = moments.getAt(pastBytes - 1 * momentBytes + 8, "f32")
    let z2 = moments.getAt(pastBytes - 2 * momentBytes + 8, "f32")
    let z3 = moments.getAt(pastBytes - 3 * momentBytes + 8, "f32")
    let energy1 = moments.getAt(pastBytes - 1 * momentBytes + energyOffset, "f32")
    let energy2 = moments.getAt(pastBytes - 2 * momentBytes + energyOffset, "f32")
    let energy3 = moments.getAt(pastBytes - 3 * momentBytes + energyOffset, "f32")
    let at = pastBytes
    for (let i = maxLag * pulseBytes; i < (maxLag + blockSize) * pulseBytes; i += pulseBytes) {
        const rest =
            pulse.getAt(i, "f32") -
            (wx1 * x1 + wx2 * x2 + wx3 * x3 + wy1 * y1 + wy2 * y2 + wy3 * y3) -
            (wz1 * z1 + wz2 * z2 + wz3 * z3)
        pulse.setAt(i, "f32", rest)
        const learn = (adaption * rest) / (energy1 + energy2 + energy3 + energyFloor)
        wx1 += learn * x1
        wx2 += learn * x2
        wx3 += learn * x3
        wy1 += learn * y1
        wy2 += learn * y2
        wy3 += learn * y3
        wz1 += learn * z1
        wz2 += learn * z2
        wz3 += learn * z3
        x3 = x2
        x2 = x1
        x1 = moments.getAt(at, "f32")
        y3 = y2
        y2 = y1
        y1 = moments.getAt(at + 4, "f32")
        z3 = z2
        z2 = z1
        z1 = moments.getAt(at + 8, "f32")
        mixture.setAt(i, "f32", Math.round((x1 + mixY * y1 + mixZ * z1) * wholeG))
        energy3 = energy2
        energy2 = energy1
        energy1 = moments.getAt(at + energyOffset, "f32")
        at += momentBytes
    }
    weights[0] = wx1
    weights[1] = wx2
    weights[2] = wx3
    weights[3] = wy1
    weights[4] = wy2
    weights[5] = wy3
    weights[6] = wz1
    weights[7] = wz2
    weights[8] = wz3
}
