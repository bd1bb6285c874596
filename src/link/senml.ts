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
    ReadingQueue,
    spo2Mask,
    spo2Shift,
    tempBias,
    tempBits,
    tempMask,
    tempShift,
} from "./queue"
import { status } from "./status"
import { heartRate, saturation, Summaries, temperature } from "./summaries"

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
const batteryStart = hex`00 6462617474 02`
const hrMinStart = hex`00 6668722d6d696e 02`
const hrMaxStart = hex`00 6668722d6d6178 02`
const hrCountStart = hex`00 6468722d6e 02`
const tempMinStart = hex`00 6874656d702d6d696e 02`
const tempMaxStart = hex`00 6874656d702d6d6178 02`
const tempCountStart = hex`00 6674656d702d6e 02`
const spo2MinStart = hex`00 6873706f322d6d696e 02`
const spo2MaxStart = hex`00 6873706f322d6d6178 02`
const spo2CountStart = hex`00 6673706f322d6e 02`
const spanStart = hex`00 647370616e 02`
const countStart = hex`00 65636f756e74 02`
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
const secondsUnit = hex`23 6173`
const batteryUnit = hex`23 6325454c`

const tickBits = 4
/** The most that a reading, and everything else, takes: a float is never longer than its grid makes it. */
const maxReadingBytes = 65
const maxFrameBytes = 130
/** A note on the configuration takes the room of so many readings. */
const noteReadings = 2
/** A summary takes the room of so many. */
const summaryReadings = 5

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
    /** Times of the readings of this pack, and their number. */
    private times: number[]
    private count = 0
    /** What was told of the battery last. */
    private battery: number

    /** @param eui of the mote, 16 hex digits  @param maxReadings that a pack may have */
    constructor(eui: string, maxReadings: number) {
        this.maxReadings = maxReadings
        this.writer = new CborWriter(maxFrameBytes + maxReadings * maxReadingBytes)
        this.writer.raw(baseNameLabel)
        this.writer.text(`urn:dev:mac:${eui}_`)
        this.baseName = this.writer.toBuffer()
    }

    /**
     * Takes what is oldest out of the queue, and what it lost: summaries or else readings, as a pack. Times are in ticks of
     * 1/16 s.
     * @param max readings or summaries, if there is room for so many; 0 for a note alone
     * @param shift what makes `millis()` unix time; undefined where that is not known yet
     * @param now `millis()`; without `shift` times are counted back from here (RFC 8428 §4.5.3)
     * @param note on the configuration, if any
     */
    write(
        queue: ReadingQueue,
        max: number,
        shift: number | undefined,
        now: number,
        note?: ConfigNote,
    ): Buffer {
        const { writer } = this
        const { firsts, seconds, summaries, times } = queue
        const room = note ? this.maxReadings - noteReadings : this.maxReadings
        const summed = Math.min(summaries.length, Math.min(max, Math.floor(room / summaryReadings)))
        this.count = summed > 0 ? 0 : queue.take(Math.min(max, room))
        this.times = times
        const first = summed > 0 ? summaries.middleOf(0) : this.count > 0 ? times[0] : now
        this.baseTicks = shift === undefined ? 0 : first + shift
        this.zeroTicks = shift === undefined ? now : first
        this.records = 0
        writer.beginArray()
        for (let i = 0; i < summed; i++) this.summary(summaries, i)
        queue.dropSummaries(summed)
        const inSeconds = this.group(seconds, bpmShift, bpmMask, 0, bpmBits, hrStart, hrUnit)
        const inFirsts = this.group(
            firsts,
            qualityShift,
            qualityMask,
            qualityBias,
            qualityBits,
            qualityStart,
            ratioUnit,
        )
        // Of the same unit.
        if (inFirsts >> motionShift)
            this.group(firsts, motionShift, motionMask, 0, 0, motionStart, undefined)
        this.group(seconds, tempShift, tempMask, tempBias, tempBits, tempStart, tempUnit)
        if (inSeconds >>> spo2Shift)
            this.group(seconds, spo2Shift, spo2Mask, 0, 0, spo2Start, spo2Unit)
        if (queue.lost > 0) this.record(lostStart, queue.lost, 0, first, countUnit)
        queue.lost = 0
        if (note) this.note(note, now)
        if (status.battery !== undefined && status.battery !== this.battery) {
            this.battery = status.battery
            this.record(batteryStart, Math.round(status.battery), 0, now, batteryUnit)
        }
        return writer.endArray(this.records)
    }

    /**
     * Records of a field of the queue's words.
     * @returns all these words, one or-ed to the other
     */
    private group(
        words: number[],
        shift: number,
        mask: number,
        bias: number,
        bits: number,
        start: Buffer,
        unit: Buffer | undefined,
    ): number {
        const { count, times } = this
        let all = 0
        for (let i = 0; i < count; i++) {
            const fields = words[i]
            const value = (fields >> shift) & mask
            if (value !== 0) {
                this.record(start, value - bias, bits, times[i], unit)
                unit = undefined
            }
            all |= fields
        }
        return all
    }

    /** docs/link.md, "Summaries"; all of a unit together. */
    private summary(all: Summaries, i: number): void {
        const at = all.middleOf(i)
        const hr = all.countOf(i, heartRate)
        const temp = all.countOf(i, temperature)
        const spo2 = all.countOf(i, saturation)
        if (hr > 0) {
            this.record(hrStart, all.meanOf(i, heartRate), bpmBits, at, hrUnit)
            this.record(hrMinStart, all.leastOf(i, heartRate), bpmBits, at, undefined)
            this.record(hrMaxStart, all.mostOf(i, heartRate), bpmBits, at, undefined)
        }
        if (temp > 0) {
            this.record(tempStart, all.meanOf(i, temperature) - tempBias, tempBits, at, tempUnit)
            this.record(
                tempMinStart,
                all.leastOf(i, temperature) - tempBias,
                tempBits,
                at,
                undefined,
            )
            this.record(
                tempMaxStart,
                all.mostOf(i, temperature) - tempBias,
                tempBits,
                at,
                undefined,
            )
        }
        if (spo2 > 0) {
            this.record(spo2Start, all.meanOf(i, saturation), 0, at, spo2Unit)
            this.record(spo2MinStart, all.leastOf(i, saturation), 0, at, undefined)
            this.record(spo2MaxStart, all.mostOf(i, saturation), 0, at, undefined)
        }
        this.record(spanStart, all.spanOf(i), tickBits, at, secondsUnit)
        this.record(countStart, all.readingsOf(i), 0, at, countUnit)
        if (hr > 0) this.record(hrCountStart, hr, 0, at, undefined)
        if (temp > 0) this.record(tempCountStart, temp, 0, at, undefined)
        if (spo2 > 0) this.record(spo2CountStart, spo2, 0, at, undefined)
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
