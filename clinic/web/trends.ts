import { trends } from "./api.ts"
import { now } from "./clock.ts"
import { Series } from "./series.ts"
import { heartRate } from "./vital.ts"
import type { Observation } from "./api.ts"

const stepS = 5
export const trendMs = 5 * 60_000
const retryMs = 3000

/** The heart rates of everybody over the last minutes: one request for all of them, then kept up to date by what arrives. */
export class Trends {
    private readonly series = new Map<number, Series>()
    private readonly changed: () => void
    private timer: number | undefined
    private isClosed = false

    /** @param changed is called when what was asked for has come */
    constructor(changed: () => void) {
        this.changed = changed
        void this.load()
    }

    of(patient: number): Series {
        let series = this.series.get(patient)
        if (!series) this.series.set(patient, (series = new Series(stepS * 1000)))
        return series
    }

    add({ patient, name, time, value }: Observation): void {
        if (name !== heartRate.name) return
        const series = this.of(patient)
        series.add(time, value)
        series.trim(now() - trendMs - stepS * 1000)
    }

    async load(): Promise<void> {
        try {
            const steps = trendMs / 1000 / stepS + 1
            const { from, stepMs, patients } = await trends(now() - trendMs, steps, stepS)
            for (const { patient, hr } of patients)
                this.of(patient).load(
                    hr.flatMap((mean, i) =>
                        mean === null
                            ? []
                            : { time: from + i * stepMs, count: 1, mean, min: mean, max: mean, quality: null },
                    ),
                )
            if (!this.isClosed) this.changed()
        } catch {
            // The line at the top says it when the clinic is away; values that come are drawn all the same.
            if (!this.isClosed) this.timer = window.setTimeout(() => void this.load(), retryMs)
        }
    }

    close(): void {
        this.isClosed = true
        clearTimeout(this.timer)
    }
}
