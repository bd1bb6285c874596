import type { Chart } from "./chart.ts"
import { h } from "../../browser/dom.ts"
import { t } from "./texts/language.ts"

/** What the charts show, as a file for a spreadsheet: a line a step, times in UTC, decimal points. */
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
    const head = ["time"]
    for (const [at, chart] of charts.entries()) {
        const { name } = chart.kind.vital
        head.push(name, `${name}-min`, `${name}-max`)
        const [times, ...columns] = chart.columns()
        for (const [i, time] of times.entries()) {
            const line = lines.get(time) ?? new Array<string>(3 * charts.length).fill("")
            for (const [k, column] of columns.entries()) line[3 * at + k] = String(column[i] ?? "")
            lines.set(time, line)
        }
    }
    const rows = [...lines].sort(([a], [b]) => a - b)
    const text = rows.map(([time, cells]) => [new Date(time * 1000).toISOString(), ...cells].join(","))
    return `${[head.join(","), ...text].join("\r\n")}\r\n`
}
