/** Unless its configuration says otherwise, a mote measures every 2 s. */
const defaultReadingMs = 2000
const sameReadingMs = 500
/** More gaps than that are merged; what arrives for the older ones is not missed, but not counted either. */
const maxRuns = 1000

/** When a mote had no power, unix ms; the last one may still go on. */
export type Pauses = readonly (readonly [from: number, to: number])[]

export interface Delivery {
    expected: number
    arrived: number
}

/** Readings one after the other, with none missing. */
interface Run {
    firstMs: number
    lastMs: number
    count: number
}

/**
 * When the readings were measured that have arrived, in whatever order. Kept are the gaps, not the readings, so days
 * need no more memory than an hour.
 */
export class ReadingTimes {
    private readonly runs: Run[] = []
    private readonly settled: Delivery = { expected: 0, arrived: 0 }
    private readonly pauses: Pauses
    private readonly readingMs: number

    /** @param readingMs from one reading to the next; a mote may measure more often before it knows that */
    constructor(pauses: Pauses, readingMs = defaultReadingMs) {
        this.pauses = pauses
        this.readingMs = readingMs
    }

    /** @param continues nothing is missing before it: if the times say otherwise, the mote's clock was put right in between */
    add(ms: number, continues = false): void {
        const { runs } = this
        let at = runs.length
        while (at > 0 && runs[at - 1]!.firstMs > ms) at--
        const before = runs[at - 1]
        const after = runs[at]
        if (before && ms <= before.lastMs + sameReadingMs) return
        if (after && ms >= after.firstMs - sameReadingMs) return
        if (!before && this.settled.expected) return // of a time that is closed
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
     * Of the readings from the first that arrived up to a moment, the share that has arrived. A pause without power has no
     * readings and counts none.
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

    /** Readings that were measured between two that have arrived. */
    private missing(fromMs: number, toMs: number): number {
        const isPaused = this.pauses.some(([from, to]) => from < toMs && to > fromMs)
        return isPaused ? 0 : Math.max(0, this.beats(toMs - fromMs) - 1)
    }

    /** Readings of one start keep their beat; half a beat more or less is the same one. */
    private beats(ms: number): number {
        return Math.round(ms / this.readingMs)
    }

    /** The oldest gap is closed for good. */
    private settle(): void {
        const { count, lastMs } = this.runs.shift()!
        this.settled.arrived += count
        this.settled.expected += count + this.missing(lastMs, this.runs[0]!.firstMs)
    }
}
