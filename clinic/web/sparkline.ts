import { h } from "../../browser/dom.ts"
import { number } from "./format.ts"
import type { Series } from "./series.ts"
import { t } from "./texts/language.ts"
import { colour } from "./theme.ts"
import { heartRate } from "./vital.ts"

/** What the curve shows at least, and two lines at the usual bounds at rest, so that cards compare at a glance. */
const leastRange = { min: 50, max: 110 }
const levels = [60, 100]
const margin = 5
const labelPx = 26

/** Sizes as the browser tells them: whoever asks for the size of an element makes it lay out the page at once. */
const sizes = new WeakMap<Element, { width: number; height: number }>()
const observer = new ResizeObserver(entries => {
    for (const { target, contentRect } of entries) {
        const { width, height } = contentRect
        sizes.set(target, { width, height })
        target.dispatchEvent(new Event("resized"))
    }
})

/** The heart rate of the last minutes, small: for one card among many. It is drawn when it is told to, and only then. */
export class Sparkline {
    readonly element = h("canvas", { class: "sparkline", role: "img" })
    private drawnAt = -Infinity
    private again: (() => void) | undefined

    constructor() {
        this.describe(undefined)
        this.element.addEventListener("resized", () => {
            this.drawnAt = -Infinity
            this.again?.()
        })
        observer.observe(this.element)
    }

    /** Draws where something is new, or where time has moved the curve by about a pixel. */
    draw(series: Series, spanMs: number, now: number): void {
        const { element } = this
        this.again = () => this.draw(series, spanMs, now)
        const { width, height } = sizes.get(element) ?? { width: 0, height: 0 }
        if (width === 0 || height === 0) return
        const isDue = now - this.drawnAt > (2 * spanMs) / width || now < this.drawnAt
        if (!isDue && !series.isChanged) return
        this.drawnAt = now
        series.isChanged = false
        const scale = devicePixelRatio
        if (element.width !== Math.round(width * scale)) element.width = Math.round(width * scale)
        if (element.height !== Math.round(height * scale)) element.height = Math.round(height * scale)
        const context = element.getContext("2d")
        if (!context) return
        context.setTransform(scale, 0, 0, scale, 0, 0)
        context.clearRect(0, 0, width, height)
        const range = series.range()
        const low = Math.min(leastRange.min, (range?.min ?? Infinity) - margin)
        const high = Math.max(leastRange.max, (range?.max ?? -Infinity) + margin)
        const y = (value: number) => 2 + (height - 4) * (1 - (value - low) / (high - low))
        const x = (time: number) => (width - labelPx) * (1 - (now - time) / spanMs)
        context.font = "11px sans-serif"
        context.textBaseline = "middle"
        for (const level of levels) {
            context.fillStyle = colour("--dim")
            context.fillText(String(level), width - labelPx + 5, y(level))
            context.fillStyle = colour("--line")
            context.fillRect(0, y(level), width - labelPx, 1)
        }
        this.line(context, series, x, y)
        this.describe(range)
    }

    private line(
        context: CanvasRenderingContext2D,
        series: Series,
        x: (time: number) => number,
        y: (value: number) => number,
    ): void {
        const [times, means] = series.columns()
        context.beginPath()
        let isPenDown = false
        for (const [i, mean] of means.entries()) {
            const at = x(times[i]! * 1000)
            if (mean === null || at < 0) isPenDown = false
            else if (isPenDown) context.lineTo(at, y(mean))
            else {
                context.moveTo(at, y(mean))
                context.lineTo(at + 1, y(mean)) // one between two gaps is a dot
                isPenDown = true
            }
        }
        context.strokeStyle = colour("--hr")
        context.lineWidth = 2
        context.lineJoin = "round"
        context.stroke()
    }

    private describe(range: { min: number; max: number } | undefined): void {
        const text = (value: number) => number(value, heartRate.digits)
        const values = range
            ? t.chart.values(text(range.min), text(range.max), t.vital.spokenUnit(heartRate.unit))
            : t.chart.noValues
        const label = t.chart.described(t.vital.label(heartRate.name), t.chart.range.m5, values)
        if (this.element.getAttribute("aria-label") !== label) this.element.setAttribute("aria-label", label)
    }
}
