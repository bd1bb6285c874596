import {
    beginArray,
    beginSeries,
    byteStringHead,
    endArray,
    startCbor,
    timeBits,
    timeLabel,
    writeNumber,
    writePair,
    writeRaw,
    writeSeries,
    writeStart,
    writeText,
    writtenBytes,
} from "./cbor"
import {
    bpmBits,
    bpmMask,
    bpmShift,
    dropSummaries,
    firsts,
    motionMask,
    motionShift,
    qualityBias,
    qualityBits,
    qualityMask,
    qualityShift,
    seconds,
    spo2Mask,
    spo2Shift,
    takeLost,
    takeReadings,
    tempBias,
    tempBits,
    tempMask,
    tempShift,
    times,
} from "./queue"
import { status } from "./status"
import {
    countOf,
    heartRate,
    leastOf,
    meanOf,
    middleOf,
    mostOf,
    readingsOf,
    saturation,
    spanOf,
    summaryCount,
    temperature,
} from "./summaries"

/*
 * SenML packs (RFC 8428) in CBOR with the integer labels of §6, in the order of RFC 8949 §4.2.1: n = 0, v = 2, t = 6,
 * bn = -2, bt = -3, bu = -4. Records are grouped by quantity, so that each unit occurs once.
 */

const mapStart = 0xa0
const baseNameLabel = hex`21`
const baseTimeLabel = hex`22`
/** Label n with its value, and the label v. */
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
/** A map of two: label n with its value, and the label vd. */
const refusalStart = hex`a2 00 6e636f6e6669672d72656675736564 08`
/** Label bu with its value. */
const hrUnit = hex`23 68626561742f6d696e`
const ratioUnit = hex`23 612f`
const tempUnit = hex`23 6343656c`
const spo2Unit = hex`23 6125`
const countUnit = hex`23 65636f756e74`
const secondsUnit = hex`23 6173`
const batteryUnit = hex`23 6325454c`

/** Maximum sizes of a reading and of everything else; a float is never longer than its resolution requires. */
const maxReadingBytes = 65
const maxFrameBytes = 130
/** A note on the configuration takes the space of this many readings. */
const noteReadings = 2
/** A summary takes the space of this many readings. */
const summaryReadings = 5

/** The configuration status in an envelope. */
export interface ConfigNote {
    /** Version in force, on trial or for good; 0: none. */
    version: number
    /** The version that was refused or reverted, 0 if it was unreadable, and the encoded refusal. Undefined: none. */
    refused: number | undefined
    refusal: Buffer | undefined
}

/** Label bn with its value, encoded. */
export let baseName: Buffer
let maxReadings: number
/** The base time bt in ticks; 0 if there is none. */
let baseTicks = 0
/** The zero of record times, in ticks of `millis()`. */
let zeroTicks = 0
/** Number of records so far. */
let records = 0
/** Number of readings in this pack. */
let packed = 0
/** The battery level reported last. */
let battery: number

/**
 * Must be called first, once.
 * @param eui of the mote, 16 hex digits
 * @param most maximum number of readings in a pack
 */
export function startPacks(eui: string, most: number): void {
    maxReadings = most
    startCbor(maxFrameBytes + most * maxReadingBytes)
    writeRaw(baseNameLabel)
    writeText(`urn:dev:mac:${eui}_`)
    baseName = writtenBytes()
}

/**
 * Takes the oldest readings or summaries out of the queue, with the number of lost readings, and writes them as a pack.
 * Times are in ticks of 1/16 s.
 * @param max readings or summaries, if they fit; 0 for a note alone
 * @param shift added to `millis()` to get Unix time; undefined if the time is unknown
 * @param now `millis()`; without `shift` times are relative to it (RFC 8428 §4.5.3)
 * @param note on the configuration, if any
 */
