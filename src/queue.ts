import { Reading } from "./reading"

/** Ticks of the times that go out: 1/16 s. */
export const tickMs = 62.5

/*
 * One reading in the queue: time in ticks of `millis()` (u32), heart rate in 1/16 beat/min (u16), temperature in 1/32 °C
 * from -1024 °C (u16), signal quality in 1/64 with motion in the highest bit (u8). What is absent is 0.
 */
export const readingBytes = 9
export const atOffset = 0
export const bpmOffset = 4
export const tempOffset = 6
export const qualityOffset = 8
export const bpmBits = 4
export const tempBits = 5
export const tempBias = 32768
export const qualityBits = 6
export const qualityMask = 0x7f
export const motionMask = 0x80
export const motionBits = 7

const maxFixed = 0xffff

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
        ring.setAt(at + atOffset, "u32", Math.round(reading.atMs / tickMs))
        ring.setAt(at + bpmOffset, "u16", reading.motion ? 0 : fixedBpm(reading.bpm))
        ring.setAt(at + tempOffset, "u16", fixed(reading.tempC, 1 << tempBits, tempBias))
        const quality = Math.min(fixed(reading.quality, 1 << qualityBits, 0), 1 << qualityBits)
        ring[at + qualityOffset] = reading.motion ? quality | motionMask : quality
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
}

/** In 1/16, but no finer than binary16 is: 1/8 from 128 on, 1/4 from 256 on. */
function fixedBpm(bpm: number | undefined): number {
    const scaled = fixed(bpm, 1 << bpmBits, 0)
    if (scaled < 2048) return scaled
    const step = scaled < 4096 ? 2 : 4
    return Math.round(scaled / step) * step
}

/** `value` in units of 1/`scale`, counted from `-bias`; 0 where it is no number or out of range. */
function fixed(value: number | undefined, scale: number, bias: number): number {
    if (value === undefined || value === null) return 0
    const scaled = Math.round(value * scale) + bias
    return scaled > 0 && scaled <= maxFixed ? scaled : 0
}
