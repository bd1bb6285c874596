import type { HistoryPoint } from "./api.ts"

type Column = (number | null)[]
/** Time (unix s), mean, min, max, signal quality: what a chart draws. A row of nulls breaks the line. */
export type Columns = [number[], Column, Column, Column, Column]

/** Readings come every 2 s; where nothing came for longer than this, the line is broken. */
const gapMs = 15_000

/** Readings in steps of time, as the clinic sends them, kept up to date with single ones. */
export class Series {
    private readonly stepMs: number
    private points: HistoryPoint[] = []
    /** Since somebody has set it to false. */
    isChanged = true

    constructor(stepMs: number) {
        this.stepMs = stepMs
    }

    /** Takes a history; of each step it keeps what has more readings, since some arrive while the history is loading. */
    load(points: readonly HistoryPoint[]): void {
        this.isChanged = true
        const steps = new Map(this.points.map(point => [point.time, point]))
        for (const point of points) {
            const known = steps.get(point.time)
            if (!known || known.count <= point.count) steps.set(point.time, point)
        }
        this.points = [...steps.values()].sort((a, b) => a.time - b.time)
    }

    /** A single reading, with the quality of its signal where that is known; null where there was none to be trusted. */
    add(time: number, value: number | null, quality: number | null = null): void {
        this.isChanged = true
        const start = time - (time % this.stepMs)
        let at = this.points.length
        while (at > 0 && this.points[at - 1]!.time > start) at--
        const known = this.points[at - 1]
        if (known?.time !== start) {
            const count = value === null ? 0 : 1
            const point = { time: start, count, mean: value, min: value, max: value, quality }
            this.points.splice(at, 0, point)
            return
        }
        known.quality = quality ?? known.quality
        if (value === null) return
        known.mean = ((known.mean ?? 0) * known.count + value) / (known.count + 1)
        known.min = Math.min(known.min ?? value, value)
        known.max = Math.max(known.max ?? value, value)
        known.count++
    }

    /** Forgets what lies before. */
    trim(from: number): void {
        while (this.points[0] && this.points[0].time < from) this.points.shift()
    }

    columns(): Columns {
        const columns: Columns = [[], [], [], [], []]
        const add = (time: number, ...values: (number | null)[]) => {
            columns[0].push(time / 1000)
            for (const i of [1, 2, 3, 4] as const) columns[i].push(values[i - 1] ?? null)
        }
        let previous: number | undefined
        for (const { time, mean, min, max, quality } of this.points) {
            if (previous !== undefined && time - previous > Math.max(gapMs, 3 * this.stepMs))
                add(previous + this.stepMs)
            add(time, mean, min, max, quality)
            previous = time
        }
        return columns
    }

    /** Least and greatest value; undefined where there is none. */
    range(): { min: number; max: number } | undefined {
        const values = this.points.filter(point => point.min !== null && point.max !== null)
        if (values.length === 0) return undefined
        return {
            min: Math.min(...values.map(point => point.min!)),
            max: Math.max(...values.map(point => point.max!)),
        }
    }
}
