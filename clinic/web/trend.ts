import { history } from "./api.ts"
import { Chart, heartRateChart, type ChartFrame, type ChartRange } from "./chart.ts"
import { now } from "./clock.ts"
import { h } from "../../browser/dom.ts"
import { t } from "./texts/language.ts"

const range: ChartRange = { name: "m5", ms: 5 * 60_000, stepS: 5 }
/** The usual bounds at rest: every card has these two lines, so that cards compare at a glance. */
const levels = [60, 100]

/** The heart rate of the last minutes, small: for one card among many. */
export class Trend {
    readonly chart = new Chart(heartRateChart, range, frame)
    readonly element = h(
        "div",
        { class: "trend" },
        this.chart.element,
        h(
            "div",
            { class: "trend-time", "aria-hidden": "true" },
            h("span", {}, t.age.ago(t.chart.range[range.name])),
            h("span", {}, t.chart.now),
        ),
    )

    /** Throws where the clinic cannot be asked. */
    async load(patient: number): Promise<void> {
        const before = now() + range.stepS * 1000
        const { hr } = await history(patient, before - range.ms, before, range.stepS)
        this.chart.load(hr)
    }
}

function frame(style: CSSStyleDeclaration): ReturnType<ChartFrame> {
    return {
        padding: [2, 0, 2, 0],
        cursor: { show: false },
        axes: [
            { show: false },
            {
                ...{ side: 1, size: 28, gap: 6, ticks: { show: false } },
                splits: levels,
                stroke: style.getPropertyValue("--dim"),
                font: `11px ${style.fontFamily}`,
                grid: { stroke: style.getPropertyValue("--line"), width: 1 },
            },
        ],
    }
}
