/**
 * Retention's own time, which a clock that jumps cannot hurry: it follows the clock, is never ahead of it, and goes at twice the speed
 * of time at most. So a clock that is a day ahead for an hour makes it two hours older at most, and after a standstill it catches up.
 */
export class RetentionTime {
    private readonly now: () => number
    private readonly elapsed: () => number
    private seenAt: number

    /** @param now the time of day, unix ms; `elapsed` is a clock that nobody sets */
    constructor(now: () => number, elapsed: () => number) {
        this.now = now
        this.elapsed = elapsed
        this.seenAt = elapsed()
    }

    /** Another process has gone on with it: what passed here does not count. */
    restart(): void {
        this.seenAt = this.elapsed()
    }

    /** @param last the time that it was, undefined for the first time */
    next(last: number | undefined): number {
        const elapsed = this.elapsed()
        const passed = elapsed - this.seenAt
        this.seenAt = elapsed
        const now = this.now()
        return last === undefined ? now : Math.trunc(Math.min(now, last + 2 * passed))
    }
}
