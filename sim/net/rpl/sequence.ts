/** RFC 6550 §7.2: sequence counters start at 240, count to 255 once, and then cycle from 0 to 127. */
export const firstSequence = 240

/** Increments a lollipop counter (RFC 6550 §7.2). */
export function nextSequence(value: number): number {
    if (value >= 128) return value === 255 ? 0 : value + 1
    return (value + 1) & 127
}

const sequenceWindow = 16

/** Whether `a` is newer than `b` (RFC 6550 §7.2). */
export function isNewer(a: number, b: number): boolean {
    if (a >= 128 && b < 128) return 256 + b - a > sequenceWindow
    if (a < 128 && b >= 128) return 256 + a - b <= sequenceWindow
    const size = a < 128 ? 128 : 256
    const ahead = (a - b + size) % size
    return ahead > 0 && ahead <= sequenceWindow
}
