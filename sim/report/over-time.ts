import { Scale, ticks } from "../../host/drawing/axis.ts"
import { bar, caption, fromZero, picture, formatted, text, width, xAxis, yAxis, type Area } from "./chart.ts"
import type { Report } from "./schema.ts"

const panel = 96
const tops = [30, 30 + panel + 40]

/** The run over time: share of time on the air, and readings received. */
export function drawCourse({ course, seconds }: Report): string {
    const { stepS, airS, arrived } = course
    const air = airS.map(s => (100 * s) / stepS)
    const rate = arrived.map(count => count / stepS)
    const bottom = tops[1]! + panel
    return picture(bottom + 44, "the course of the run", [
        ...bars("air time of all senders, %", air, "f0", tops[0]!),
        ...bars("readings received per second", rate, "f2", tops[1]!),
        text(width / 2, bottom + 36, "time, s", { class: "caption", "text-anchor": "middle" }),
    ])

    function bars(what: string, values: number[], type: string, top: number): string[] {
        const area: Area = { left: 44, right: width - 20, top, bottom: top + panel }
        const x = new Scale(0, seconds, area.left, area.right)
        const y = fromZero(values, area.bottom, area.top, 0.1)
        return [
            caption(area.left, top - 10, what),
            ...xAxis(x, area, ticks(0, seconds, 10)),
            ...yAxis(y, area, ticks(0, y.max, 3)),
            ...values.map((value, i) => {
                const from = i * stepS
                const to = Math.min(seconds, from + stepS)
                const where = {
                    left: x.at(from),
                    right: x.at(to),
                    top: y.at(value),
                    bottom: area.bottom,
                }
                return bar(type, where, `${formatted(value)} from ${formatted(from)} to ${formatted(to)} s`)
            }),
        ]
    }
}
