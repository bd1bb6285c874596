import { Reading } from "../reading"
import { Summaries } from "./summaries"
import { zeros } from "../zeros"

/** Ticks of the times that go out: 1/16 s. */
export const tickMs = 62.5

/*
 * A reading in the queue is six bytes of bit fields; what is absent is 0. First u16: ticks since the reading before; signal
 * quality in 1/64, plus 1; motion. Then i32: heart rate in 1/16 beat/min; temperature in 1/32 °C from -64 °C; oxygen
 * saturation in percent. Six bytes without a quality are a pause, of so many ticks as the i32 says.
 */
export const entryBytes = 6
const stepMask = 0xff
export const qualityShift = 8
export const qualityMask = 0x7f
export const qualityBias = 1
export const qualityBits = 6
export const motionShift = 15
export const motionMask = 1
/** In the i32. */
export const bpmShift = 0
export const bpmMask = 0x1fff
export const bpmBits = 4
export const tempShift = 13
export const tempMask = 0xfff
export const tempBias = 2048
export const tempBits = 5
export const spo2Shift = 25
export const spo2Mask = 0x7f
const maxSpo2 = 100

/** Readings that become one summary: 30 s of them at the default rate… */
export const groupReadings = 15
/** …fewer where there is a pause, but so many at least that it saves room… */
const leastReadings = 6
/** …unless the pause makes it so long, an hour. */
const maxGroupTicks = 57600

/**
 * Readings that wait to be sealed, oldest first. Where there is no room any more the oldest become summaries, and summaries
 * longer ones; only what is too long already is dropped, and `lost` counts the readings.
 */
export class ReadingQueue {
    /** Readings that wait; a summary counts for all that it stands for. */
    length = 0
    /** Readings that had to make room since `lost` was last set to 0. */
    lost = 0
    /** Of what came before the readings in the ring. */
    readonly summaries: Summaries
    /** What `take` took: time in ticks of `millis()`, and the two words of each reading. */
    readonly times: number[]
    readonly firsts: number[]
    readonly seconds: number[]

    /** The entry after the last is the first. */
    private ring: Buffer
    private head = 0
    private used = 0
    /** Times that the first and the next entry are counted from. */
    private startTicks = 0
    private endTicks = 0

    /** @param batch the most readings that `take` takes, at least `groupReadings` */
    constructor(readings: number, summaries: number, batch: number) {
        this.ring = Buffer.alloc(readings * entryBytes)
        this.summaries = new Summaries(summaries)
        this.times = zeros(batch)
        this.firsts = zeros(batch)
        this.seconds = zeros(batch)
    }

    push(reading: Reading): void {
        const ticks = Math.round(reading.atMs / tickMs)
        if (this.used === 0) this.startTicks = this.endTicks = ticks
        let step = ticks - this.endTicks
        this.endTicks = ticks
        if (step !== (step & stepMask)) {
            this.append(0, step)
            step = 0
        }
        const quality = Math.max(0, Math.min(reading.quality, 1)) * (1 << qualityBits)
        let first = step | ((Math.round(quality) + qualityBias) << qualityShift)
        let second = fixed(reading.tempC, tempBits, tempBias, tempMask) << tempShift
        if (reading.motion) first |= motionMask << motionShift
        else {
            second |= fixedBpm(reading.bpm)
            if (reading.spo2 !== undefined)
                second |= fixed(reading.spo2, 0, 0, maxSpo2) << spo2Shift
        }
        this.append(first, second)
        this.length++
    }

    /** Time of the oldest in ticks of `millis()`; there must be one. */
    firstTicks(): number {
        const { head, ring, summaries } = this
        if (summaries.length > 0) return summaries.firstTicks()
        const first = ring.getAt(head, "u16")
        return this.startTicks + (first === 0 ? ring.getAt(head + 2, "i32") : first & stepMask)
    }

    /** Forgets everything; `lost` counts it. */
    clear(): void {
        this.lost += this.length
        this.length = this.used = this.summaries.length = 0
    }

    /**
     * Takes the oldest readings of the ring out of it, into `times`, `firsts` and `seconds`.
     * @returns their number, at most `max`
     */
    take(max: number): number {
        const count = this.move(max, false)
        this.length -= count
        return count
    }

    /** Forgets the oldest summaries, which are in an envelope now. */
    dropSummaries(count: number): void {
        for (let i = 0; i < count; i++) this.length -= this.summaries.drop()
    }

    private append(first: number, second: number): void {
        const { ring } = this
        if (this.used * entryBytes === ring.length) this.thin()
        const at = (this.head + this.used * entryBytes) % ring.length
        ring.setAt(at, "u16", first)
        ring.setAt(at + 2, "i32", second)
        this.used++
    }

    /** Makes room for an entry or more. */
    private thin(): void {
        const { summaries } = this
        const dropped = summaries.makeRoom()
        this.lost += dropped
        this.length -= dropped
        summaries.add(this.move(groupReadings, true), this.times, this.seconds)
    }

    /** @param isGroup whether to end where a summary should */
    private move(max: number, isGroup: boolean): number {
        const { firsts, ring, seconds, times } = this
        let { head, startTicks, used } = this
        let count = 0
        while (count < max && used > 0) {
            const first = ring.getAt(head, "u16")
            const second = ring.getAt(head + 2, "i32")
            if (first === 0) {
                const isEnd =
                    count >= leastReadings ||
                    (count > 0 && (second < 0 || startTicks + second - times[0] > maxGroupTicks))
                if (isGroup && isEnd) break
                startTicks += second
            } else {
                startTicks += first & stepMask
                times[count] = startTicks
                firsts[count] = first
                seconds[count] = second
                count++
            }
            used--
            head += entryBytes
            if (head === ring.length) head = 0
        }
        this.head = head
        this.startTicks = startTicks
        this.used = used
        return count
    }
}

/** In 1/16, but no finer than binary16 is: 1/8 from 128 on, 1/4 from 256 on. */
function fixedBpm(bpm: number | undefined): number {
    const scaled = fixed(bpm, bpmBits, 0, bpmMask)
    if (scaled < 2048) return scaled
    const step = scaled < 4096 ? 2 : 4
    return Math.round(scaled / step) * step
}

/** `value` in units of 2^-`bits`, counted from `-bias`; 0 where it is no number or above `max`. */
function fixed(value: number | undefined, bits: number, bias: number, max: number): number {
    if (value === undefined || value === null) return 0
    const scaled = Math.round(value * (1 << bits)) + bias
    return scaled > 0 && scaled <= max ? scaled : 0
}
