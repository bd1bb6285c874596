import { yieldToMainLoop } from "../platform/sleep"
import { likeness, subtracted, subtractMotion } from "./motion"

/*
 * Tracks the heart rate: a hidden Markov model whose states are rates and whose observation is the spectrum of the
 * autocorrelation, together with its shortest strong period, which distinguishes a rate from its half.
 *
 * Starts when it is imported; `heartrate.ts` passes on each window, resets it, and reads the result.
 */

/** Heart rates from 30 to 240 bpm in steps of 3. */
const firstBin = 10
const bins = 71
const binBpm = 3
/** Values by bin are f32, because arrays of numbers take twice the memory. Positions are in bytes. */
const binBytes = 4
/**
 * Every second bin is transformed. Those between these two are the mirror image of faster ones about 187.5 bpm; the sum
 * of both numbers.
 */
const lastSlow = 34
const firstFast = 52
const mirrored = 105
/** 2 cos of the angle that 6 bpm turn in one sample at 12.5 Hz, 2π · 0.1 / 12.5; those of 24, 30, 180 and 186 bpm. */
const turnStep = 1.997473913212035
const turn24 = 1.9597101047684937
const turn30 = 1.9371663222572622
const turn180 = 0.12558103905862705
const turn186 = 0.02513207976670555
/** Of cosines that are whole numbers. */
const unitBits = 11
const unit = 1 << unitBits
/** Share of transitions from any rate to any other, to recover from errors. */
const leak = 0.005
/**
 * A heart rate changes by at most 9 bpm in 2 s: transition weights of 0, 1, 2 and 3 bins to either side, which are 0.32,
 * 0.2, 0.1 and 0.04 of what does not leak.
 */
const stay = 0.3168
const move1 = 0.198
const move2 = 0.099
const move3 = 0.0396
const reach = 3
/** No bin is ruled out by one window. */
const floor = 0.02
/** Distance from the shortest period within which a bin gains weight. */
const peakReach = 3
/** That weight, relative to the strongest rate of the spectrum: a second harmonic may be stronger than the pulse. */
const peakWeight = 2
/** During strong movement the shortest period may be a residue of the steps, so it counts this much less. */
const effortPeak = 0.75
/** During strong movement rates below that at rest are increasingly unlikely, down to this share so many bins below it. */
const effortSlow = 0.04
const slowRange = 5
const tiny = 1e-9

/** The most probable rate in bpm. */
export let trackedBpm: number
/** The same, interpolated as the mean of five bins; smoother than one window's period. */
export let meanBpm: number
/** Its probability, including two bins on either side. */
export let trackedMass: number
/** Its power in the spectrum relative to the strongest rate; small for the half of a rate. */
export let trackedShare: number
/** Probabilities by bin, with `reach` zeros on both sides, times `total`. */
let probability = Buffer.alloc((bins + 2 * reach) * binBytes)
let total: number
let next = Buffer.alloc((bins + 2 * reach) * binBytes)
/** Of the maximum in `next`. */
let best: number
const spectrum = Buffer.alloc(bins * binBytes)
/** The maximum of the bins transformed so far. */
let strongest = 0

resetTracker()

export function resetTracker(): void {
    for (let i = reach; i < reach + bins; i++) probability.setAt(binBytes * i, "f32", 1 / bins)
    total = 1
    trackedBpm = meanBpm = trackedMass = trackedShare = 0
}

/**
 * One step of 2 s. Yields between slices.
 * @param tapered autocorrelation by lag at 12.5 Hz, whole: 4,100 less 100 a lag times a correlation
 * @param peakBpm rate of its shortest strong period, 0 without one
 * @param peak its height, 0 to 1
 * @param effort intensity of movement, 0 to 1
 * @param rest rate at rest in bpm
 */
export async function track(
    tapered: number[],
    peakBpm: number,
    peak: number,
    effort: number,
    rest: number,
): Promise<void> {
    transform(tapered, true)
    await yieldToMainLoop()
    transform(tapered, false)
    await yieldToMainLoop()
    if (effort > 0) {
        strongest = subtractMotion(spectrum, binBpm * firstBin, binBpm)
        if (peakBpm > 0) peak *= 1 - likeness(peakBpm) * subtracted
        await yieldToMainLoop()
    }
    let sum = weigh(strongest, peakBpm, peak, effort)
    if (effort > 0) {
        await yieldToMainLoop()
        sum -= discourage(effort, rest / binBpm - firstBin)
    }
    choose(strongest, sum)
}

/**
 * Advances the probabilities by 2 s and weights them with the spectrum, whose maximum is `max`.
 * @returns the sum of the weights
 */
