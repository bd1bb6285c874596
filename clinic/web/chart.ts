import uPlot from "uplot"
import { h } from "../../browser/dom.ts"
import { dateTime, duration, number } from "./format.ts"
import { drawMarks, noMarks, type Marks } from "./chart-marks.ts"
import { nameOf, type ChartRange } from "./chart-range.ts"
import { Series } from "./series.ts"
import { t } from "./texts/language.ts"
import { heartRate, saturation, temperature, type VitalKind } from "./vital.ts"

export interface ChartKind {
    vital: VitalKind
    /** What the axis shows at least. */
    min: number
    max: number
    /** Room around what goes beyond. */
    margin: number
    /** The axis ends here, where no value can be higher. */
    limit?: number
    /** A CSS variable of the theme. */
    color: string
}

export const heartRateChart: ChartKind = {
    ...{ vital: heartRate, min: 50, max: 110, margin: 5, color: "--hr" },
}
const saturationChart: ChartKind = {
    ...{ vital: saturation, min: 88, max: 100, margin: 2, limit: 100, color: "--spo2" },
}
const temperatureChart: ChartKind = {
    ...{ vital: temperature, min: 35.5, max: 38.5, margin: 0.3, color: "--temp" },
}
/** In the order in which they are shown. */
export const chartKinds = [heartRateChart, saturationChart, temperatureChart]

/** What surrounds the line: axes, cursor. Asked anew for every theme. */
export type ChartFrame = (
    style: CSSStyleDeclaration,
) => Required<Pick<uPlot.Options, "axes" | "cursor" | "padding">> & Pick<uPlot.Options, "hooks">

const themes = [matchMedia("(prefers-color-scheme: light)"), matchMedia("print")]

/** One vital sign over minutes or weeks; the right edge is now, or where somebody has moved it to. */
export class Chart {
    readonly element = h("div", { class: "canvas", role: "img" })
    readonly kind: ChartKind
    private readonly frame: ChartFrame
    private readonly resize = new ResizeObserver(() => this.plot?.setSize(this.size()))
    private readonly redraw = () => {
        this.erase()
        this.update(this.updatedAt)
    }
    private marks: Marks = noMarks
    private updatedAt = 0
    private range: ChartRange
    private series: Series
    private plot: uPlot | undefined
    /** What the plot shows is up to date until this second is over. */
    private drawnSecond: number | undefined

    constructor(kind: ChartKind, range: ChartRange, frame: ChartFrame) {
        this.kind = kind
        this.range = range
        this.frame = frame
        this.series = new Series(range.stepS * 1000)
        this.resize.observe(this.element)
        for (const theme of themes) theme.addEventListener("change", this.redraw)
    }

    /** Another part of the past; what is known of it shows until the rest is loaded. */
    setRange(range: ChartRange): void {
        if (range.stepS !== this.range.stepS) this.series = new Series(range.stepS * 1000)
        this.range = range
        this.drawnSecond = undefined
    }

    setMarks(marks: Marks): void {
        this.marks = marks
        this.drawnSecond = undefined
    }

    /** What is drawn: unix s, mean, least, greatest. */
    columns(): ReturnType<Series["columns"]> {
        return this.series.columns()
    }

    load(points: Parameters<Series["load"]>[0]): void {
        this.series.load(points)
        this.drawnSecond = undefined
    }

    add(time: number, value: number | null): void {
        this.series.add(time, value)
        this.drawnSecond = undefined
    }

    /** Draws where something is new; at least every second, since time goes on. */
    update(now: number): void {
        this.updatedAt = now
        const right = this.range.end ?? now
        // A wide chart moves by less than a pixel in a second.
        const second = Math.floor(right / Math.max(1000, this.range.stepS * 200))
        if (second === this.drawnSecond || !this.element.isConnected) return
        this.drawnSecond = second
        const from = right - this.range.ms
        // One step more, so that the line reaches to the edge.
        if (this.range.end === null) this.series.trim(from - this.range.stepS * 1000)
        this.plot ??= this.draw()
        this.plot.batch(() => {
            this.plot?.setData(this.series.columns(), false)
            this.plot?.setScale("x", { min: from / 1000, max: right / 1000 })
        })
        this.describe()
    }

    close(): void {
        this.resize.disconnect()
        for (const theme of themes) theme.removeEventListener("change", this.redraw)
        this.erase()
    }

    /** The next update draws with the colours and the size of then. */
    private erase(): void {
        this.plot?.destroy()
        this.plot = undefined
        this.drawnSecond = undefined
    }

    private describe(): void {
        const { vital } = this.kind
        const range = this.series.range()
        const text = (value: number) => number(value, vital.digits)
        const values = range
            ? t.chart.values(text(range.min), text(range.max), t.vital.spokenUnit(vital.unit))
            : t.chart.noValues
        const { ms, end } = this.range
        const name = nameOf(this.range)
        const span = name ? t.chart.range[name] : duration(ms)
        const what = t.vital.label(vital.name)
        const label =
            end === null
                ? t.chart.described(what, span, values)
                : t.chart.describedUntil(what, span, dateTime(end), values)
        if (this.element.getAttribute("aria-label") !== label) this.element.setAttribute("aria-label", label)
    }

    private size(): { width: number; height: number } {
        return { width: this.element.clientWidth, height: this.element.clientHeight }
    }

    private draw(): uPlot {
        const style = getComputedStyle(this.element)
        const line = style.getPropertyValue(this.kind.color)
        const band = style.getPropertyValue(`${this.kind.color}-band`)
        const frame = this.frame(style)
        const hidden = { show: true, stroke: "transparent", width: 0, points: { show: false } }
        return new uPlot(
            {
                ...this.size(),
                ...frame,
                legend: { show: false },
                scales: { x: { time: true }, y: { range: (_, min, max) => this.yRange(min, max) } },
                series: [
                    {},
                    {
                        ...{ stroke: line, width: 2, pxAlign: 0 },
                        points: { show: false, filter: lonePoints, fill: line, width: 0, size: 4 },
                    },
                    { ...hidden },
                    { ...hidden },
                ],
                bands: [{ series: [3, 2], fill: band }],
                hooks: {
                    ...frame.hooks,
                    drawAxes: [plot => drawMarks(plot, this.marks, name => style.getPropertyValue(name))],
                },
            },
            this.series.columns(),
            this.element,
        )
    }

    private yRange(min: number | null, max: number | null): [number, number] {
        const { limit = Infinity, margin } = this.kind
        return [
            Math.min(this.kind.min, min === null ? Infinity : min - margin),
            Math.min(limit, Math.max(this.kind.max, max === null ? -Infinity : max + margin)),
        ]
    }
}

/** Values between two gaps: no line goes through them, so they are drawn as dots. */
function lonePoints({ data }: uPlot, series: number): number[] {
    const values = data[series]!
    const isThere = (i: number) => (values[i] ?? null) !== null
    return [...values.keys()].filter(i => isThere(i) && !isThere(i - 1) && !isThere(i + 1))
}
