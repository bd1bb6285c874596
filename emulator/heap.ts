/** The heap of DeviceScript's VM in a chip's RAM, found by its form: words with a tag and a size, one behind the other. */
export interface Heap {
    totalBytes: number
    /** Garbage that nobody has collected yet included. */
    usedBytes: number
    largestFreeBytes: number
}

const ramBase = 0x20000000
/** DeviceScript's gc_alloc.c: a tag in the upper byte, words in the lower three. */
const tagShift = 24
const sizeMask = 0xffffff
const basicTag = 0x0f
const FREE = 1
const FINAL = 0x4f
const minHeapBytes = 32 * 1024
const headerWords = 2

/** @returns undefined where there is none yet */
export function heapOf(ram: Uint8Array): Heap | undefined {
    const words = new Uint32Array(ram.buffer, ram.byteOffset, ram.length >> 2)
    for (let at = 0; at + headerWords < words.length; at++) {
        if (words[at] !== 0) continue // the next chunk: there is one
        const end = (words[at + 1]! - ramBase) >>> 2
        if (end - at < minHeapBytes / 4 || words[end] !== ((FINAL << tagShift) | 1)) continue
        const heap = walk(words, at + headerWords, end)
        if (heap) return heap
    }
    return undefined
}

function walk(words: Uint32Array, start: number, end: number): Heap | undefined {
    let usedBytes = 0
    let largestFreeBytes = 0
    let at = start
    while (at < end) {
        const size = words[at]! & sizeMask
        const isFree = ((words[at]! >>> tagShift) & basicTag) === FREE
        if (size === 0) return undefined
        if (isFree) largestFreeBytes = Math.max(largestFreeBytes, 4 * size)
        else usedBytes += 4 * size
        at += size
    }
    return at === end ? { totalBytes: 4 * (end - start), usedBytes, largestFreeBytes } : undefined
}
