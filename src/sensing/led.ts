import { fullScaleCounts, stepsPerMilliamp } from "../drivers/max30102"

/*
 * The two LEDs, and the currents that keep the steady level of their light in a good part of the converter's range.
 *
 * Starts when it is imported; `optical.ts` passes on each burst and reads the currents.
 */

/** 7 mA, which suits most skin. */
const usualSteps = 35
const fullScaleNa = 4096
const naStepsPerCount = (fullScaleNa / (fullScaleCounts + 1)) * stepsPerMilliamp

/** The steady level may be anywhere in this band; an adjustment brings it to the middle. */
const lowCounts = 0.3 * fullScaleCounts
const highCounts = 0.8 * fullScaleCounts
const middleCounts = 0.58 * fullScaleCounts
/** Bursts outside the band before an adjustment: movement is temporary. */
const patience = 4
/** From this count on the converter is practically saturated. */
const saturatedCounts = fullScaleCounts - 0xff

/** Photocurrent over LED current in nA per mA, which identifies what is in front of the sensor. */
export function reflectance(counts: number, steps: number): number {
    return (counts * naStepsPerCount) / steps
}

/** An LED is identified by the index in `leds` at which its state begins. */
export const red = 0
export const infrared = 5
/** Its current in steps of 0.2 mA. */
const stepsOffset = 0
/** Mean, minimum and maximum of the newest burst. */
const countsOffset = 1
const leastOffset = 2
const mostOffset = 3
/** Bursts since the level was in the band. */
const outsideOffset = 4

const leds = [usualSteps, 0, 0, 0, 0, usualSteps, 0, 0, 0, 0]

/** The current of an LED in steps of 0.2 mA. */
export function stepsOf(led: number): number {
    return leds[led + stepsOffset]
}

/** Mean counts of the newest burst. */
export function countsOf(led: number): number {
    return leds[led + countsOffset]
}

/** Limits the current of an LED from now on. */
export function limit(led: number, maxSteps: number): void {
    leds[led + stepsOffset] = Math.min(stepsOf(led), maxSteps)
}

/** Takes a burst: mean, minimum and maximum counts. */
export function take(led: number, mean: number, min: number, max: number): void {
    leds[led + countsOffset] = mean
    leds[led + leastOffset] = min
    leds[led + mostOffset] = max
}

/** Reflectance of the darkest sample: skin reflects in every sample, the remains of a flickering lamp do not. */
export function reflectanceOf(led: number): number {
    return reflectance(leds[led + leastOffset], stepsOf(led))
}

/**
 * Evaluates the newest burst.
 * @param maxSteps maximum current
 * @returns whether the current must be changed, to the new `stepsOf`
 */
export function adjust(led: number, maxSteps: number): boolean {
    const counts = countsOf(led)
    const steps = stepsOf(led)
    const isSaturated = leds[led + mostOffset] >= saturatedCounts
    const isInBand = counts >= lowCounts && counts <= highCounts
    let wanted = steps
    if (isSaturated) wanted = steps >> 1
    else if (!isInBand) wanted = Math.round((steps * middleCounts) / Math.max(1, counts))
    else if (steps <= maxSteps) {
        leds[led + outsideOffset] = 0
        return false
    }
    wanted = Math.max(1, Math.min(maxSteps, wanted))
    const outside = wanted === steps ? 0 : leds[led + outsideOffset] + 1
    const changes = outside >= patience || (outside > 0 && isSaturated)
    leds[led + outsideOffset] = changes ? 0 : outside
    if (changes) leds[led + stepsOffset] = wanted
    return changes
}
