import type { Chart } from "./chart.ts"
import { now } from "./clock.ts"
import { h } from "../../browser/dom.ts"
import { t } from "./texts/language.ts"
import { zoned } from "./time.ts"
import { timeZone } from "./zone.ts"

/** What the charts show, as a file for a spreadsheet: a line a step, times by the ward's clocks, decimal points. */
export class CsvLink {
    readonly element = h("button", { type: "button", class: "quiet" }, t.log.csv)

    constructor(name: string, charts: () => readonly Chart[]) {
        this.element.addEventListener("click", () => {
            const url = URL.createObjectURL(new Blob([csvOf(charts())], { type: "text/csv" }))
            const link = h("a", { href: url, download: `${name.replace(/[^\p{L}\d]+/gu, "-")}.csv` })
            link.click()
            setTimeout(() => URL.revokeObjectURL(url), 10_000)
        })
    }
}

function csvOf(charts: readonly Chart[]): string {
    const lines = new Map<number, string[]>()
    const names = charts.flatMap(({ curve }) => curve.columnNames)
    let first = 0
    for (const { curve } of charts) {
        const [times, ...columns] = curve.columns(now())
        for (const [i, time] of times.entries()) {
            const line = lines.get(time) ?? new Array<string>(names.length).fill("")
            for (const [k, column] of columns.entries()) line[first + k] = String(column[i] ?? "")
            lines.set(time, line)
        }
        first += columns.length
    }
    const rows = [...lines].filter(([, cells]) => cells.some(cell => cell !== "")).sort(([a], [b]) => a - b)
    const text = rows.map(([time, cells]) => [zoned(time * 1000, timeZone), ...cells].join(","))
    return `${[["time", ...names].join(","), ...text].join("\r\n")}\r\n`
}