export function writePack(max: number, shift: number | undefined, now: number, note?: ConfigNote): Buffer {
    const room = note ? maxReadings - noteReadings : maxReadings
    const summed = Math.min(summaryCount, Math.min(max, Math.floor(room / summaryReadings)))
    packed = summed > 0 ? 0 : takeReadings(Math.min(max, room))
    const first = summed > 0 ? middleOf(0) : packed > 0 ? times[0] : now
    baseTicks = shift === undefined ? 0 : first + shift
    zeroTicks = shift === undefined ? now : first
    records = 0
    beginArray()
    for (let i = 0; i < summed; i++) summary(i)
    dropSummaries(summed)
    const inSeconds = group(seconds, bpmShift, bpmMask, 0, bpmBits, hrStart, hrUnit)
    const inFirsts = group(firsts, qualityShift, qualityMask, qualityBias, qualityBits, qualityStart, ratioUnit)
    // They share a unit.
    if (inFirsts >> motionShift) group(firsts, motionShift, motionMask, 0, 0, motionStart, undefined)
    group(seconds, tempShift, tempMask, tempBias, tempBits, tempStart, tempUnit)
    if (inSeconds >>> spo2Shift) group(seconds, spo2Shift, spo2Mask, 0, 0, spo2Start, spo2Unit)
    const lost = takeLost()
    if (lost > 0) record(lostStart, lost, 0, first, countUnit)
    if (note) writeNote(note, now)
    if (status.battery !== undefined && status.battery !== battery) {
        battery = status.battery
        record(batteryStart, Math.round(status.battery), 0, now, batteryUnit)
    }
    return endArray(records)
}

/**
 * Writes the records of one field of the queue's words.
 * @returns the bitwise OR of the words
 */
function group(
    words: number[],
    shift: number,
    mask: number,
    bias: number,
    bits: number,
    start: Buffer,
    unit: Buffer | undefined,
): number {
    let all = 0
    let from = -1
    for (let i = 0; i < packed; i++) {
        const fields = words[i]
        if (from < 0 && (fields >> shift) & mask) from = i
        all |= fields
    }
    if (from < 0) return all
    if (unit || records === 0) {
        record(start, ((words[from] >> shift) & mask) - bias, bits, times[from], unit)
        from++
    }
    beginSeries(start, shift, mask, bias, bits)
    records += writeSeries(words, times, from, packed, zeroTicks)
    return all
}

/** Writes a summary (docs/link.md, "Summaries"), grouped by unit. */
function summary(i: number): void {
    const at = middleOf(i)
    const hr = countOf(i, heartRate)
    const temp = countOf(i, temperature)
    const spo2 = countOf(i, saturation)
    if (hr > 0) {
        record(hrStart, meanOf(i, heartRate), bpmBits, at, hrUnit)
        record(hrMinStart, leastOf(i, heartRate), bpmBits, at, undefined)
        record(hrMaxStart, mostOf(i, heartRate), bpmBits, at, undefined)
    }
    if (temp > 0) {
        record(tempStart, meanOf(i, temperature) - tempBias, tempBits, at, tempUnit)
        record(tempMinStart, leastOf(i, temperature) - tempBias, tempBits, at, undefined)
        record(tempMaxStart, mostOf(i, temperature) - tempBias, tempBits, at, undefined)
    }
    if (spo2 > 0) {
        record(spo2Start, meanOf(i, saturation), 0, at, spo2Unit)
        record(spo2MinStart, leastOf(i, saturation), 0, at, undefined)
        record(spo2MaxStart, mostOf(i, saturation), 0, at, undefined)
    }
    record(spanStart, spanOf(i), timeBits, at, secondsUnit)
    record(countStart, readingsOf(i), 0, at, countUnit)
    if (hr > 0) record(hrCountStart, hr, 0, at, undefined)
    if (temp > 0) record(tempCountStart, temp, 0, at, undefined)
    if (spo2 > 0) record(spo2CountStart, spo2, 0, at, undefined)
}

/**
 * Writes one record, which may have more than a name, a value and a time.
 * @param at in ticks of `millis()`
 * @param unit if it differs from that of the record before
 */
function record(start: Buffer, value: number, bits: number, at: number, unit: Buffer | undefined): void {
    const isFirst = records === 0
    records++
    const ticks = at - zeroTicks
    let pairs = ticks === 0 ? 2 : 3
    if (unit) pairs++
    if (isFirst) pairs += baseTicks === 0 ? 1 : 2
    writeStart(mapStart | pairs, start, value, bits)
    if (ticks !== 0) writePair(timeLabel, ticks, timeBits)
    if (isFirst) base()
    if (unit) writeRaw(unit)
}

/** Writes the note (docs/configuration.md, "What the mote reports"). */
function writeNote({ version, refused, refusal }: ConfigNote, now: number): void {
    record(configStart, version, 0, now, countUnit)
    if (refused === undefined) return
    record(refusedStart, refused, 0, now, undefined)
    records++
    writeRaw(refusalStart)
    writeRaw(byteStringHead(refusal.length))
    writeRaw(refusal)
}

function base(): void {
    writeRaw(baseName)
    if (baseTicks === 0) return
    writeRaw(baseTimeLabel)
    writeNumber(baseTicks / (1 << timeBits))
}
