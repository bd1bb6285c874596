/** Times from `from` on and before `before`, unix ms. */
export interface TimeRange {
    from: number
    before: number
}

/** Which readings a search wants by their time: single ones have a moment, summaries a period. */
export interface TimeFilter {
    /** Disjoint and in order. */
    moments: TimeRange[]
    /** No period matches that lies outside; where it is empty, one that is around it still may. */
    periods: TimeRange
    matches(period: TimeRange): boolean
}

/** When something was measured, in whole milliseconds: a summary from its first reading to its last. */
export function periodOf({ time, summary }: { time: number; summary: { spanMs: number } | null }): TimeRange {
    if (summary === null) return { from: time, before: time + 1 }
    const from = time - Math.floor(summary.spanMs / 2)
    return { from, before: from + summary.spanMs + 1 }
}
