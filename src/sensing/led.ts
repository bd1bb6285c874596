import { fullScaleCounts, stepsPerMilliamp } from "../drivers/max30102"

/*
 * The two LEDs, and the currents that hold the steady level of their light in a good part of the converter's range.
 *
 * Starts when it is imported; `optical.ts` gives it each burst and reads the currents.
 */

/** 7 mA: right for most skin. */
const usualSteps = 35
const fullScaleNa = 4096
const naStepsPerCount = (fullScaleNa / (fullScaleCounts + 1)) * stepsPerMilliamp

/** The steady level may go anywhere between these; a change brings it to the middle. */
const lowCounts = 0.3 * fullScaleCounts
const highCounts = 0.8 * fullScaleCounts
const middleCounts = 0.58 * fullScaleCounts
/** Bursts for which the level must be outside: what moves comes back by itself. */
const patience = 4
/** Counts at and above which the converter is as good as saturated. */
const saturatedCounts = fullScaleCounts - 0xff

/** Photocurrent over LED current, in nA per mA: says what is in front of the sensor. */
export function reflectance(counts: number, steps: number): number {
    return (counts * naStepsPerCount) / steps
}

/** Names a LED: where what is known of it begins in `leds`. */
export const red = 0
export const infrared = 5
/** Its current, 0.2 mA each. */
const stepsOffset = 0
/** Mean, least and most of the newest burst. */
const countsOffset = 1
const leastOffset = 2
const mostOffset = 3
/** Bursts since the level was in the band. */
const outsideOffset = 4

const leds = [usualSteps, 0, 0, 0, 0, usualSteps, 0, 0, 0, 0]

/** A LED's current, 0.2 mA each. */
export function stepsOf(led: number): number {
    return leds[led + stepsOffset]
}

/** Mean of the newest burst. */
export function countsOf(led: number): number {
    return leds[led + countsOffset]
}

/** From now on the LED gets so much at most. */
export function limit(led: number, maxSteps: number): void {
    leds[led + stepsOffset] = Math.min(stepsOf(led), maxSteps)
}

/** Takes a burst: its mean, its lowest and its highest counts. */
export function take(led: number, mean: number, min: number, max: number): void {
    leds[led + countsOffset] = mean
    leds[led + leastOffset] = min
    leds[led + mostOffset] = max
}

/** Of the darkest sample: skin shines all the time, what a flickering lamp leaves does not. */
export function reflectanceOf(led: number): number {
    return reflectance(leds[led + leastOffset], stepsOf(led))
}

/**
 * Judges the newest burst.
 * @param maxSteps the most that the LED may get
 * @returns whether the current should change, to `stepsOf` as it is now
 */
export function adjust(led: number, maxSteps: number): boolean {
    const counts = countsOf(led)
    const steps = stepsOf(led)
    const isSaturated = leds[led + mostOffset] >= saturatedCounts
    let wanted = steps
    if (isSaturated) wanted = steps >> 1
    else if (counts < lowCounts || counts > highCounts)
        wanted = Math.round((steps * middleCounts) / Math.max(1, counts))
    wanted = Math.max(1, Math.min(maxSteps, wanted))
    const outside = wanted === steps ? 0 : leds[led + outsideOffset] + 1
    const changes = outside >= patience || (outside > 0 && isSaturated)
    leds[led + outsideOffset] = changes ? 0 : outside
    if (changes) leds[led + stepsOffset] = wanted
    return changes
}
