import type uPlot from "uplot"
import type { Score, ScorePoint } from "./api.ts"
import type { Curve } from "./curve.ts"
import { duration, setting } from "./format.ts"
import { t } from "./texts/language.ts"

/** The page hears of the score at least this often; until then the last one holds. */
const holdsMs = 90_000
/** What the axis shows at least, and the thresholds of an urgent and of an emergency response. */
const axisMax = 8
const greatest = 20
const thresholds = [5, 7]

/** NEWS2 as steps: a solid line for a total, a dashed one for what is known of a score that is not complete. */
export class ScoreCurve implements Curve {
    readonly name = "news2"
    readonly columnNames = ["news2", "news2-at-least", "news2-oldest"]
    private stepMs: number
    private points: ScorePoint[] = []
    private heardAt = -Infinity
    /** What the page heard last holds until then. */
    private holdsUntil = -Infinity

    constructor(stepMs: number) {
        this.stepMs = stepMs
    }

    label(): string {
        return t.news2.heading
    }

    caption(): string {
        return t.news2.heading
    }

    setStep(stepMs: number): void {
        this.stepMs = stepMs
        this.points = []
    }

    trim(from: number): void {
        while (this.points[0] && this.points[0].time < from) this.points.shift()
    }

    load(points: readonly ScorePoint[]): void {
        const known = new Map([...points, ...this.points].map(point => [point.time, point]))
        this.points = [...known.values()].sort((a, b) => a.time - b.time)
    }

    /** The score as it is at that time. */
    add({ at, total, atLeast, oldestAt }: Score): void {
        if (at < this.heardAt) return
        this.heardAt = at
        this.holdsUntil = oldestAt === null ? at : at + holdsMs
        if (oldestAt === null) return
        const time = at - (at % this.stepMs)
        this.points = [...this.points.filter(point => point.time < time), { time, total, atLeast, oldestAt }]
    }

    columns(now: number): uPlot.AlignedData {
        const columns: [number[], ...(number | null)[][]] = [[], [], [], []]
        const add = (time: number, point?: ScorePoint) => {
            columns[0].push(time / 1000)
            columns[1]!.push(point?.total ?? null)
            columns[2]!.push(point?.atLeast ?? null)
            columns[3]!.push(point?.oldestAt ?? null)
        }
        for (const [i, point] of this.points.entries()) {
            const next = this.points[i + 1]?.time
            add(point.time, point)
            const end = this.endOf(point, now)
            // Another point where it ends, so that the cursor finds it there, too.
            if (next === undefined || next > end) {
                add(end, point)
                add(end + 1)
            }
        }
        return columns
    }

    options(): ReturnType<Curve["options"]> {
        // Steps are drawn by `draw`; the columns are there for the cursor and the axis.
        const silent = { stroke: "transparent", width: 0, points: { show: false } }
        return { series: [{ ...silent }, { ...silent }, { show: false }] }
    }

    axis(_min: number | null, max: number | null): [number, number] {
        return [0, Math.min(greatest, Math.max(axisMax, max === null ? 0 : max + 1))]
    }

    described(): string {
        const totals = this.points.flatMap(({ total }) => total ?? [])
        if (totals.length === 0) return t.chart.noValues
        return t.chart.values(setting(Math.min(...totals)), setting(Math.max(...totals)), "").trim()
    }

    readout(time: number, [total, atLeast, oldestAt]: readonly (number | null | undefined)[]): string {
        if (typeof atLeast !== "number" || typeof oldestAt !== "number") return t.chart.noValues
        const value = typeof total === "number" ? setting(total) : t.news2.incomplete(t.news2.atLeast(setting(atLeast)))
        return t.news2.withAge(value, duration(time - oldestAt))
    }

    draw(plot: uPlot, colour: (name: string) => string): void {
        const { ctx, bbox } = plot
        const scale = devicePixelRatio
        ctx.strokeStyle = colour("--warn")
        ctx.lineWidth = scale
        ctx.setLineDash([6 * scale, 5 * scale])
        for (const threshold of thresholds) {
            const y = plot.valToPos(threshold, "y", true)
            line(ctx, bbox.left, y, bbox.left + bbox.width, y)
        }
        ctx.strokeStyle = colour("--text")
        const right = (plot.scales.x?.max ?? 0) * 1000
        let before: { x: number; y: number } | undefined
        for (const [i, point] of this.points.entries()) {
            const next = this.points[i + 1]?.time ?? Infinity
            const isWhole = point.total !== null
            const y = plot.valToPos(point.total ?? point.atLeast, "y", true)
            const from = plot.valToPos(point.time / 1000, "x", true)
            const to = plot.valToPos(Math.min(next, this.endOf(point, right)) / 1000, "x", true)
            ctx.lineWidth = (isWhole ? 2.5 : 1.5) * scale
            ctx.setLineDash(isWhole ? [] : [2 * scale, 3 * scale])
            if (before && Math.abs(before.x - from) < 1) line(ctx, from, before.y, from, y)
            line(ctx, from, y, to, y)
            before = { x: to, y }
        }
    }

    /** When it holds no more, unix ms. */
    private endOf({ time }: ScorePoint, now: number): number {
        const isLast = time === this.points.at(-1)!.time
        return Math.max(time + this.stepMs, isLast ? Math.min(now, this.holdsUntil) : 0)
    }
}

function line(ctx: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
    ctx.beginPath()
    ctx.moveTo(x1, y1)
    ctx.lineTo(x2, y2)
    ctx.stroke()
}
