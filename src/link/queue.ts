import { Reading } from "../reading"

/** Ticks of the times that go out: 1/16 s. */
export const tickMs = 62.5

/*
 * One reading in the queue is two words, i32, of bit fields; what is absent is 0. The first: time in ticks of `millis()`,
 * modulo 2^24 (12 days); signal quality in 1/64, plus 1; motion. The second: heart rate in 1/16 beat/min; temperature in
 * 1/32 °C from -64 °C; oxygen saturation in percent.
 */
export const readingBytes = 8
export const timeMask = 0xffffff
export const qualityShift = 24
export const qualityMask = 0x7f
export const qualityBias = 1
export const qualityBits = 6
export const motionShift = 31
export const motionMask = 1
/** In the second word. */
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

/**
 * Readings that wait to be sealed, oldest first, in one buffer. When it is full the oldest makes room, and `lost`
 * counts it.
 */
export class ReadingQueue {
    length = 0
    /** Readings that had to make room since `lost` was last set to 0. */
    lost = 0
    /** Entries of `readingBytes` each; the one after the last is the first. */
    readonly ring: Buffer
    private head = 0
    /** Time of the newest, which tells what the times of the others are modulo. */
    private newestTicks = 0

    constructor(capacity: number) {
        this.ring = Buffer.alloc(capacity * readingBytes)
    }

    push(reading: Reading): void {
        const ring = this.ring
        if (this.length * readingBytes === ring.length) {
            this.drop(1)
            this.lost++
        }
        const at = this.offset(this.length)
        const ticks = Math.round(reading.atMs / tickMs)
        this.newestTicks = ticks
        const quality = Math.max(0, Math.min(reading.quality, 1)) * (1 << qualityBits)
        let first = (ticks & timeMask) | ((Math.round(quality) + qualityBias) << qualityShift)
        let second = fixed(reading.tempC, tempBits, tempBias, tempMask) << tempShift
        if (reading.motion) first |= motionMask << motionShift
        else {
            second |= fixedBpm(reading.bpm)
            if (reading.spo2 !== undefined)
                second |= fixed(reading.spo2, 0, 0, maxSpo2) << spo2Shift
        }
        ring.setAt(at, "i32", first)
        ring.setAt(at + 4, "i32", second)
        this.length++
    }

    /** Forgets the oldest `count`. */
    drop(count: number): void {
        this.head = this.offset(count)
        this.length -= count
    }

    /** Where in the ring reading `index` is. */
    offset(index: number): number {
        return (this.head + index * readingBytes) % this.ring.length
    }

    /** Time of the oldest in ticks of `millis()`; there must be one. */
    firstTicks(): number {
        const { newestTicks } = this
        return newestTicks - ((newestTicks - this.ring.getAt(this.head, "i32")) & timeMask)
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