export function weigh(max: number, peakBpm: number, peak: number, effort: number): number {
    const scale = 1 / (max + tiny)
    const p = probability
    const peakAt = (peakBpm / binBpm - firstBin) * binBytes
    const background = leak / bins
    const peakShare = peakWeight * peak * (1 - effortPeak * effort)
    let low = peakAt - peakReach * binBytes
    const high = peakAt + peakReach * binBytes
    const stays = stay / total
    const moves1 = move1 / total
    const moves2 = move2 / total
    const moves3 = move3 / total
    let most = 0
    let sum = 0
    best = reach * binBytes
    // p3 is the probability of the bin; those of its neighbours are on either side.
    let p0 = p.getAt(0, "f32")
    let p1 = p.getAt(binBytes, "f32")
    let p2 = p.getAt(2 * binBytes, "f32")
    let p3 = p.getAt(3 * binBytes, "f32")
    let p4 = p.getAt(4 * binBytes, "f32")
    let p5 = p.getAt(5 * binBytes, "f32")
    for (let at = 0; at < bins * binBytes; at += binBytes) {
        const p6 = p.getAt(at + 2 * reach * binBytes, "f32")
        const prior = stays * p3 + moves1 * (p2 + p4) + moves2 * (p1 + p5) + moves3 * (p0 + p6)
        p0 = p1
        p1 = p2
        p2 = p3
        p3 = p4
        p4 = p5
        p5 = p6
        const s = spectrum.getAt(at, "f32") * scale
        let likelihood = s * s + floor
        if (at > low) {
            if (at < high) likelihood += peakShare * (1 - Math.abs(at - peakAt) / (peakReach * binBytes))
            else low = bins * binBytes
        }
        const value = (prior + background) * likelihood
        next.setAt(at + reach * binBytes, "f32", value)
        sum += value
        if (value > most) {
            most = value
            best = at + reach * binBytes
        }
    }
    return sum
}

/**
 * Makes slow rates less likely.
 * @param slow number of the first bin that is not slow
 * @returns the reduction of the sum of weights
 */
export function discourage(effort: number, slow: number): number {
    const share = (effort * (1 - effortSlow)) / slowRange
    let removed = 0
    let at = reach * binBytes
    for (let i = 0; i < slow; i++) {
        const value = next.getAt(at, "f32")
        const less = value * share * Math.min(slow - i, slowRange)
        removed += less
        next.setAt(at, "f32", value - less)
        at += binBytes
    }
    // A faster maximum remains the maximum.
    if (best >= at) return removed
    let most = 0
    for (at = reach * binBytes; at < (reach + bins) * binBytes; at += binBytes) {
        const value = next.getAt(at, "f32")
        if (value > most) {
            most = value
            best = at
        }
    }
    return removed
}

/** Fills the bins from `from` to before `to` that are not transformed, every second one. */
function interpolate(from: number, to: number): void {
    const end = to * binBytes
    for (let at = from * binBytes; at < end; at += 2 * binBytes)
        spectrum.setAt(at, "f32", (spectrum.getAt(at - binBytes, "f32") + spectrum.getAt(at + binBytes, "f32")) / 2)
}

/** Takes the most probable rate, and the weights as probabilities of the next step. */
export function choose(max: number, sum: number): void {
    trackedBpm = binBpm * (firstBin + best / binBytes - reach)
    trackedShare = spectrum.getAt(best - reach * binBytes, "f32") / (max + tiny)
    const lower2 = next.getAt(best - 2 * binBytes, "f32")
    const lower1 = next.getAt(best - binBytes, "f32")
    const higher1 = next.getAt(best + binBytes, "f32")
    const higher2 = next.getAt(best + 2 * binBytes, "f32")
    const mass = lower2 + lower1 + next.getAt(best, "f32") + higher1 + higher2
    trackedMass = mass / sum
    meanBpm = trackedBpm + (binBpm * (2 * (higher2 - lower2) + higher1 - lower1)) / mass
    const p = probability
    probability = next
    next = p
    total = sum
}

/**
 * The spectrum, as cosine transform of the tapered autocorrelation: first the slow bins, then the others. Clenshaw's
 * recurrence needs one multiplication per lag and no table. All lags are in variables and there is no inner loop, because
 * fetching factors and counting take most of the interpreter's time. 3.2 s resolve 19 bpm, so every second bin suffices;
 * those in between are means. At 12.5 Hz, rates with the sum 375 bpm share their cosines but for signs, so the fast ones
 * give those from 135 bpm on as well.
 *
 * Values are whole numbers, with which the interpreter is twice as fast: the autocorrelation times 4100, cosines times
 * `unit`. No product needs more than 31 bits, because no partial sum exceeds 70 times the largest value.
 */
