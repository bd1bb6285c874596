import { Reading } from "./reading"

/** Ticks of the times that go out: 1/16 s. */
export const tickMs = 62.5

/*
 * One reading: time in ticks (u32) | heart rate in 1/16 beat/min (u16) | temperature in 1/32 °C (i16) |
 * signal quality in 1/64 (7 bits) and motion (1 bit). All of them are exact in binary16 as far as they make sense.
 */
const atOffset = 0
const bpmOffset = 4
const tempOffset = 6
const qualityOffset = 8
const readingBytes = 9

const noBpm = 0
const maxBpm = 0xffff
const noTemp = -32768
const maxTemp = 32767
const motionBit = 0x80

/**
 * Readings that wait to be sealed, oldest first, in one buffer. When it is full the oldest makes room, and `lost`
 * counts it.
 */
export class ReadingQueue {
    length = 0
    /** Readings that had to make room since `lost` was last set to 0. */
    lost = 0
    private capacity: number
    private ring: Buffer
    private head = 0

    constructor(capacity: number) {
        this.capacity = capacity
        this.ring = Buffer.alloc(capacity * readingBytes)
    }

    push(reading: Reading): void {
        if (this.length === this.capacity) {
            this.drop(1)
            this.lost++
        }
        const ring = this.ring
        const at = this.offset(this.length)
        ring.setAt(at + atOffset, "u32", Math.round(reading.atMs / tickMs))
        ring.setAt(
            at + bpmOffset,
            "u16",
            reading.motion ? noBpm : fixed(reading.bpm, 16, 1, maxBpm, noBpm),
        )
        ring.setAt(at + tempOffset, "i16", fixed(reading.tempC, 32, -maxTemp, maxTemp, noTemp))
        const quality = fixed(reading.quality, 64, 0, 64, 0)
        ring[at + qualityOffset] = reading.motion ? quality | motionBit : quality
        this.length++
    }

    /** Forgets the oldest `count`. */
    drop(count: number): void {
        this.head = (this.head + count) % this.capacity
        this.length -= count
    }

    /** When reading `index` was taken, in ticks of `millis()`. */
    at(index: number): number {
        return this.ring.getAt(this.offset(index) + atOffset, "u32")
    }

    /** Beats per minute, undefined where not known. */
    bpm(index: number): number | undefined {
        const bpm = this.ring.getAt(this.offset(index) + bpmOffset, "u16")
        return bpm === noBpm ? undefined : bpm / 16
    }

    /** 0…1 */
    quality(index: number): number {
        return (this.ring[this.offset(index) + qualityOffset] & ~motionBit) / 64
    }

    motion(index: number): boolean {
        return (this.ring[this.offset(index) + qualityOffset] & motionBit) !== 0
    }

    /** Degrees Celsius, undefined where not known. */
    tempC(index: number): number | undefined {
        const temp = this.ring.getAt(this.offset(index) + tempOffset, "i16")
        return temp === noTemp ? undefined : temp / 32
    }

    private offset(index: number): number {
        return ((this.head + index) % this.capacity) * readingBytes
    }
}

/** `value` in units of 1/`scale`, or `absent` where it is no number or out of range. */
function fixed(
    value: number | undefined,
    scale: number,
    min: number,
    max: number,
    absent: number,
): number {
    if (value === undefined || value === null) return absent
    const scaled = Math.round(value * scale)
    return scaled >= min && scaled <= max ? scaled : absent
}
