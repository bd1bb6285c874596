/*
 * CBOR (RFC 8949), as far as a mote needs it: numbers, texts and byte strings in deterministic encoding (§4.2.1),
 * written to a buffer that is allocated once, and a strict reader for messages from the router.
 *
 * The writer is started by `senml.ts` and used by every module that creates a pack. The reader is started by its user
 * (`readCbor`). Both are used without suspending in between, so that no other fiber interferes.
 */

/** Major types (RFC 8949 §3.1), in the three highest bits. */
const unsigned = 0x00
const negative = 0x20
const byteString = 0x40
const textString = 0x60
const array = 0x80
const map = 0xa0

const float16 = 0xf9
const float32 = 0xfa
const float64 = 0xfb

const maxArrayHead = 2
const mapOfTwo = 0xa2
const mapOfThree = 0xa3
/** The label of times in SenML (RFC 8428 §6), and their resolution in records. */
export const timeLabel = 0x06
export const timeBits = 4

const twoTo32 = 4294967296
const twoTo53 = 9007199254740992

/* The writer appends items to one buffer; a pack is written without suspending. RangeError if they do not fit. */

/** The first `length` bytes have been written. */
let bytes: Buffer
let length = 0
const scratch = Buffer.alloc(8)

/** Must be called first, once. */
export function startCbor(capacity: number): void {
    bytes = Buffer.alloc(capacity)
}

/** @devsWhenUsed */
export function clearCbor(): void {
    length = 0
}

/** A copy of the written bytes. */
export function writtenBytes(): Buffer {
    return bytes.slice(0, length)
}

/** Writes items that are already encoded. */
export function writeRaw(encoded: Buffer): void {
    const at = reserve(encoded.length)
    bytes.blitAt(at, encoded, 0, encoded.length)
}

export function writeText(text: string): void {
    head(textString, text.byteLength)
    const at = reserve(text.byteLength)
    bytes.blitAt(at, text, 0, text.byteLength)
}

/** Begins an array; the number of items is given at its end. */
export function beginArray(): void {
    length = maxArrayHead
}

/** A copy of the written array. @param items at most 255 */
export function endArray(items: number): Buffer {
    if (items > 0xff) throw new RangeError("CBOR is full")
    bytes[0] = array | 24
    bytes[1] = items
    if (items >= 24) return bytes.slice(0, length)
    bytes[1] = array | items
    return bytes.slice(1, length)
}

/**
 * Writes a finite number in preferred serialisation (RFC 8949 §4.2.2): an integer if it is whole, otherwise the
 * shortest float that holds it exactly.
 */
export function writeNumber(value: number): void {
    if (value === Math.floor(value) && value < twoTo53 && value > -twoTo53) {
        if (value >= 0) head(unsigned, value)
        else head(negative, -1 - value)
    } else float(value)
}

/** Writes `value / 2^bits`, with at most 7 bits, exactly as `writeNumber`, but faster for measured values. */
function writeFixed(value: number, bits: number): void {
    let magnitude = value < 0 ? -value : value
    if (magnitude >= 2048 || length + 3 > bytes.length) {
        writeNumber(value / (1 << bits))
        return
    }
    const whole = magnitude >> bits
    if (whole << bits === magnitude) {
        if (whole > 0xff || value < 0) writeNumber(value < 0 ? -whole : whole)
        else if (whole > 23) {
            bytes[length] = unsigned | 24
            bytes[length + 1] = whole
            length = length + 2
        } else {
            bytes[length] = whole
            length = length + 1
        }
        return
    }
    // 11 bits are exact in binary16; with so few fraction bits the number is never subnormal.
    let exponent = 25 - bits
    while (magnitude < 1024) {
        magnitude <<= 1
        exponent--
    }
    bytes[length] = float16
    bytes[length + 1] = (value < 0 ? 0x80 : 0) | (exponent << 2) | ((magnitude >> 8) & 3)
    bytes[length + 2] = magnitude & 0xff
    length = length + 3
}

function float(value: number): void {
    scratch.setAt(0, "f32", value)
    if (scratch.getAt(0, "f32") !== value) {
        scratch.setAt(0, "f64", value)
        bigEndian(float64, 8)
        return
    }
    const half = halfOf(scratch)
    if (half < 0) {
        bigEndian(float32, 4)
        return
    }
    const at = reserve(3)
    bytes[at] = float16
    bytes[at + 1] = half >> 8
    bytes[at + 2] = half & 0xff
}

