import type uPlot from "uplot"
import { Chart, type ChartFrame, type ChartKind, type ChartRange } from "./chart.ts"
import { h, setText } from "../../browser/dom.ts"
import { units } from "../../wire/tables/quantities.ts"
import { number, setting, timeOfDay } from "./format.ts"
import { t } from "./texts/language.ts"

/** Seconds; whole minutes, since the axis shows no seconds. */
const tickSteps = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360].map(minutes => minutes * 60)

/** A chart with axes, and with the value under the pointer in its caption. */
export class ChartFigure {
    readonly element: HTMLElement
    readonly chart: Chart
    private readonly readout = h("output", { class: "readout" })

    constructor(kind: ChartKind, range: ChartRange) {
        this.chart = new Chart(kind, range, style => this.frame(style))
        const { name, unit } = kind.vital
        const caption = h(
            "figcaption",
            {},
            h("span", {}, t.chart.caption(t.vital.label(name), units[unit].text)),
            this.readout,
        )
        this.element = h("figure", { class: "chart", "data-vital": name }, caption)
        this.element.append(this.chart.element)
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
            hooks: { setCursor: [plot => this.showAt(plot)] },
            axes: [
                {
                    ...axis,
                    size: 30,
                    space: 90, // also with an offset
                    incrs: tickSteps,
                    values: (_, times) => times.map(s => timeOfDay(s * 1000, false)),
                },
                { ...axis, size: 46, space: 36, values: (_, values) => values.map(setting) },
            ],
        }
    }

    private showAt(plot: uPlot): void {
        const at = plot.cursor.idx
        const value = at === null || at === undefined ? undefined : plot.data[1]?.[at]
        if (value === undefined || value === null) return setText(this.readout, "")
        const { digits, unit } = this.chart.kind.vital
        const time = timeOfDay(plot.data[0][at!]! * 1000)
        setText(this.readout, `${time}  ${number(value, digits)} ${units[unit].text}`)
    }
}
