import {
    beginArray,
    beginMap,
    cancelMap,
    endArray,
    endMap,
    startCbor,
    writeArrayHead,
    writeDifferences,
    writeNumber,
    writeRaw,
} from "./cbor"
import {
    allFirsts,
    allSeconds,
    bpmMask,
    bpmShift,
    dropSummaries,
    firsts,
    firstTicks,
    lastTicks,
    motionShift,
    qualityBias,
    qualityMask,
    qualityShift,
    seconds,
    spo2Mask,
    spo2Shift,
    steps,
    takeLost,
    takeReadings,
    tempBias,
    tempMask,
    tempShift,
    ticksPerS,
} from "./queue"
import { clockRate } from "./clock"
import { status } from "./status"
import { middleOf, Part, partOf, quantities, readingsOf, spanOf, summaryCount } from "./summaries"

/*
 * Packs of readings in columns, as in docs/wire.md, "Vitals": their times, then for each quantity the differences
 * between its values.
 */

/** Codes of columns (wire/tables/quantities.ts). */
const enum Column {
    hr = 0,
    quality = 1,
    motion = 2,
    temp = 3,
    spo2 = 4,
    span = 5,
    count = 6,
    /** Added to the code of a vital sign in a summary. */
    least = 32,
    most = 64,
    number = 96,
}

/** Keys of everything that is not a reading. */
const enum Extra {
    lost = 0,
    battery = 1,
    config = 2,
    refused = 3,
    delay = 4,
}

/** Columns of the quantities of summaries, and what the queue adds to their values. */
const columns = hex`00 03 04`
const biases = [0, tempBias, 0]

/** Maximum sizes of a reading, of a summary, and of everything else. */
const maxReadingBytes = 15
const maxSummaryBytes = 44
const maxFrameBytes = 110
/** No word has this value. */
const never = -0x80000000

/** The configuration status in an envelope. */
export interface ConfigNote {
    /** Version in force, on trial or for good; 0: none. */
    version: number
    /** The version that was refused or reverted, 0 if it was unreadable, and the encoded refusal. Undefined: none. */
    refused: number | undefined
    refusal: Buffer | undefined
}

let maxReadings: number
/** Number of columns so far. */
let written = 0
/** The battery level reported last. */
let battery: number

/**
 * Must be called first, once.
 * @param most maximum number of readings in a pack
 */
export function startPacks(most: number): void {
    maxReadings = most
    startCbor(maxFrameBytes + most * maxReadingBytes)
}

/**
 * Takes the oldest readings or summaries out of the queue, with the number of lost readings, and writes them as a pack.
 * Times are in ticks of 1/16 s.
 * @param max readings or summaries, if they fit; 0 for a note alone
 * @param shift added to `millis()` to get Unix time; undefined if the time is unknown
 * @param now `millis()`; without `shift` the time is relative to it
 * @param note on the configuration, if any
 */
export function writePack(max: number, shift: number | undefined, now: number, note?: ConfigNote): Buffer {
    const most = Math.min(max, Math.floor((maxReadings * maxReadingBytes) / maxSummaryBytes))
    const summed = Math.min(summaryCount, most)
    const count = summed > 0 ? summed : takeReadings(Math.min(max, maxReadings))
    let first = firstTicks
    let last = lastTicks
    if (count === 0) first = last = now
    if (summed > 0) {
        first = middleOf(0)
        last = middleOf(summed - 1)
        for (let i = 1; i < summed; i++) steps.setAt(i << 2, "i32", middleOf(i) - middleOf(i - 1))
    }
    if (shift !== undefined) stretch(count, Math.round((last - first) * clockRate()))
    let offset = 0
    beginArray()
    if (shift === undefined) writeNumber(Math.min(first - now, 0) - 1)
    else {
        const base = Math.floor((first + shift) / ticksPerS)
        offset = first + shift - base * ticksPerS
        // Without readings the extras are dated from the base.
        if (count === 0) last -= offset
        writeNumber(base)
    }
    writeArrayHead(count)
    if (count > 0) {
        writeNumber(offset)
        writeDifferences(steps, 1, count, 0, -1, 0, never)
    }
    beginMap()
    written = 0
    if (summed > 0) {
        writeSummaries(summed)
        dropSummaries(summed)
    } else writeReadings(count)
    endMap(written)
    return endArray(writeExtras(note, now - last) ? 4 : 3)
}

