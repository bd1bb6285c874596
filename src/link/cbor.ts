/*
 * CBOR (RFC 8949), as far as a mote needs it: whole numbers, texts, byte strings, arrays and maps in deterministic
 * encoding (§4.2.1), written to a buffer that is allocated once, and a strict reader for messages from the router.
 *
 * The writer is started by `pack.ts` and used by every module that creates a pack. The reader is started by its user
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
const nullItem = 0xf6

const maxArrayHead = 2

const twoTo32 = 4294967296
const twoTo53 = 9007199254740992

/* The writer appends items to one buffer; a pack is written without suspending. RangeError if they do not fit. */

/** The first `length` bytes have been written. */
let bytes: Buffer
let length = 0
/** Where the open map begins. */
let mapAt = 0
/** The numbers of one byte, from this one on. */
const smallest = -24
const smallCodes = hex`
    37 36 35 34 33 32 31 30 2f 2e 2d 2c 2b 2a 29 28 27 26 25 24 23 22 21 20
    00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14 15 16 17`

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
    reserve(0)
    return bytes.slice(0, length)
}

/** Writes items that are already encoded. */
export function writeRaw(encoded: Buffer): void {
    bytes.blitAt(reserve(encoded.length), encoded, 0, encoded.length)
}

export function writeText(text: string): void {
    head(textString, text.byteLength)
    bytes.blitAt(reserve(text.byteLength), text, 0, text.byteLength)
}

/** Begins an array; the number of items is given at its end. */
export function beginArray(): void {
    length = maxArrayHead
}

/** A copy of the written array. @param items at most 255 */
export function endArray(items: number): Buffer {
    if (items > 0xff) throw new RangeError("CBOR is full")
    reserve(0)
    bytes[0] = array | 24
    bytes[1] = items
    if (items >= 24) return bytes.slice(0, length)
    bytes[1] = array | items
    return bytes.slice(1, length)
}

/** Writes an array's head; its items follow. */
export function writeArrayHead(items: number): void {
    head(array, items)
}

/** Begins a map of less than 24 pairs; their number is given at its end. One map at a time. */
export function beginMap(): void {
    mapAt = length++
}

export function endMap(pairs: number): void {
    bytes[mapAt] = map | pairs
}

/** Takes back the beginning of a map, and what is in it. */
export function cancelMap(): void {
    length = mapAt
}

/** Writes a whole number between -2^53 and 2^53. */
export function writeNumber(value: number): void {
    if (value >= 0) head(unsigned, value)
    else head(negative, -1 - value)
}

export function writeNull(): void {
    bytes[length++] = nullItem
}

/**
 * Writes the differences of fields of words, the first from `before`, and null where a field is `absent`. The link spends
 * most of its time here, so small differences are written without a call.
 * @param words of 4 bytes
 * @param from number of the first word
 * @param end number of the word after the last
 */
export function writeDifferences(
    words: Buffer,
    from: number,
    end: number,
    shift: number,
    mask: number,
    before: number,
    absent: number,
): void {
    const out = bytes
    const codes = smallCodes
    let at = length
    before += smallest
    end <<= 2
    for (let i = from << 2; i < end; i += 4) {
        const value = (words.getAt(i, "i32") >> shift) & mask
        if (value === absent) {
            out[at] = nullItem
            at = at + 1
            continue
        }
        const code = codes[value - before]
        if (code === undefined) {
            length = at
            writeNumber(value - before + smallest)
            at = length
        } else {
            out[at] = code
            at = at + 1
        }
        before = value + smallest
    }
    length = at
}

/** Writes initial byte and argument (RFC 8949 §3) in the shortest form. What does not fit is noticed at the end. */
function head(majorType: number, argument: number): void {
    const at = length
    if (argument < 24) {
        bytes[at] = majorType | argument
        length = at + 1
    } else if (argument < 0x100) {
        bytes[at] = majorType | 24
        bytes[at + 1] = argument
        length = at + 2
    } else if (argument < 0x10000) {
        bytes[at] = majorType | 25
        bytes[at + 1] = argument >> 8
        bytes[at + 2] = argument & 0xff
        length = at + 3
    } else if (argument < twoTo32) {
        bytes[at] = majorType | 26
        length = at + 1
        bigEndian32(argument)
    } else {
        bytes[at] = majorType | 27
        length = at + 1
        const high = Math.floor(argument / twoTo32)
        bigEndian32(high)
        bigEndian32(argument - high * twoTo32)
    }
}

function bigEndian32(value: number): void {
    const at = length
    bytes[at] = value >>> 24
    bytes[at + 1] = (value >> 16) & 0xff
    bytes[at + 2] = (value >> 8) & 0xff
    bytes[at + 3] = value & 0xff
    length = at + 4
}

function reserve(size: number): number {
    const at = length
    if (at + size > bytes.length) throw new RangeError("CBOR is full")
    length = at + size
    return at
}

/** The head of a byte string in its shortest form. */
export function byteStringHead(length: number): Buffer {
    if (length < 24) return Buffer.from([byteString | length])
    if (length < 0x100) return Buffer.from([byteString | 24, length])
    return Buffer.from([byteString | 25, length >> 8, length & 0xff])
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
