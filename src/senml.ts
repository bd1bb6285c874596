import { CborWriter } from "./cbor"
import {
    atOffset,
    bpmBits,
    bpmOffset,
    motionBits,
    motionMask,
    qualityBits,
    qualityMask,
    qualityOffset,
    readingBytes,
    ReadingQueue,
    tempBias,
    tempBits,
    tempOffset,
} from "./queue"

/*
 * SenML packs (RFC 8428) in CBOR with the integer labels of §6. Keys in the order of RFC 8949 §4.2.1:
 * n = 0, v = 2, t = 6, bn = -2, bt = -3, bu = -4. Records are grouped by quantity, so that a unit stands once.
 */

const mapStart = 0xa0
const timeLabel = 0x06
const baseNameLabel = hex`21`
const baseTimeLabel = hex`22`
/** n and its value, and the label of v. */
const hrStart = hex`00 626872 02`
const qualityStart = hex`00 6468722d71 02`
const motionStart = hex`00 666d6f74696f6e 02`
const tempStart = hex`00 6474656d70 02`
const lostStart = hex`00 646c6f7374 02`
/** bu and its value. */
const hrUnit = hex`23 68626561742f6d696e`
const ratioUnit = hex`23 612f`
const tempUnit = hex`23 6343656c`
const lostUnit = hex`23 65636f756e74`

const tickBits = 4
/** The most that a reading, and everything else, takes: a float is never longer than its grid makes it. */
const maxReadingBytes = 65
const maxFrameBytes = 110

/** Writes the readings of one mote as SenML. */
export class PackWriter {
    private writer: CborWriter
    private maxReadings: number
    /** bn and its value, encoded. */
    private baseName: Buffer
    /** What bt stands for, in ticks; 0 where there is none. */
    private baseTicks = 0
    /** What the times of records are counted from, in ticks of `millis()`. */
    private zeroTicks = 0
    private isFirst = true
    /** The readings of this pack. */
    private ring: Buffer
    private start = 0
    private count = 0

    /** @param eui of the mote, 16 hex digits  @param maxReadings that a pack may have */
    constructor(eui: string, maxReadings: number) {
        this.maxReadings = maxReadings
        this.writer = new CborWriter(maxFrameBytes + maxReadings * maxReadingBytes)
        this.writer.raw(baseNameLabel)
        this.writer.text(`urn:dev:mac:${eui}_`)
        this.baseName = this.writer.toBuffer()
    }

    /**
     * The oldest `count` readings of the queue and what it lost, as a pack. Times are in ticks of 1/16 s.
     * @param shift what makes `millis()` unix time; undefined where that is not known yet
     * @param now `millis()`; without `shift` times are counted back from here (RFC 8428 §4.5.3)
     * @throws RangeError for more readings than a pack may have
     */
    write(queue: ReadingQueue, count: number, shift: number | undefined, now: number): Buffer {
        if (count > this.maxReadings) throw new RangeError("too many readings for a pack")
        const { writer } = this
        this.ring = queue.ring
        this.start = queue.offset(0)
        this.count = count
        const first = this.ring.getAt(this.start + atOffset, "u32")
        this.baseTicks = shift === undefined ? 0 : first + shift
        this.zeroTicks = shift === undefined ? now : first
        this.isFirst = true
        writer.clear()
        writer.array(this.countRecords() + (queue.lost > 0 ? 1 : 0))
        this.words(bpmOffset, 0, bpmBits, hrStart, hrUnit)
        this.ratios(qualityMask, true, qualityBits, qualityStart, ratioUnit)
        this.ratios(motionMask, false, motionBits, motionStart, undefined) // of the same unit
        this.words(tempOffset, tempBias, tempBits, tempStart, tempUnit)
        if (queue.lost > 0) this.record(lostStart, queue.lost, 0, first, lostUnit)
        return writer.toBuffer()
    }

    /** Records of a u16 field, which is 0 where there is nothing to tell. */
    private words(field: number, bias: number, bits: number, start: Buffer, unit: Buffer): void {
        const { ring, count } = this
        let at = this.start
        for (let i = 0; i < count; i++) {
            const raw = ring.getAt(at + field, "u16")
            if (raw !== 0) {
                this.record(start, raw - bias, bits, ring.getAt(at + atOffset, "u32"), unit)
                unit = undefined
            }
            at += readingBytes
            if (at === ring.length) at = 0
        }
    }

    /** Records of a part of the quality byte. */
    private ratios(
        mask: number,
        isAlways: boolean,
        bits: number,
        start: Buffer,
        unit: Buffer | undefined,
    ): void {
        const { ring, count } = this
        let at = this.start
        for (let i = 0; i < count; i++) {
            const raw = ring[at + qualityOffset] & mask
            if (isAlways || raw !== 0) {
                this.record(start, raw, bits, ring.getAt(at + atOffset, "u32"), unit)
                unit = undefined
            }
            at += readingBytes
            if (at === ring.length) at = 0
        }
    }

    /**
     * One record. Most of the work of a mote's link is done here, so it makes few calls.
     * @param at in ticks of `millis()`  @param unit where it changes
     */
    private record(
        start: Buffer,
        value: number,
        bits: number,
        at: number,
        unit: Buffer | undefined,
    ): void {
        const { writer, isFirst } = this
        const ticks = at - this.zeroTicks
        let pairs = ticks === 0 ? 2 : 3
        if (unit) pairs++
        if (isFirst) pairs += this.baseTicks === 0 ? 1 : 2
        const { bytes, length } = writer
        bytes[length] = mapStart | pairs
        bytes.blitAt(length + 1, start, 0, start.length)
        writer.length = length + 1 + start.length
        writer.fixed(value, bits)
        if (ticks !== 0) {
            bytes[writer.length++] = timeLabel
            writer.fixed(ticks, tickBits)
        }
        if (isFirst) this.base()
        if (unit) writer.raw(unit)
    }

    private base(): void {
        this.isFirst = false
        this.writer.raw(this.baseName)
        if (this.baseTicks === 0) return
        this.writer.raw(baseTimeLabel)
        this.writer.number(this.baseTicks / (1 << tickBits))
    }

    private countRecords(): number {
        const { ring, count } = this
        let at = this.start
        let records = count
        for (let i = 0; i < count; i++) {
            if (ring.getAt(at + bpmOffset, "u16") !== 0) records++
            if (ring.getAt(at + tempOffset, "u16") !== 0) records++
            if (ring[at + qualityOffset] & motionMask) records++
            at += readingBytes
            if (at === ring.length) at = 0
        }
        return records
    }
}
