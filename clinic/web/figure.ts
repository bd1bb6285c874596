import type uPlot from "uplot"
import { Chart, type ChartFrame } from "./chart.ts"
import { notesAt } from "./chart-marks.ts"
import type { ChartRange } from "./chart-range.ts"
import type { Curve } from "./curve.ts"
import { h, setText } from "../../browser/dom.ts"
import { dateTime, setting, timeOfDay } from "./format.ts"
import { t } from "./texts/language.ts"

const minuteS = 60
const dayS = 86_400
/** Seconds; whole minutes, since the axis shows no seconds. */
const tickSteps = [
    ...[1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720].map(minutes => minutes * minuteS),
    ...[1, 2, 3, 5, 7].map(days => days * dayS),
]
/** A key moves by such a part of the width, a turn of the wheel zooms by such a factor. */
const panShare = 0.25
const zoomFactor = 1.5
/** What is further from the cursor than this, and than a step and a half, is not what lies under it. */
const nearS = 7.5
const nearPx = 8

/** What somebody does to one chart happens to all of a page. */
export interface ChartControl {
    pan(share: number): void
    /** `at`: 0 the left edge, 1 the right one. */
    zoom(factor: number, at: number): void
    toNow(): void
}

/** A chart with axes; what is under pointer or cursor keys stands in its caption. */
export class ChartFigure<C extends Curve = Curve> {
    readonly element: HTMLElement
    readonly chart: Chart<C>
    private readonly control: ChartControl
    private readonly readout = h("output", { class: "readout", "aria-live": "polite" })
    private plot: uPlot | undefined
    private dragX: number | undefined

    constructor(curve: C, range: ChartRange, control: ChartControl) {
        this.control = control
        this.chart = new Chart(curve, range, style => this.frame(style))
        const title = h("span", { class: "chart-title" }, curve.caption())
        this.element = h(
            "figure",
            { class: "chart", "data-curve": curve.name },
            h("figcaption", {}, title, this.readout),
        )
        const place = h("div", { class: "chart-keys", tabindex: "0", role: "application" }, this.chart.element)
        place.setAttribute("aria-label", t.chart.keys(curve.label()))
        place.addEventListener("keydown", event => this.key(event))
        place.addEventListener("wheel", event => this.wheel(event), { passive: false })
        place.addEventListener("pointerdown", event => this.grab(event, place))
        place.addEventListener("pointermove", event => this.drag(event))
        for (const type of ["pointerup", "pointercancel"] as const)
            place.addEventListener(type, () => (this.dragX = undefined))
        place.addEventListener("dblclick", () => control.toNow())
        this.element.append(place)
    }

    private frame(style: CSSStyleDeclaration): ReturnType<ChartFrame> {
        const axis = {
            stroke: style.getPropertyValue("--dim"),
            font: `13px ${style.fontFamily}`,
            grid: { stroke: style.getPropertyValue("--line"), width: 1 },
            ticks: { show: false },
        }
        return {
            padding: [8, 12, 0, 0],
            cursor: { drag: { x: false, y: false }, y: false, points: { size: 9 } },
            hooks: { ready: [plot => void (this.plot = plot)], setCursor: [plot => this.showAt(plot)] },
            axes: [
                {
                    ...axis,
                    size: 30,
                    space: 110, // also with a day, and with an offset
                    incrs: tickSteps,
                    values: (plot, times) => {
                        const { min = 0, max = 0 } = plot.scales.x ?? {}
                        const isLong = (max ?? 0) - (min ?? 0) > dayS
                        return times.map(s => (isLong ? dateTime(s * 1000) : timeOfDay(s * 1000, false)))
                    },
                },
                { ...axis, size: 46, space: 36, values: (_, values) => values.map(setting) },
            ],
        }
    }

    private showAt(plot: uPlot): void {
        const { idx: at, left = -1 } = plot.cursor
        const [time, ...values] = plot.data.map(column => (typeof at === "number" ? column[at] : undefined))
        const notes = left < 0 ? [] : notesAt(plot, this.chart.marks, left)
        const said = notes.map(({ text, by }) => t.notes.inChart(text, by))
        if (typeof time === "number" && left >= 0) {
            const pointed = plot.posToVal(left, "x")
            const isNear =
                Math.abs(time - pointed) <= Math.max(nearS, 1.5 * this.chart.range.stepS) ||
                Math.abs(plot.valToPos(time, "x") - left) <= nearPx
            said.unshift(isNear ? this.said(time, values) : this.said(pointed, []))
        }
        setText(this.readout, said.join(" "))
    }

    private said(time: number, values: readonly (number | null | undefined)[]): string {
        return t.chart.readout(dateTimeWithSeconds(time * 1000), this.chart.curve.readout(time * 1000, values))
    }

    private key(event: KeyboardEvent): void {
        const { plot, control } = this
        const acts: Record<string, () => void> = {
            ArrowLeft: () => (event.shiftKey ? control.pan(-panShare) : this.step(-1)),
            ArrowRight: () => (event.shiftKey ? control.pan(panShare) : this.step(1)),
            "+": () => control.zoom(1 / zoomFactor, 1),
            "-": () => control.zoom(zoomFactor, 1),
            End: () => control.toNow(),
        }
        const act = acts[event.key]
        if (!act || !plot || event.ctrlKey || event.metaKey || event.altKey) return
        event.preventDefault()
        act()
    }

    /** The cursor to the next point with a value. */
    private step(by: number): void {
        const { plot } = this
        if (!plot) return
        const values = plot.data[1]!
        let at = plot.cursor.idx ?? (by < 0 ? values.length : -1)
        do at += by
        while (at >= 0 && at < values.length && (values[at] ?? null) === null)
        const time = plot.data[0][at]
        if (time !== undefined) plot.setCursor({ left: plot.valToPos(time, "x"), top: 0 })
    }

    /** With a key held: a wheel alone scrolls the page. */
    private wheel(event: WheelEvent): void {
        if (!event.ctrlKey && !event.shiftKey && !event.altKey) return
        event.preventDefault()
        const turn = event.deltaY || event.deltaX
        this.control.zoom(turn < 0 ? 1 / zoomFactor : zoomFactor, this.shareAt(event.clientX))
    }

    private shareAt(clientX: number): number {
        const box = this.plot?.over.getBoundingClientRect()
        return box && box.width > 0 ? Math.min(1, Math.max(0, (clientX - box.left) / box.width)) : 1
    }

    private grab(event: PointerEvent, place: HTMLElement): void {
        if (event.button !== 0 || event.pointerType === "touch") return
        this.dragX = event.clientX
        place.setPointerCapture(event.pointerId)
    }

    private drag({ clientX }: PointerEvent): void {
        const width = this.plot?.over.clientWidth ?? 0
        if (this.dragX === undefined || width === 0 || Math.abs(clientX - this.dragX) < 3) return
        this.control.pan((this.dragX - clientX) / width)
        this.dragX = clientX
    }
}

function dateTimeWithSeconds(ms: number): string {
    const day = dateTime(ms).split(/,\s*/)[0] ?? ""
    return `${day}, ${timeOfDay(ms)}`
}
