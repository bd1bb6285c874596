import { mkdirSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Judged, Measures } from "./measures.ts"

/** One recording, or one kind of them, in a report. */
export interface Entry {
    name: string
    measures: Measures
    runs: readonly Judged[][]
}

const width = 900
const height = 220
const margin = 42

/** Writes `index.html` into a folder: a table of all entries, and for each its values over time and a Bland–Altman plot. */
export function writeReport(folder: string, entries: readonly Entry[]): string {
    mkdirSync(folder, { recursive: true })
    const file = join(folder, "index.html")
    writeFileSync(
        file,
        `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Heart rates and their references</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76em; margin: 2em auto; padding: 0 1em; color: #222; background: #fff }
table { border-collapse: collapse } td, th { padding: .2em .7em; text-align: right; border-bottom: 1px solid #ddd }
td:first-child, th:first-child { text-align: left } svg { max-width: 100%; height: auto } text { font: 11px system-ui, sans-serif; fill: #555 }
</style>
<h1>Heart rates and their references</h1>
<p>Windows of 8 s, every 2 s. Grey: reference. Blue: value. Where there is no blue, the mote is silent.</p>
${table(entries)}
${entries.map(section).join("\n")}
</html>
`,
    )
    return file
}

function table(entries: readonly Entry[]): string {
    const heads = [
        ...["", "windows", "available", "MAPE", "values a minute", "behind", "MAE", "held", "off by > 5", "> 10"],
        ...["bias", "95 % limits"],
    ]
    const rows = entries.map(({ name, measures: m }) => [
        `<a href="#${id(name)}">${escape(name)}</a>`,
        ...[String(m.windows), percent(m.availability), percent(m.mape), fixed(m.outputRate)],
        ...[
            Number.isNaN(m.refreshOffsetS) ? "–" : `${m.refreshOffsetS} s`,
            fixed(m.mae),
            fixed(m.heldMae),
            percent(m.off5),
            percent(m.off10),
            fixed(m.bias),
        ],
        `${fixed(m.limits[0])} to ${fixed(m.limits[1])}`,
    ])
    const line = (cells: string[], tag: string) => `<tr>${cells.map(cell => `<${tag}>${cell}</${tag}>`).join("")}</tr>`
    return `<table>${line(heads, "th")}${rows.map(row => line(row, "td")).join("\n")}</table>`
}

function section({ name, runs, measures }: Entry): string {
    const plots = runs.length === 1 ? course(runs[0]!) : ""
    return `<h2 id="${id(name)}">${escape(name)}</h2>${plots}${blandAltman(runs.flat(), measures)}`
}

function course(run: readonly Judged[]): string {
    const rates = run.flatMap(({ bpm, ref }) => (bpm === null ? [ref] : [bpm, ref]))
    const x = scale(run[0]?.t ?? 0, run.at(-1)?.t ?? 1, margin, width - 10)
    const y = scale(Math.min(...rates) - 5, Math.max(...rates) + 5, height - 25, 10)
    const line = run.map(({ t, ref }) => `${fixed(x.at(t))},${fixed(y.at(ref))}`).join(" ")
    const dots = run.flatMap(({ t, bpm }) => (bpm === null ? [] : [dot(x.at(t), y.at(bpm))]))
    return svg(
        `${axes(x, y, "s", "bpm")}<polyline points="${line}" fill="none" stroke="#999" stroke-width="2"/>${dots.join("")}`,
    )
}

function blandAltman(windows: readonly Judged[], { bias, limits }: Measures): string {
    const pairs = windows.flatMap(({ bpm, ref }) => (bpm === null ? [] : [[(bpm + ref) / 2, bpm - ref] as const]))
    if (!pairs.length) return "<p>No values.</p>"
    const means = pairs.map(([mean]) => mean)
    const most = Math.max(12, ...pairs.map(([, difference]) => Math.abs(difference)))
    const x = scale(Math.min(...means) - 2, Math.max(...means) + 2, margin, width - 10)
    const y = scale(-most, most, height - 25, 10)
    const rule = (value: number) =>
        `<line x1="${margin}" x2="${width - 10}" y1="${fixed(y.at(value))}" y2="${fixed(y.at(value))}" stroke="#c33" stroke-dasharray="4 3"/>`
    const dots = pairs.map(([mean, difference]) => dot(x.at(mean), y.at(difference)))
    return svg(`${axes(x, y, "mean, bpm", "difference")}${[bias, ...limits].map(rule).join("")}${dots.join("")}`)
}

interface Scale {
    low: number
    high: number
    at: (value: number) => number
}

function scale(low: number, high: number, from: number, to: number): Scale {
    return { low, high, at: value => from + ((to - from) * (value - low)) / (high - low || 1) }
}

function axes(x: Scale, y: Scale, along: string, up: string): string {
    const ticks = [0, 0.25, 0.5, 0.75, 1]
    const value = ({ low, high }: Scale, share: number) => low + share * (high - low)
    const below = ticks.map(
        s => `<text x="${fixed(x.at(value(x, s)) - 8)}" y="${height - 8}">${Math.round(value(x, s))}</text>`,
    )
    const left = ticks.map(s => `<text x="2" y="${fixed(y.at(value(y, s)) + 4)}">${Math.round(value(y, s))}</text>`)
    return `${below.join("")}${left.join("")}<text x="${width - 90}" y="${height - 20}">${along}</text><text x="${margin}" y="10">${up}</text>`
}

const svg = (content: string) =>
    `<p><svg viewBox="0 0 ${width} ${height}" width="${width}" role="img">${content}</svg></p>`
const dot = (x: number, y: number) =>
    `<circle cx="${fixed(x)}" cy="${fixed(y)}" r="2.2" fill="#27c" fill-opacity=".7"/>`
const fixed = (value: number) => (Number.isNaN(value) ? "–" : value.toFixed(1))
const percent = (share: number) => (Number.isNaN(share) ? "–" : `${(100 * share).toFixed(1)} %`)
const id = (name: string) => name.replace(/\W+/g, "-")
const escape = (text: string) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/"/g, "&quot;")