/** Writes the first `size` bytes of the scratch buffer, which are little-endian in the VM. */
function bigEndian(initialByte: number, size: number): void {
    const at = reserve(1 + size)
    bytes[at] = initialByte
    for (let i = 0; i < size; i++) bytes[at + size - i] = scratch[i]
}

/** Writes initial byte and argument (RFC 8949 §3) in the shortest form. */
function head(majorType: number, argument: number): void {
    if (argument < 24) {
        bytes[reserve(1)] = majorType | argument
    } else if (argument < 0x100) {
        const at = reserve(2)
        bytes[at] = majorType | 24
        bytes[at + 1] = argument
    } else if (argument < 0x10000) {
        const at = reserve(3)
        bytes[at] = majorType | 25
        bytes[at + 1] = argument >> 8
        bytes[at + 2] = argument & 0xff
    } else if (argument < twoTo32) {
        scratch.setAt(0, "u32", argument)
        bigEndian(majorType | 26, 4)
    } else {
        const high = Math.floor(argument / twoTo32)
        scratch.setAt(0, "u32", argument - high * twoTo32)
        scratch.setAt(4, "u32", high)
        bigEndian(majorType | 27, 8)
    }
}

function reserve(size: number): number {
    const at = length
    if (at + size > bytes.length) throw new RangeError("CBOR is full")
    length = at + size
    return at
}

/** Writes the start of a SenML record: a map's initial byte, bytes that are already encoded, and `value / 2^bits`. */
export function writeStart(initialByte: number, encoded: Buffer, value: number, bits: number): void {
    bytes[length] = initialByte
    bytes.blitAt(length + 1, encoded, 0, encoded.length)
    length += 1 + encoded.length
    writeFixed(value, bits)
}

/** Writes a pair: its label and its value, `value / 2^bits`. */
export function writePair(label: number, value: number, bits: number): void {
    bytes[length++] = label
    writeFixed(value, bits)
}

/** State of a series: bytes before each value, and the position of the value in a word, in 2^-`seriesBits`. */
let seriesStart: Buffer
let seriesShift = 0
let seriesMask = 0
let seriesBias = 0
let seriesBits = 0

/**
 * Begins a series of SenML records: `encoded` precedes each value, which is a field of a word minus `bias`, in
 * 2^-`bits`.
 */
export function beginSeries(encoded: Buffer, shift: number, mask: number, bias: number, bits: number): void {
    seriesStart = encoded
    seriesShift = shift
    seriesMask = mask
    seriesBias = bias
    seriesBits = bits
}

/**
 * Writes the records for the words from `from` to before `to` that have a value: maps of the value, and of the time
 * since `zero` in 2^-`timeBits` unless that is 0. The link spends most of its time here, so it contains no calls.
 * @returns the number of records
 */
export function writeSeries(words: number[], times: number[], from: number, to: number, zero: number): number {
    const start = seriesStart
    const size = start.length
    const shift = seriesShift
    const mask = seriesMask
    const fraction = (1 << seriesBits) - 1
    let at = length
    let count = 0
    for (let i = from; i < to; i++) {
        let value = (words[i] >> shift) & mask
        if (value === 0) continue
        value -= seriesBias
        count++
        const time = times[i] - zero
        bytes[at] = time === 0 ? mapOfTwo : mapOfThree
        bytes.blitAt(at + 1, start, 0, size)
        at += 1 + size
        if (value > 0 && value < 2048 && value & fraction) {
            // As `writeFixed` writes it: a fraction in binary16.
            let exponent = 25 - seriesBits
            while (value < 1024) {
                value <<= 1
                exponent--
            }
            bytes[at] = float16
            bytes[at + 1] = (exponent << 2) | ((value >> 8) & 3)
            bytes[at + 2] = value & 0xff
            at += 3
        } else {
            length = at
            writeFixed(value, seriesBits)
            at = length
        }
        if (time === 0) continue
        bytes[at] = timeLabel
        if (time > 0 && time < 24 << timeBits && (time & ((1 << timeBits) - 1)) === 0) {
            bytes[at + 1] = time >> timeBits
            at += 2
        } else {
            length = at + 1
            writeFixed(time, timeBits)
            at = length
        }
    }
    length = at
    reserve(0)
    return count
}

