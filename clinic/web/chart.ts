import uPlot from "uplot"
import { h } from "../../browser/dom.ts"
import { drawMarks, noMarks, type Marks } from "./chart-marks.ts"
import { nameOf, type ChartRange } from "./chart-range.ts"
import type { Curve } from "./curve.ts"
import { dateTime, duration } from "./format.ts"
import { t } from "./texts/language.ts"

/** What surrounds the line: axes, cursor. Asked anew for every theme. */
export type ChartFrame = (
    style: CSSStyleDeclaration,
) => Required<Pick<uPlot.Options, "axes" | "cursor" | "padding">> & Pick<uPlot.Options, "hooks">

const themes = [matchMedia("(prefers-color-scheme: light)"), matchMedia("print")]

/** A curve over minutes or weeks; the right edge is now, or where somebody has moved it to. */
export class Chart<C extends Curve = Curve> {
    readonly element = h("div", { class: "canvas", role: "img" })
    readonly curve: C
    marks: Marks = noMarks
    range: ChartRange
    private readonly frame: ChartFrame
    private readonly resize = new ResizeObserver(() => this.plot?.setSize(this.size()))
    private readonly redraw = () => {
        this.erase()
        this.update(this.updatedAt)
    }
    private updatedAt = 0
    private plot: uPlot | undefined
    /** What the plot shows is up to date until this second is over. */
    private drawnSecond: number | undefined

    constructor(curve: C, range: ChartRange, frame: ChartFrame) {
        this.curve = curve
        this.range = range
        this.frame = frame
        this.resize.observe(this.element)
        for (const theme of themes) theme.addEventListener("change", this.redraw)
    }

    /** Another part of the past; what is known of it shows until the rest is loaded. */
    setRange(range: ChartRange): void {
        if (range.stepS !== this.range.stepS) this.curve.setStep(range.stepS * 1000)
        this.range = range
        this.drawnSecond = undefined
    }

    setMarks(marks: Marks): void {
        this.marks = marks
        this.drawnSecond = undefined
    }

    /** The curve has something new. */
    changed(): void {
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
        if (this.range.end === null) this.curve.trim(from - this.range.stepS * 1000)
        this.plot ??= this.draw()
        this.plot.batch(() => {
            this.plot?.setData(this.curve.columns(now), false)
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
        const { ms, end } = this.range
        const name = nameOf(this.range)
        const span = name ? t.chart.range[name] : duration(ms)
        const [what, values] = [this.curve.label(), this.curve.described()]
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
        const colour = (name: string) => style.getPropertyValue(name)
        const frame = this.frame(style)
        const { series, ...options } = this.curve.options(style)
        return new uPlot(
            {
                ...this.size(),
                ...frame,
                ...options,
                legend: { show: false },
                scales: { x: { time: true }, y: { range: (_, min, max) => this.curve.axis(min, max) } },
                series: [{}, ...series],
                hooks: {
                    ...frame.hooks,
                    drawAxes: [
                        plot => {
                            drawMarks(plot, this.marks, colour)
                            within(plot, () => this.curve.draw?.(plot, colour))
                        },
                    ],
                },
            },
            this.curve.columns(this.updatedAt),
            this.element,
        )
    }
}

/** Whatever is drawn stays on the ground between the axes, and changes nothing for what is drawn next. */
function within({ ctx, bbox }: uPlot, draw: () => void): void {
    ctx.save()
    ctx.beginPath()
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height)
    ctx.clip()
    draw()
    ctx.restore()
}
