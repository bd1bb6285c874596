import { fullScaleCounts, stepsPerMilliamp } from "./drivers/max30102"

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

/** One LED, and the current that holds the steady level of its light in a good part of the converter's range. */
export class Led {
    /** Its current, 0.2 mA each. */
    steps = usualSteps
    /** Mean of the newest burst. */
    counts = 0
    private least = 0
    private isSaturated = false
    /** Bursts since the level was in the band. */
    private outside = 0

    /** Takes a burst: its mean, its lowest and its highest counts. */
    take(mean: number, min: number, max: number): void {
        this.counts = mean
        this.least = min
        this.isSaturated = max >= saturatedCounts
    }

    /** Of the darkest sample: skin shines all the time, what a flickering lamp leaves does not. */
    reflectance(): number {
        return reflectance(this.least, this.steps)
    }

    /**
     * Judges the newest burst.
     * @param maxSteps the most that the LED may get
     * @returns whether the current should change, to `steps` as they are now
     */
    adjust(maxSteps: number): boolean {
        const { counts, steps } = this
        let wanted = steps
        if (this.isSaturated) wanted = steps >> 1
        else if (counts < lowCounts || counts > highCounts)
            wanted = Math.round((steps * middleCounts) / Math.max(1, counts))
        wanted = Math.max(1, Math.min(maxSteps, wanted))
        this.outside = wanted === steps ? 0 : this.outside + 1
        if (this.outside === 0 || (this.outside < patience && !this.isSaturated)) return false
        this.outside = 0
        this.steps = wanted
        return true
    }
}
