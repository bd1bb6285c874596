/*
 * A summary is 32 bytes: time of its first reading in ticks of `millis()` (u32); ticks from there to its last reading,
 * number of readings (u16 each); then for each quantity the number of readings with it, mean, minimum and maximum (u16
 * each), in the units of the queue's fields, the mean in quarters of them.
 *
 * Started by `queue.ts`, which adds and removes summaries; `pack.ts` reads them.
 */

const summaryBytes = 32
const spanAt = 4
const countAt = 6
const quantitiesAt = 8
const quantityBytes = 8
const meanBits = 2

/** Fields of the queue's i32: heart rate, temperature, oxygen saturation. */
export const quantities = 3
const shifts = hex`00 0c 18`
const maskBits = hex`0c 0c 07`

const most = 0xffff

/* Mean, minimum and maximum of readings for which there was no room, oldest first. */

export let summaryCount = 0
let bytes: Buffer

/** Must be called first, once. */
export function startSummaries(capacity: number): void {
    bytes = Buffer.alloc(capacity * summaryBytes)
}

/** Discards all summaries. */
export function clearSummaries(): void {
    summaryCount = 0
}

/** Adds a summary of readings that are newer than all before; there must be room. */
export function addSummary(count: number, firstTicks: number, lastTicks: number, seconds: Buffer): void {
    const start = summaryCount * summaryBytes
    summaryCount++
    bytes.setAt(start, "u32", firstTicks)
    bytes.setAt(start + spanAt, "u16", lastTicks - firstTicks)
    bytes.setAt(start + countAt, "u16", count)
    for (let quantity = 0; quantity < quantities; quantity++) {
        const shift = shifts[quantity]
        const mask = (1 << maskBits[quantity]) - 1
        let has = 0
        let sum = 0
        let low = most
        let high = 0
        for (let i = 0; i < count; i++) {
            const value = (seconds.getAt(i << 2, "i32") >> shift) & mask
            if (value === 0) continue
            has++
            sum += value
            if (value < low) low = value
            if (value > high) high = value
        }
        const at = start + quantitiesAt + quantity * quantityBytes
        bytes.setAt(at, "u16", has)
        bytes.setAt(at + 2, "u16", has === 0 ? 0 : Math.round((sum << meanBits) / has))
        bytes.setAt(at + 4, "u16", low)
        bytes.setAt(at + 6, "u16", high)
    }
}

/**
 * Makes room for one summary: merges the oldest of the shortest pairs of neighbours; if all are too long, drops the
 * oldest summary. @returns the number of readings lost
 */
export function makeSummaryRoom(): number {
    if (summaryCount * summaryBytes < bytes.length) return 0
    let shortest = -1
    let leastTicks = most + 1
    for (let start = 0; start < (summaryCount - 1) * summaryBytes; start += summaryBytes) {
        const next = start + summaryBytes
        const ticks = bytes.getAt(next, "u32") + bytes.getAt(next + spanAt, "u16") - bytes.getAt(start, "u32")
        if (ticks < 0 || ticks >= leastTicks) continue
        if (bytes.getAt(start + countAt, "u16") + bytes.getAt(next + countAt, "u16") > most) continue
        shortest = start
        leastTicks = ticks
    }
    if (shortest >= 0) {
        merge(shortest, leastTicks)
        remove(shortest + summaryBytes)
        return 0
    }
    const lost = bytes.getAt(countAt, "u16")
    remove(0)
    return lost
}

/** Removes the oldest summary. @returns the number of its readings */
export function dropSummary(): number {
    const count = readingsOf(0)
    remove(0)
    return count
}

/** Time of the first reading of the oldest summary, in ticks of `millis()`. */
export function firstSummaryTicks(): number {
    return bytes.getAt(0, "u32")
}

/** Time of the middle of a summary, in ticks of `millis()`. */
export function middleOf(index: number): number {
    return bytes.getAt(index * summaryBytes, "u32") + (spanOf(index) >> 1)
}

/** Time from the first reading to the last, in ticks. */
export function spanOf(index: number): number {
    return bytes.getAt(index * summaryBytes + spanAt, "u16")
}

export function readingsOf(index: number): number {
    return bytes.getAt(index * summaryBytes + countAt, "u16")
}

/** What a summary says of a quantity. */
export const enum Part {
    /** Number of readings with it; if it is 0, the others are undefined. */
    count = 0,
    /** In units of the queue's field, as are minimum and maximum. */
    mean = 2,
    least = 4,
    most = 6,
}

export function partOf(index: number, quantity: number, part: Part): number {
    const value = bytes.getAt(index * summaryBytes + quantitiesAt + quantity * quantityBytes + part, "u16")
    return part === Part.mean ? (value + (1 << (meanBits - 1))) >> meanBits : value
}

/** Merges the summary at `start` with the next, into one of `ticks`. */
function merge(start: number, ticks: number): void {
    const count = bytes.getAt(start + countAt, "u16")
    bytes.setAt(start + spanAt, "u16", ticks)
    bytes.setAt(start + countAt, "u16", count + bytes.getAt(start + summaryBytes + countAt, "u16"))
    for (let quantity = 0; quantity < quantities; quantity++) {
        const at = start + quantitiesAt + quantity * quantityBytes
        const next = at + summaryBytes
        const ours = bytes.getAt(at, "u16")
        const theirs = bytes.getAt(next, "u16")
        const has = ours + theirs
        if (theirs === 0) continue
        const sum = ours * bytes.getAt(at + 2, "u16") + theirs * bytes.getAt(next + 2, "u16")
        bytes.setAt(at, "u16", has)
        bytes.setAt(at + 2, "u16", Math.round(sum / has))
        bytes.setAt(at + 4, "u16", Math.min(bytes.getAt(at + 4, "u16"), bytes.getAt(next + 4, "u16")))
        bytes.setAt(at + 6, "u16", Math.max(bytes.getAt(at + 6, "u16"), bytes.getAt(next + 6, "u16")))
    }
}

function remove(start: number): void {
    bytes.rotate(summaryBytes, start, summaryCount * summaryBytes)
    summaryCount--
}