export function transform(c: number[], isSlow: boolean): void {
    const t1 = c[1]
    const t2 = c[2]
    const t3 = c[3]
    const t4 = c[4]
    const t5 = c[5]
    const t6 = c[6]
    const t7 = c[7]
    const t8 = c[8]
    const t9 = c[9]
    const t10 = c[10]
    const t11 = c[11]
    const t12 = c[12]
    const t13 = c[13]
    const t14 = c[14]
    const t15 = c[15]
    const t16 = c[16]
    const t17 = c[17]
    const t18 = c[18]
    const t19 = c[19]
    const t20 = c[20]
    const t21 = c[21]
    const t22 = c[22]
    const t23 = c[23]
    const t24 = c[24]
    const t25 = c[25]
    const t26 = c[26]
    const t27 = c[27]
    const t28 = c[28]
    const t29 = c[29]
    const t30 = c[30]
    const t31 = c[31]
    const t32 = c[32]
    const t33 = c[33]
    const t34 = c[34]
    const t35 = c[35]
    const t36 = c[36]
    const t37 = c[37]
    const t38 = c[38]
    const t39 = c[39]
    const t40 = c[40]
    let turn = turn186
    let before = turn180
    if (isSlow) {
        strongest = 0
        turn = turn30
        before = turn24
    }
    const to = isSlow ? lastSlow + 1 : bins
    for (let i = isSlow ? 0 : firstFast; i < to; i += 2) {
        // The even lags and the odd ones apart, each with twice the angle.
        const turn2 = Math.round(unit * (turn * turn - 2))
        let e1 = 0
        let e2 = 0
        let o1 = 0
        let o2 = 0
        e2 = t40 + ((turn2 * e1) >> unitBits) - e2
        e1 = t38 + ((turn2 * e2) >> unitBits) - e1
        e2 = t36 + ((turn2 * e1) >> unitBits) - e2
        e1 = t34 + ((turn2 * e2) >> unitBits) - e1
        e2 = t32 + ((turn2 * e1) >> unitBits) - e2
        e1 = t30 + ((turn2 * e2) >> unitBits) - e1
        e2 = t28 + ((turn2 * e1) >> unitBits) - e2
        e1 = t26 + ((turn2 * e2) >> unitBits) - e1
        e2 = t24 + ((turn2 * e1) >> unitBits) - e2
        e1 = t22 + ((turn2 * e2) >> unitBits) - e1
        e2 = t20 + ((turn2 * e1) >> unitBits) - e2
        e1 = t18 + ((turn2 * e2) >> unitBits) - e1
        e2 = t16 + ((turn2 * e1) >> unitBits) - e2
        e1 = t14 + ((turn2 * e2) >> unitBits) - e1
        e2 = t12 + ((turn2 * e1) >> unitBits) - e2
        e1 = t10 + ((turn2 * e2) >> unitBits) - e1
        e2 = t8 + ((turn2 * e1) >> unitBits) - e2
        e1 = t6 + ((turn2 * e2) >> unitBits) - e1
        e2 = t4 + ((turn2 * e1) >> unitBits) - e2
        e1 = t2 + ((turn2 * e2) >> unitBits) - e1
        o2 = t39 + ((turn2 * o1) >> unitBits) - o2
        o1 = t37 + ((turn2 * o2) >> unitBits) - o1
        o2 = t35 + ((turn2 * o1) >> unitBits) - o2
        o1 = t33 + ((turn2 * o2) >> unitBits) - o1
        o2 = t31 + ((turn2 * o1) >> unitBits) - o2
        o1 = t29 + ((turn2 * o2) >> unitBits) - o1
        o2 = t27 + ((turn2 * o1) >> unitBits) - o2
        o1 = t25 + ((turn2 * o2) >> unitBits) - o1
        o2 = t23 + ((turn2 * o1) >> unitBits) - o2
        o1 = t21 + ((turn2 * o2) >> unitBits) - o1
        o2 = t19 + ((turn2 * o1) >> unitBits) - o2
        o1 = t17 + ((turn2 * o2) >> unitBits) - o1
        o2 = t15 + ((turn2 * o1) >> unitBits) - o2
        o1 = t13 + ((turn2 * o2) >> unitBits) - o1
        o2 = t11 + ((turn2 * o1) >> unitBits) - o2
        o1 = t9 + ((turn2 * o2) >> unitBits) - o1
        o2 = t7 + ((turn2 * o1) >> unitBits) - o2
        o1 = t5 + ((turn2 * o2) >> unitBits) - o1
        o2 = t3 + ((turn2 * o1) >> unitBits) - o2
        o1 = t1 + ((turn2 * o2) >> unitBits) - o1
        const even = 2050 + ((turn2 * e1) >> (unitBits + 1)) - e2
        const odd = Math.round((turn / 2) * (o1 - o2))
        const power = Math.max(0, even + odd)
        spectrum.setAt(binBytes * i, "f32", power)
        if (power > strongest) strongest = power
        if (!isSlow) {
            // The cosines of 375 bpm less this rate: those of the odd lags have the other sign.
            const other = Math.max(0, even - odd)
            spectrum.setAt(binBytes * (mirrored - i), "f32", other)
            if (other > strongest) strongest = other
        }
        const after = turnStep * turn - before
        before = turn
        turn = after
    }
    if (isSlow) return
    interpolate(1, lastSlow)
    interpolate(lastSlow + 2, firstFast)
    interpolate(firstFast + 3, bins)
}