/** Spreads what the mote's clock drifts within a pack over its steps. Only in a pack of many minutes it is a tick or more. */
function stretch(count: number, ticks: number): void {
    if (ticks === 0) return
    let before = 0
    for (let i = 1; i < count; i++) {
        const after = Math.round((ticks * i) / (count - 1))
        steps.setAt(i << 2, "i32", steps.getAt(i << 2, "i32") + after - before)
        before = after
    }
}

function writeReadings(count: number): void {
    writeColumn(Column.hr, seconds, count, bpmShift, bpmMask, 0)
    writeColumn(Column.quality, firsts, count, qualityShift, qualityMask, qualityBias)
    if (allFirsts >> motionShift) {
        let motion = 0
        for (let i = 0; i < count; i++) motion |= (firsts.getAt(i << 2, "i32") >> motionShift) << i
        writePair(Column.motion, motion)
        written++
    }
    writeColumn(Column.temp, seconds, count, tempShift, tempMask, tempBias)
    if (allSeconds >> spo2Shift) writeColumn(Column.spo2, seconds, count, spo2Shift, spo2Mask, 0)
}

/** Writes a column: a field of words, to which `bias` was added; 0 is absent. */
function writeColumn(code: number, words: Buffer, count: number, shift: number, mask: number, bias: number): void {
    while (count > 0 && ((words.getAt((count - 1) << 2, "i32") >> shift) & mask) === 0) count--
    if (count === 0) return
    writeNumber(code)
    writeArrayHead(count)
    writeDifferences(words, 0, count, shift, mask, bias, 0)
    written++
}

/** Writes summaries (docs/link.md, "Summaries"). */
function writeSummaries(count: number): void {
    writeParts(count, Column.hr, Part.mean)
    for (let i = 0; i < count; i++) firsts.setAt(i << 2, "i32", spanOf(i) + 1)
    writeColumn(Column.span, firsts, count, 0, -1, 1)
    for (let i = 0; i < count; i++) firsts.setAt(i << 2, "i32", readingsOf(i))
    writeColumn(Column.count, firsts, count, 0, -1, 0)
    writeParts(count, Column.least, Part.least)
    writeParts(count, Column.most, Part.most)
    writeParts(count, Column.number, Part.count)
}

/** Writes what summaries say of each quantity. */
function writeParts(count: number, code: number, part: Part): void {
    for (let quantity = 0; quantity < quantities; quantity++) {
        for (let i = 0; i < count; i++) {
            const value = partOf(i, quantity, Part.count) === 0 ? 0 : partOf(i, quantity, part)
            firsts.setAt(i << 2, "i32", value)
        }
        writeColumn(code + columns[quantity], firsts, count, 0, -1, part === Part.count ? 0 : biases[quantity])
    }
}

/**
 * Writes what is not a reading.
 * @param delay from the last reading until now
 * @returns whether there is anything
 */
function writeExtras(note: ConfigNote | undefined, delay: number): boolean {
    const lost = takeLost()
    const isNews = status.battery !== undefined && status.battery !== battery
    battery = status.battery
    let pairs = 0
    beginMap()
    if (lost > 0) {
        writePair(Extra.lost, lost)
        pairs++
    }
    if (isNews) {
        writePair(Extra.battery, battery)
        pairs++
    }
    if (note) {
        writePair(Extra.config, note.version)
        pairs++
        if (note.refused !== undefined) {
            writeNumber(Extra.refused)
            writeArrayHead(2)
            writeNumber(note.refused)
            writeRaw(note.refusal)
            pairs++
        }
    }
    if ((isNews || note) && delay > 0) {
        writePair(Extra.delay, delay)
        pairs++
    }
    if (pairs > 0) endMap(pairs)
    else cancelMap()
    return pairs > 0
}

function writePair(key: number, value: number): void {
    writeNumber(key)
    writeNumber(value)
}
