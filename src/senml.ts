import { CborWriter } from "./cbor"
import { ReadingQueue } from "./queue"

/*
 * SenML packs (RFC 8428) in CBOR with the integer labels of §6. Keys in the order of RFC 8949 §4.2.1:
 * n = 0, v = 2, t = 6, bn = -2, bt = -3, bu = -4. Records are grouped by quantity, so that a unit stands once.
 */

const v = hex`02`
const t = hex`06`
const baseNameLabel = hex`21`
const baseTimeLabel = hex`22`
/** n and its value, and bu and its value, encoded. */
const hrName = hex`00 626872`
const hrUnit = hex`23 68 626561742f6d696e`
const qualityName = hex`00 64 68722d71`
const motionName = hex`00 66 6d6f74696f6e`
const ratioUnit = hex`23 61 2f`
const tempName = hex`00 64 74656d70`
const tempUnit = hex`23 63 43656c`
const lostName = hex`00 64 6c6f7374`
const lostUnit = hex`23 65 636f756e74`

const ticksPerS = 16
/** The longest that one reading and the rest of a pack can be. */
const maxReadingBytes = 55
const maxFrameBytes = 110

/** Room for a pack of `readings`. */
export function packBytes(readings: number): number {
    return maxFrameBytes + readings * maxReadingBytes
}

/** Writes the readings of one mote as SenML. */
export class PackWriter {
    private writer: CborWriter
    /** bn and its value, encoded. */
    private baseName: Buffer
    private baseTime = 0
    private timeShift = 0
    private isFirst = true

    /** @param eui of the mote, 16 hex digits  @param maxReadings that a pack may have */
    constructor(eui: string, maxReadings: number) {
        this.writer = new CborWriter(packBytes(maxReadings))
        this.writer.raw(baseNameLabel)
        this.writer.text(`urn:dev:mac:${eui}_`)
        this.baseName = this.writer.toBuffer()
    }

    /**
     * The oldest `count` readings of the queue and what it lost, as a pack. Times are in ticks of 1/16 s.
     * @param shift what makes `millis()` unix time; undefined where that is not known yet
     * @param now `millis()`; without `shift` times are counted back from here (RFC 8428 §4.5.3)
     */
    write(queue: ReadingQueue, count: number, shift: number | undefined, now: number): Buffer {
        const isAbsolute = shift !== undefined
        const first = queue.at(0)
        this.isFirst = true
        this.baseTime = isAbsolute ? (first + shift) / ticksPerS : 0
        this.timeShift = isAbsolute ? first : now
        const writer = this.writer
        writer.clear()
        writer.array(countRecords(queue, count))
        this.writeHeartRates(queue, count)
        this.writeQualities(queue, count)
        this.writeMotions(queue, count)
        this.writeTemperatures(queue, count)
        if (queue.lost > 0) this.record(lostName, queue.lost, first, lostUnit)
        return writer.toBuffer()
    }

    private writeHeartRates(queue: ReadingQueue, count: number): void {
        let unit = hrUnit
        for (let i = 0; i < count; i++) {
            const bpm = queue.bpm(i)
            if (bpm === undefined) continue
            this.record(hrName, bpm, queue.at(i), unit)
            unit = undefined
        }
    }

    private writeQualities(queue: ReadingQueue, count: number): void {
        let unit = ratioUnit
        for (let i = 0; i < count; i++) {
            this.record(qualityName, queue.quality(i), queue.at(i), unit)
            unit = undefined
        }
    }

    /** After the qualities, whose unit they share. */
    private writeMotions(queue: ReadingQueue, count: number): void {
        for (let i = 0; i < count; i++)
            if (queue.motion(i)) this.record(motionName, 1, queue.at(i), undefined)
    }

    private writeTemperatures(queue: ReadingQueue, count: number): void {
        let unit = tempUnit
        for (let i = 0; i < count; i++) {
            const tempC = queue.tempC(i)
            if (tempC === undefined) continue
            this.record(tempName, tempC, queue.at(i), unit)
            unit = undefined
        }
    }

    /** @param at in ticks of `millis()`  @param unit where it changes */
    private record(name: Buffer, value: number, at: number, unit: Buffer | undefined): void {
        const writer = this.writer
        const time = (at - this.timeShift) / ticksPerS
        const hasTime = time !== 0
        const hasBaseTime = this.isFirst && this.baseTime !== 0
        writer.map(
            2 + (hasTime ? 1 : 0) + (this.isFirst ? 1 : 0) + (hasBaseTime ? 1 : 0) + (unit ? 1 : 0),
        )
        writer.raw(name)
        writer.raw(v)
        writer.number(value)
        if (hasTime) {
            writer.raw(t)
            writer.number(time)
        }
        if (this.isFirst) writer.raw(this.baseName)
        if (hasBaseTime) {
            writer.raw(baseTimeLabel)
            writer.number(this.baseTime)
        }
        if (unit) writer.raw(unit)
        this.isFirst = false
    }
}

function countRecords(queue: ReadingQueue, count: number): number {
    let records = count + (queue.lost > 0 ? 1 : 0)
    for (let i = 0; i < count; i++) {
        if (queue.bpm(i) !== undefined) records++
        if (queue.motion(i)) records++
        if (queue.tempC(i) !== undefined) records++
    }
    return records
}
