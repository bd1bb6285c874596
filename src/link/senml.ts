import { CborWriter } from "../cbor"
import { ConfigNote } from "../config/downlink"
import {
    bpmBits,
    bpmMask,
    bpmShift,
    motionMask,
    motionShift,
    qualityBias,
    qualityBits,
    qualityMask,
    qualityShift,
    readingBytes,
    ReadingQueue,
    spo2Mask,
    spo2Shift,
    tempBias,
    tempBits,
    tempMask,
    tempShift,
    timeMask,
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
const spo2Start = hex`00 6473706f32 02`
const lostStart = hex`00 646c6f7374 02`
const configStart = hex`00 66636f6e666967 02`
const refusedStart = hex`00 6e636f6e6669672d72656675736564 02`
/** A map of two: n and its value, and the label of vs. */
const reasonStart = hex`a2 00 6e636f6e6669672d72656675736564 03`
/** bu and its value. */
const hrUnit = hex`23 68626561742f6d696e`
const ratioUnit = hex`23 612f`
const tempUnit = hex`23 6343656c`
const spo2Unit = hex`23 6125`
const countUnit = hex`23 65636f756e74`

const tickBits = 4
/** The most that a reading, and everything else, takes: a float is never longer than its grid makes it. */
const maxReadingBytes = 65
const maxFrameBytes = 110
/** A note on the configuration takes the room of so many readings. */
export const noteReadings = 2

/** Writes the readings of one mote as SenML. */
export class PackWriter {
    /** Room for one pack after the other, whatever is in it. */
    readonly writer: CborWriter
    /** bn and its value, encoded. */
    readonly baseName: Buffer
    private maxReadings: number
    /** What bt stands for, in ticks; 0 where there is none. */
    private baseTicks = 0
    /** What the times of records are counted from, in ticks of `millis()`. */
    private zeroTicks = 0
    /** So far. */
    private records = 0
    /** The readings of this pack. */
    private ring: Buffer
    private start = 0
    private count = 0
    /** Time of the first reading, in ticks of `millis()`. */
    private firstTicks = 0

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
     * @param note on the configuration, if any; with it there may be no readings
     * @throws RangeError for more readings than a pack may have, which are `noteReadings` less with a note
     */
    write(
        queue: ReadingQueue,
        count: number,
        shift: number | undefined,
        now: number,
        note?: ConfigNote,
    ): Buffer {
        if (count > this.maxReadings - (note ? noteReadings : 0))
            throw new RangeError("too many readings for a pack")
        const { writer } = this
        this.ring = queue.ring
        this.start = queue.offset(0)
        this.count = count
        const first = count > 0 ? queue.firstTicks() : now
        this.firstTicks = first
        this.baseTicks = shift === undefined ? 0 : first + shift
        this.zeroTicks = shift === undefined ? now : first
        this.records = 0
        writer.beginArray()
        const inSecond = this.group(4, bpmShift, bpmMask, 0, bpmBits, hrStart, hrUnit)
        const inFirst = this.group(
            0,
            qualityShift,
            qualityMask,
            qualityBias,
            qualityBits,
            qualityStart,
            ratioUnit,
        )
        // Of the same unit.
        if (inFirst < 0) this.group(0, motionShift, motionMask, 0, 0, motionStart, undefined)
        this.group(4, tempShift, tempMask, tempBias, tempBits, tempStart, tempUnit)
        if (inSecond >>> spo2Shift) this.group(4, spo2Shift, spo2Mask, 0, 0, spo2Start, spo2Unit)
        if (queue.lost > 0) this.record(lostStart, queue.lost, 0, first, countUnit)
        if (note) this.note(note, now)
        return writer.endArray(this.records)
    }

    /**
     * Records of a field of the queue's words.
     * @param word byte offset in the entry
     * @returns all these words, one or-ed to the other
     */
    private group(
        word: number,
        shift: number,
        mask: number,
        bias: number,
        bits: number,
        start: Buffer,
        unit: Buffer | undefined,
    ): number {
        const { count, firstTicks, ring } = this
        let at = this.start
        let all = 0
        for (let i = 0; i < count; i++) {
            const fields = ring.getAt(at + word, "i32")
            const value = (fields >> shift) & mask
            if (value !== 0) {
                const time = word === 0 ? fields : ring.getAt(at, "i32")
                const ticks = firstTicks + ((time - firstTicks) & timeMask)
                this.record(start, value - bias, bits, ticks, unit)
                unit = undefined
            }
            all |= fields
            at += readingBytes
            if (at === ring.length) at = 0
        }
        return all
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
        const { writer } = this
        const isFirst = this.records === 0
        this.records++
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

    /** docs/configuration.md, "What the mote says". */
    private note({ version, refused, reason }: ConfigNote, now: number): void {
        this.record(configStart, version, 0, now, countUnit)
        if (refused === undefined) return
        this.record(refusedStart, refused, 0, now, undefined)
        this.records++
        this.writer.raw(reasonStart)
        this.writer.text(reason)
    }

    private base(): void {
        this.writer.raw(this.baseName)
        if (this.baseTicks === 0) return
        this.writer.raw(baseTimeLabel)
        this.writer.number(this.baseTicks / (1 << tickBits))
    }
}
