import uPlot from "uplot"
import { h, setText } from "./dom.ts"
import { timeOfDay } from "./format.ts"
import { Series } from "./series.ts"
import type { VitalKind } from "./vital.ts"

export interface ChartKind {
    vital: VitalKind
    /** What the axis shows at least. */
    min: number
    max: number
    /** Room around what goes beyond. */
    margin: number
    /** A CSS variable of the theme. */
    color: string
}

export interface ChartRange {
    label: string
    ms: number
    stepS: number
}

/** Seconds; whole minutes, since the axis shows no seconds. */
const tickSteps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360].map(minutes => minutes * 60)

/** One vital sign over the last minutes or hours; the right edge is now. */
export class Chart {
    readonly element: HTMLElement
    readonly kind: ChartKind
    private readonly canvas = h("div", { class: "canvas", role: "img" })
    private readonly readout = h("output", { class: "readout" })
    private readonly resize: ResizeObserver
    private range: ChartRange
    private series: Series
    private plot: uPlot | undefined

    constructor(kind: ChartKind, range: ChartRange) {
        this.kind = kind
        this.range = range
        this.series = new Series(range.stepS * 1000)
        const { label, unit } = kind.vital
        const caption = h("figcaption", {}, h("span", {}, `${label}, ${unit}`), this.readout)
        this.element = h("figure", { class: "chart", "data-vital": kind.vital.name }, caption)
        this.element.append(this.canvas)
        this.resize = new ResizeObserver(() => this.plot?.setSize(this.size()))
        this.resize.observe(this.canvas)
    }

    /** Empty, for another range. */
    setRange(range: ChartRange): void {
        this.range = range
        this.series = new Series(range.stepS * 1000)
        this.redraw()
    }

    load(points: Parameters<Series["load"]>[0]): void {
        this.series.load(points)
    }

    add(time: number, value: number | null): void {
        this.series.add(time, value)
    }

    update(now: number): void {
        if (!this.canvas.isConnected) return
        const from = now - this.range.ms
        this.series.trim(from)
        this.plot ??= this.draw()
        this.plot.batch(() => {
            this.plot?.setData(this.series.columns(), false)
            this.plot?.setScale("x", { min: from / 1000, max: now / 1000 })
        })
        this.describe()
    }

    /** Colours and sizes are read anew: after a change of theme or range. */
    redraw(): void {
        this.plot?.destroy()
        this.plot = undefined
    }

    close(): void {
        this.resize.disconnect()
        this.redraw()
    }

    private describe(): void {
        const { vital } = this.kind
        const range = this.series.range()
        const values = range
            ? `from ${range.min.toFixed(vital.digits)} to ${range.max.toFixed(vital.digits)} ${vital.unitSpoken}`
            : "no values"
        const text = `${vital.label}, last ${this.range.label}: ${values}`
        if (this.canvas.getAttribute("aria-label") !== text)
            this.canvas.setAttribute("aria-label", text)
    }

    private size(): { width: number; height: number } {
        return { width: this.canvas.clientWidth, height: this.canvas.clientHeight }
    }

    private draw(): uPlot {
        const style = getComputedStyle(this.element)
        const color = (name: string) => style.getPropertyValue(name).trim()
        const axis = {
            stroke: color("--dim"),
            font: `13px ${style.fontFamily}`,
            grid: { stroke: color("--line"), width: 1 },
            ticks: { show: false },
        }
        const line = color(this.kind.color)
        const hidden = { show: true, stroke: "transparent", width: 0, points: { show: false } }
        return new uPlot(
            {
                ...this.size(),
                legend: { show: false },
                padding: [8, 12, 0, 0],
                cursor: { drag: { x: false, y: false }, y: false, points: { size: 9 } },
                hooks: { setCursor: [plot => this.showAt(plot)] },
                scales: { x: { time: true }, y: { range: (_, min, max) => this.yRange(min, max) } },
                axes: [
                    {
                        ...axis,
                        size: 30,
                        space: 60,
                        incrs: tickSteps,
                        values: (_, times) => times.map(s => timeOfDay(s * 1000, false)),
                    },
                    { ...axis, size: 46, space: 36 },
                ],
                series: [
                    {},
                    { stroke: line, width: 2, points: { show: false } },
                    { ...hidden },
                    { ...hidden },
                ],
                bands: [{ series: [3, 2], fill: color(`${this.kind.color}-band`) }],
            },
            this.series.columns(),
            this.canvas,
        )
    }

    private yRange(min: number | null, max: number | null): [number, number] {
        const { margin } = this.kind
        return [
            Math.min(this.kind.min, min === null ? Infinity : min - margin),
            Math.max(this.kind.max, max === null ? -Infinity : max + margin),
        ]
    }

    private showAt(plot: uPlot): void {
        const at = plot.cursor.idx
        const value = at === null || at === undefined ? undefined : plot.data[1]?.[at]
        if (value === undefined || value === null) return setText(this.readout, "")
        const { digits, unit } = this.kind.vital
        const time = timeOfDay(plot.data[0][at!]! * 1000)
        setText(this.readout, `${time}  ${value.toFixed(digits)} ${unit}`)
    }
}
