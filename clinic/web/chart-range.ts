/* Which part of the past a chart shows. No DOM in here. */

export const spans = {
    m5: 5 * 60_000,
    h1: 3_600_000,
    h8: 8 * 3_600_000,
    h24: 24 * 3_600_000,
    d7: 7 * 86_400_000,
    d30: 30 * 86_400_000,
}
export type SpanName = keyof typeof spans

export interface ChartRange {
    ms: number
    /** A point of the chart stands for so long. */
    stepS: number
    /** The right edge, unix ms; null: now, going on with the time. */
    end: number | null
}

/** The clinic gives so many steps at once; the last one is not over. */
const maxSteps = 1400
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600]
const leastMs = 60_000
const greatestMs = spans.d30

export function rangeOf(ms: number, end: number | null): ChartRange {
    const span = Math.min(greatestMs, Math.max(leastMs, Math.round(ms)))
    const stepS = steps.find(step => step * 1000 * maxSteps >= span) ?? steps.at(-1)!
    return { ms: span, stepS, end }
}

/** Moved by a part of its width; into the future it does not go, and at its edge it goes on with the time. */
export function panned({ ms, end }: ChartRange, share: number, now: number): ChartRange {
    const moved = (end ?? now) + share * ms
    return rangeOf(ms, moved >= now ? null : moved)
}

/** A time (unix ms) in its middle, or as near to that as now lets it be. */
export function centred({ ms }: ChartRange, time: number, now: number): ChartRange {
    const end = time + ms / 2
    return rangeOf(ms, end >= now ? null : end)
}

/** Wider (`factor` above 1) or narrower; what lies at `at` (0 the left edge, 1 the right one) stays where it is. */
export function zoomed(range: ChartRange, factor: number, at: number, now: number): ChartRange {
    const right = range.end ?? now
    const fixed = right - range.ms * (1 - at)
    const { ms } = rangeOf(range.ms * factor, null)
    const end = fixed + ms * (1 - at)
    return rangeOf(ms, (range.end === null && at >= 1) || end >= now ? null : end)
}

/** The name of a span that a range has by now. */
export function nameOf({ ms }: ChartRange): SpanName | undefined {
    return (Object.keys(spans) as SpanName[]).find(name => spans[name] === ms)
}
