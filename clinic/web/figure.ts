import type uPlot from "uplot"
import { units } from "../../wire/tables/quantities.ts"
import { Chart, type ChartFrame, type ChartKind } from "./chart.ts"
import type { ChartRange } from "./chart-range.ts"
import { h, setText } from "../../browser/dom.ts"
import { dateTime, number, setting, timeOfDay } from "./format.ts"
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

/** What somebody does to one chart happens to all of a page. */
export interface ChartControl {
    pan(share: number): void
    /** `at`: 0 the left edge, 1 the right one. */
    zoom(factor: number, at: number): void
    toNow(): void
}

/** A chart with axes; what is under pointer or cursor keys stands in its caption. */
export class ChartFigure {
    readonly element: HTMLElement
    readonly chart: Chart
    private readonly control: ChartControl
    private readonly readout = h("output", { class: "readout", "aria-live": "polite" })
    private plot: uPlot | undefined
    private dragX: number | undefined

    constructor(kind: ChartKind, range: ChartRange, control: ChartControl) {
        this.control = control
        this.chart = new Chart(kind, range, style => this.frame(style))
        const { name, unit } = kind.vital
        const title = h("span", {}, t.chart.caption(t.vital.label(name), units[unit].text))
        this.element = h("figure", { class: "chart", "data-vital": name }, h("figcaption", {}, title, this.readout))
        const place = h("div", { class: "chart-keys", tabindex: "0", role: "application" }, this.chart.element)
        place.setAttribute("aria-label", t.chart.keys(t.vital.label(name)))
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
        const at = plot.cursor.idx
        if (at === null || at === undefined) return setText(this.readout, "")
        const [time, mean, min, max] = plot.data.map(column => column[at])
        if (time === null || time === undefined) return setText(this.readout, "")
        const when = dateTimeWithSeconds(time * 1000)
        if (mean === null || mean === undefined) return setText(this.readout, t.chart.readout(when, t.chart.noValues))
        const { digits, unit } = this.chart.kind.vital
        const text = (value: number) => number(value, digits)
        const isSpread = min !== null && max !== null && min !== undefined && max !== undefined && min !== max
        const value = isSpread ? t.chart.spread(text(mean), text(min), text(max)) : text(mean)
        setText(this.readout, t.chart.readout(when, `${value} ${units[unit].text}`))
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
