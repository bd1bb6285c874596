import { Autocorrelation } from "./heart/autocorrelation"
import { peakNear, periodBpm, preciseBpm, shortestPeriod } from "./heart/period"
import { hopSamples, Pulse } from "./heart/pulse"
import { Tracker } from "./heart/tracker"

/** Below this quality there is no value: noise does not reach it. */
const minQuality = 0.5
/** Infrared counts that only skin returns; cover glass and a room return far fewer. */
const minSkinCounts = 20000
/** Pulse (root mean square) over steady level: less is the converter's noise, more is not a pulse. */
const minPerfusion = 0.00005
const maxPerfusion = 0.05

/**
 * The heart rate from the optical signal: every 2 s a value and how good it is, from the last 8 s. The work is done in
 * slices of some thousand steps of the interpreter, and nothing is allocated after the start.
 *
 *     const heart = new HeartRate()
 *     heart.push(fifo, 0, count) // until it says that a window is complete
 *     await heart.estimate()
 */
export class HeartRate {
    /** Beats per minute, 30 to 240; absent when not trusted. */
    bpm: number | undefined
    /** 0…1 */
    quality = 0
    /** Something shakes the sensor harder than a heart can. */
    motion = false
    /** Whether there is skin in front of the sensor. */
    contact = false

    private pulse = new Pulse()
    private correlation = new Autocorrelation()
    private tracker = new Tracker()

    /** The signal has a gap: starts anew. */
    reset(): void {
        this.pulse.reset()
        this.clear()
    }

    /**
     * Takes samples of a FIFO burst from number `from` on, at most to the end of the window.
     * @returns how many it took
     */
    push(fifo: Buffer, from: number, count: number): number {
        return this.pulse.push(fifo, from, count)
    }

    /** Whether the window of 2 s is complete and `estimate` is due. */
    isComplete(): boolean {
        return this.pulse.filled === hopSamples
    }

    /** Works the window in and begins the next. */
    async estimate(): Promise<void> {
        const { pulse, correlation, tracker } = this
        this.contact = pulse.mean >= minSkinCounts
        if (!this.contact || pulse.saturations) {
            this.reset()
            return
        }
        await correlation.add(pulse.values)
        pulse.next()
        const values = correlation.values
        const shortest = shortestPeriod(values)
        const peakBpm = shortest ? periodBpm(values, shortest) : 0
        await tracker.step(values, peakBpm, shortest ? values[shortest] : 0)
        this.judge()
    }

    /** Decides whether there is a value. */
    private judge(): void {
        const { pulse, correlation, tracker } = this
        const values = correlation.values
        const lag = peakNear(values, tracker.bpm)
        const quality = lag ? tracker.mass * values[lag] : 0
        this.quality = Math.max(0, Math.min(1, quality))
        const perfusion = Math.sqrt(correlation.power) / pulse.mean
        this.motion = perfusion > maxPerfusion
        const trusted =
            correlation.isFull() &&
            this.quality >= minQuality &&
            perfusion >= minPerfusion &&
            !this.motion
        this.bpm = trusted ? preciseBpm(values, lag) : undefined
    }

    private clear(): void {
        this.correlation.reset()
        this.tracker.reset()
        this.bpm = undefined
        this.quality = 0
        this.motion = false
    }
}