/** The head of a byte string in its shortest form. */
export function byteStringHead(length: number): Buffer {
    if (length < 24) return Buffer.from([byteString | length])
    if (length < 0x100) return Buffer.from([byteString | 24, length])
    return Buffer.from([byteString | 25, length >> 8, length & 0xff])
}

/** The binary16 pattern of the binary32 number at the start of `bits`. Negative if there is no exact one. */
function halfOf(bits: Buffer): number {
    const mantissa = bits.getAt(0, "u16") | ((bits[2] & 0x7f) << 16)
    const exponent = ((bits[3] & 0x7f) << 1) | (bits[2] >> 7)
    const sign = (bits[3] & 0x80) << 8
    if (exponent > 112 && exponent < 143) {
        if (mantissa & 0x1fff) return -1
        return sign | ((exponent - 112) << 10) | (mantissa >> 13)
    }
    if (exponent < 103 || exponent > 142) return -1
    // Subnormal in binary16.
    const significand = mantissa | 0x800000
    const shift = 126 - exponent
    if (significand & ((1 << shift) - 1)) return -1
    return sign | (significand >> shift)
}

/*
 * The reader for a known sequence of items, in deterministic encoding only. After anything else `isCborOk` stays false,
 * and returned values are meaningless.
 */

export let isCborOk = true
/** Offset of the next item. */
export let cborAt: number
let input: Buffer

/** Begins to read; `endCbor` must be called in any case. */
export function readCbor(from: Buffer): void {
    input = from
    cborAt = 0
    isCborOk = true
}

/** Marks the input as invalid for a reason of the caller's. */
export function failCbor(): void {
    isCborOk = false
}

/** Skips bytes. */
export function skipCbor(length: number): void {
    cborAt += length
}

/** Expects exactly these bytes. */
export function expectCbor(encoded: Buffer): void {
    for (let i = 0; i < encoded.length; i++) if (input[cborAt + i] !== encoded[i]) isCborOk = false
    cborAt += encoded.length
}

/** Reads a byte string of exactly `length` bytes. */
export function readByteString(length: number): Buffer {
    if (argument(byteString) !== length) isCborOk = false
    return take(length)
}

/** Reads a byte string of any length. */
export function readAnyByteString(): Buffer {
    return take(argument(byteString))
}

/** Reads an unsigned integer up to 2^53 − 1. */
export function readUnsigned(): number {
    return argument(unsigned)
}

/** Reads the head of a map. @returns the number of pairs */
export function readMap(): number {
    return argument(map)
}

/** Reads a text, an unsigned integer, or a positive number with a fraction that is exact in binary16. */
export function readScalar(): number | string {
    const initial = input[cborAt]
    if ((initial & 0xe0) === textString) {
        const text = take(argument(textString))
        return text ? text.toString() : ""
    }
    if (initial !== float16) return argument(unsigned)
    const bits = take(3)
    if (!bits) return 0
    // Only normal numbers that are not whole.
    const exponent = bits[1] >> 2
    const value = (((bits[1] & 3) << 8) | bits[2] | 0x400) / (1 << (25 - exponent))
    if (exponent < 1 || exponent > 24 || value === Math.floor(value)) isCborOk = false
    return value
}

/** Ends reading and releases the input. @returns whether everything was as expected */
export function endCbor(): boolean {
    if (cborAt !== input.length) isCborOk = false
    input = undefined
    return isCborOk
}

function argument(majorType: number): number {
    const initial = byte()
    const info = initial & 0x1f
    if ((initial & 0xe0) !== majorType || info > 27) {
        isCborOk = false
        return 0
    }
    if (info < 24) return info
    const size = 1 << (info - 24)
    let value = 0
    for (let i = 0; i < size; i++) value = value * 256 + byte()
    // Shortest form only. (1 << 32 does not give 2^32.)
    if (size === 1 ? value < 24 : size < 8 ? value < (size === 2 ? 0x100 : 0x10000) : value < twoTo32) isCborOk = false
    if (value >= twoTo53) isCborOk = false
    return isCborOk ? value : 0
}

function byte(): number {
    if (cborAt >= input.length) {
        isCborOk = false
        return 0
    }
    return input[cborAt++]
}

function take(length: number): Buffer {
    const start = cborAt
    if (!isCborOk || start + length > input.length) {
        isCborOk = false
        return undefined
    }
    cborAt = start + length
    return input.slice(start, start + length)
}
