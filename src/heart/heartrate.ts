import { sleep } from "@devicescript/core"
import { Autocorrelation } from "./autocorrelation"
import { Beats } from "./beats"
import { Motion } from "./motion"
import { isSwing, nextButOne, peakNear, periodBpm, preciseBpm, shortestPeriod } from "./period"
import { hopSamples, Pulse } from "./pulse"
import { Tracker } from "./tracker"
import { Signs, Trust } from "./trust"

/** A pulse has most of its power in its band, unless it is very fast. */
const minPurity = 0.08
/** A rate that has less than this share of the strongest one's power is likely its half or its double. */
const fullShare = 0.6
/** A rate at which the wearer moves, too, is believed less, and not at all from this likeness on. */
const sameRate = 0.75
/** One beat more in 8 s is 7.5 bpm: so close, period and count mean the same beats… */
const sameBeats = 5.5
/** …two more, and it was something else that was counted. */
const otherBeats = 11
/** Where there is no steady period, the count tells the mean rate better. */
const countShare = 0.67

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
    /** An accelerometer feels the wearer move; the rate may be known all the same. */
    isMoving = false

    private pulse = new Pulse()
    /** Samples of the burst that come after the window. */
    private ahead = 0
    private acceleration = new Motion()
    private correlation = new Autocorrelation()
    private tracker = new Tracker()
    private beats = new Beats()
    private signs = new Signs()
    private trust = new Trust()

    /** The signal has a gap, or there is none: starts anew. */
    reset(): void {
        this.pulse.reset()
        this.acceleration.skip()
        this.correlation.reset()
        this.tracker.reset()
        this.beats.reset()
        this.trust.reset()
        this.bpm = undefined
        this.quality = 0
        this.motion = false
    }

    /**
     * Takes what an accelerometer felt in the moments whose light comes next.
     * @param fifo x, y and z of each sample, s16 little-endian, countsPerG to 1 g
     * @param count −1 after a gap
     */
    pushAcceleration(fifo: Buffer, count: number): void {
        if (count < 0 && this.acceleration.isMoving) this.trust.assumeMotion()
        this.acceleration.push(fifo, count)
    }

    /**
     * Takes samples of a FIFO burst from number `from` on, at most to the end of the window.
     * @returns how many it took
     */
    push(fifo: Buffer, from: number, count: number): number {
        const taken = this.pulse.push(fifo, from, count)
        this.ahead = count - from - taken
        return taken
    }

    /** Whether the window of 2 s is complete and `estimate` is due. */
    isComplete(): boolean {
        return this.pulse.filled === hopSamples
    }

    /** Works the window in and begins the next. */
    async estimate(): Promise<void> {
        const { pulse, correlation, tracker } = this
        if (pulse.saturations) return this.reset()
        this.acceleration.remove(pulse.values, this.ahead)
        await sleep(0)
        await correlation.add(pulse.values)
        await sleep(0)
        const values = correlation.values
        const shortest = shortestPeriod(values)
        const peakBpm = shortest ? periodBpm(values, shortest) : 0
        await tracker.step(
            values,
            peakBpm,
            shortest ? values[shortest] : 0,
            this.acceleration.effort,
        )
        await sleep(0)
        this.judge()
        pulse.next()
        this.acceleration.next()
    }

    /** Decides whether there is a value. */
    private judge(): void {
        const { pulse, acceleration, correlation, tracker, signs, trust } = this
        const values = correlation.values
        const lag = peakNear(values, tracker.bpm)
        const isPulse = lag && pulse.purity >= minPurity && isSwing(values, lag)
        const share = Math.min(1, tracker.share / fullShare)
        const own = 1 - Math.min(1, acceleration.likeness(tracker.bpm) / sameRate)
        const quality = isPulse ? tracker.mass * values[lag] * share * own : 0
        let bpm = isPulse ? preciseBpm(values, lag) : 0
        this.quality = Math.max(0, Math.min(1, quality))
        signs.tracked = tracker.bpm
        signs.quality = this.quality
        signs.level = Math.sqrt(correlation.meanPower) / pulse.mean
        signs.newest = Math.sqrt(correlation.power) / pulse.mean
        signs.spread = correlation.spread
        signs.steepness = pulse.steepness
        signs.regularity = isPulse ? nextButOne(values, lag) : 0
        const slope = Math.sqrt(2 * correlation.meanPower * Math.max(0, 1 - values[2]))
        const counted = this.beats.add(pulse.values, slope, bpm > 0 ? bpm : tracker.bpm)
        const miss = Math.abs(counted - bpm)
        signs.isCounted = miss <= sameBeats || miss > otherBeats
        this.isMoving = acceleration.isMoving
        if (this.isMoving) {
            // One window's period is as good as its quality.
            bpm = tracker.meanBpm + this.quality * (isPulse ? bpm - tracker.meanBpm : 0)
            signs.bpm = bpm
            trust.nextMoving(signs)
        } else {
            signs.bpm = bpm
            trust.next(signs)
            if (!trust.isRegular && miss <= sameBeats) bpm += countShare * (counted - bpm)
        }
        this.motion = trust.motion
        this.bpm = trust.trusted ? bpm : undefined
    }
}
