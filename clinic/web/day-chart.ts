import uPlot from "uplot"
import { h } from "../../browser/dom.ts"
import type { Statistics } from "./api.ts"
import { day, setting } from "./format.ts"
import { t } from "./texts/language.ts"

const colors = { high: "--alarm-line", medium: "--warn", low: "--dim" } as const
type Priority = keyof typeof colors
/** From the back to the front: each bar stands for itself and those in front of it. */
const order: readonly Priority[] = ["low", "medium", "high"]

/** Alarms by day, stacked by priority. */
export class DayChart {
    readonly element = h("div", { class: "canvas", role: "img" })
    private readonly resize = new ResizeObserver(() => this.draw())
    private days: Statistics["days"] = []
    private plot: uPlot | undefined

    constructor() {
        // An image has a name, also until there is something to show.
        this.show([])
        this.resize.observe(this.element)
    }

    show(days: Statistics["days"]): void {
        this.days = days
        const texts = days.map(({ time, high, medium, low }) =>
            t.statistics.day(day(time), setting(high + medium + low)),
        )
        this.element.setAttribute("aria-label", t.statistics.described(texts.join(", ")))
        this.draw()
    }

    close(): void {
        this.resize.disconnect()
        this.plot?.destroy()
    }

    private draw(): void {
        this.plot?.destroy()
        this.plot = undefined
        const { clientWidth: width, clientHeight: height } = this.element
        if (this.days.length === 0 || width === 0) return
        const style = getComputedStyle(this.element)
        const axis = {
            stroke: style.getPropertyValue("--dim"),
            font: `13px ${style.fontFamily}`,
            grid: { stroke: style.getPropertyValue("--line"), width: 1 },
            ticks: { show: false },
        }
        const paths = uPlot.paths.bars!({ size: [0.7, 60] })
        const indexes = [...this.days.keys()]
        const stacked = order.map((_, from) =>
            this.days.map(counts => order.slice(from).reduce((sum, priority) => sum + counts[priority], 0)),
        )
        this.plot = new uPlot(
            {
                ...{ width, height, legend: { show: false }, cursor: { show: false }, padding: [8, 12, 0, 0] },
                scales: {
                    x: { time: false, range: [-0.6, this.days.length - 0.4] },
                    y: { range: (_, __, max) => [0, Math.max(1, max)] },
                },
                series: [
                    {},
                    ...order.map(priority => {
                        const fill = style.getPropertyValue(colors[priority])
                        return { paths, fill, stroke: fill, points: { show: false } }
                    }),
                ],
                axes: [
                    {
                        ...axis,
                        size: 30,
                        space: 70,
                        incrs: [1, 2, 5, 10],
                        values: (_, places) => places.map(i => (this.days[i] ? day(this.days[i].time) : "")),
                    },
                    { ...axis, size: 46, space: 36, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] },
                ],
            },
            [indexes, ...stacked],
            this.element,
        )
    }
}
