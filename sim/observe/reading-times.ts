/** Default interval between readings of a mote. */
const defaultReadingMs = 2000
const sameReadingMs = 500
/** Above this number of gaps the oldest are closed: later arrivals for them are not counted. */
const maxRuns = 1000

/** Intervals in which a mote had no power, in Unix ms; the last one may still be open. */
export type Pauses = readonly (readonly [from: number, to: number])[]

export interface Delivery {
    expected: number
    arrived: number
}

/** Consecutive readings, with none missing. */
interface Run {
    firstMs: number
    lastMs: number
    count: number
}

/**
 * Times of measurement of the readings that have arrived, in any order. It stores the gaps and not the readings, so
 * days need no more memory than an hour.
 */
export class ReadingTimes {
    private readonly runs: Run[] = []
    private readonly settled: Delivery = { expected: 0, arrived: 0 }
    private readonly pauses: Pauses
    private readonly readingMs: number

    /** @param readingMs interval between readings; until it has its configuration, a mote may measure more often */
    constructor(pauses: Pauses, readingMs = defaultReadingMs) {
        this.pauses = pauses
        this.readingMs = readingMs
    }

    /**
     * @param continues no reading is missing before this one; if the times disagree, the mote's clock was set in
     * between
     */
    add(ms: number, continues = false): void {
        const { runs } = this
        let at = runs.length
        while (at > 0 && runs[at - 1]!.firstMs > ms) at--
        const before = runs[at - 1]
        const after = runs[at]
        if (before && ms <= before.lastMs + sameReadingMs) return
        if (after && ms >= after.firstMs - sameReadingMs) return
        if (!before && this.settled.expected) return // before the oldest open gap
        const follows = before !== undefined && (continues || this.beats(ms - before.lastMs) <= 1)
        const leads = after !== undefined && this.beats(after.firstMs - ms) <= 1
        if (follows && leads) {
            before.lastMs = after.lastMs
            before.count += 1 + after.count
            runs.splice(at, 1)
        } else if (follows) {
            before.lastMs = ms
            before.count++
        } else if (leads) {
            after.firstMs = ms
            after.count++
        } else runs.splice(at, 0, { firstMs: ms, lastMs: ms, count: 1 })
        if (runs.length > maxRuns) this.settle()
    }

    /**
     * The share of readings that has arrived, of those from the first arrival up to a moment. An interval without power
     * counts no readings.
     */
    delivery(untilMs: number): Delivery {
        let { expected, arrived } = this.settled
        this.runs.forEach((run, i) => {
            const { firstMs, lastMs, count } = run
            if (firstMs > untilMs) return
            const beatMs = count > 1 ? (lastMs - firstMs) / (count - 1) : this.readingMs
            const some = Math.min(count, Math.floor((untilMs - firstMs) / beatMs + 1e-6) + 1)
            const next = Math.min(this.runs[i + 1]?.firstMs ?? untilMs, untilMs)
            arrived += some
            expected += some === count ? count + this.missing(lastMs, next) : some
        })
        return { expected, arrived }
    }

    /** Number of missing readings between two that have arrived. */
    private missing(fromMs: number, toMs: number): number {
        const isPaused = this.pauses.some(([from, to]) => from < toMs && to > fromMs)
        return isPaused ? 0 : Math.max(0, this.beats(toMs - fromMs) - 1)
    }

    /** Readings of one start are evenly spaced; half an interval of jitter is tolerated. */
    private beats(ms: number): number {
        return Math.round(ms / this.readingMs)
    }

    /** Closes the oldest gap for good. */
    private settle(): void {
        const { count, lastMs } = this.runs.shift()!
        this.settled.arrived += count
        this.settled.expected += count + this.missing(lastMs, this.runs[0]!.firstMs)
    }
}
