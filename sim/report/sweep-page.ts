import { Scale, ticks } from "../../host/drawing/axis.ts"
import { element, escape } from "../../host/drawing/svg.ts"
import { caption, dot, legend, line, picture, formatted, text, width, xAxis, yAxis, type Area } from "./chart.ts"
import { page, paragraph, section, table, type Cell } from "./html.ts"
import { percent } from "./messages.ts"
import type { Comparison, Outcome } from "./pool.ts"

/** A measure of a run; null if there is nothing to measure. */
type Measure = (outcome: Outcome) => number | null

const columns = 3
const panelHeight = 250
const head = 30

const panels: { what: string; lines: [type: number, what: string, measure: Measure][] }[] = [
    { what: "readings delivered, %", lines: [[2, "", o => hundred(o.delivery)]] },
    {
        what: "latency, s",
        lines: [
            [0, "median", o => o.medianS],
            [5, "95 %", o => o.p95S],
        ],
    },
    { what: "mean current of a mote, mA", lines: [[3, "", o => o.meanMa]] },
    { what: "last mote joined, s", lines: [[1, "", o => o.lastJoinedS]] },
    { what: "mean hops", lines: [[6, "", o => o.meanHops]] },
    {
        what: "frames missed per frame sent",
        lines: [
            [1, "lost", o => perFrame(o, o.framesLost)],
            [5, "collided", o => perFrame(o, o.collisions)],
        ],
    },
]

function hundred(share: number | null): number | null {
    return share === null ? null : 100 * share
}

function perFrame({ framesSent }: Outcome, count: number): number | null {
    return framesSent ? count / framesSent : null
}

/** A comparison as one page without scripts. */
export function sweepPage(comparison: Comparison): string {
    const { scenario, key, values, runs, command, seconds } = comparison
    const seeds = new Set(runs.map(({ seed }) => seed)).size
    return page(`${scenario.title}: ${key}`, [
        `<h1>${escape(scenario.title)}: ${escape(key)}</h1>`,
        scenario.about ? paragraph(scenario.about, "dim") : "",
        `<p>${runs.length} runs of ${formatted(seconds)} s of simulated time. To reproduce: <code>${escape(command)}</code></p>`,
        section(
            "Comparison",
            drawPanels(comparison),
            key === "seed" || seeds < 2
                ? ""
                : paragraph(
                      "A dot is a run; the line joins the means over the seeds, the band goes from the lowest to the highest.",
                      "note",
                  ),
        ),
        section("Means over the seeds", meansTable(comparison, values)),
        section(
            "Runs",
            table(
                [...tableHead(key), "seed", "claims that fail"],
                runs.map(({ value, seed, outcome }) => [
                    ...cells(value, [outcome]),
                    ...[seed, outcome.fails.join("; ") || "none"],
                ]),
            ),
        ),
    ])
}

function meansTable({ key, runs }: Comparison, values: Comparison["values"]): string {
    return table(
        tableHead(key),
        values.map(value =>
            cells(
                value,
                runs.filter(run => run.value === value).map(({ outcome }) => outcome),
            ),
        ),
    )
}

function tableHead(key: string): string[] {
    return [
        ...[key, "delivered", "median, s", "95 %, s", "mA", "joined", "last joined, s"],
        ...["hops", "frames sent", "lost", "collisions"],
    ]
}

function cells(value: number | string, outcomes: Outcome[]): Cell[] {
    const mean = (measure: Measure) => {
        const known = outcomes.map(measure).filter(one => one !== null)
        return known.length ? known.reduce((a, b) => a + b) / known.length : null
    }
    const shown = (measure: Measure) => {
        const found = mean(measure)
        return found === null ? "–" : formatted(found)
    }
    const delivery = mean(o => o.delivery)
    return [
        value,
        delivery === null ? "–" : percent(delivery, 1),
        ...[shown(o => o.medianS), shown(o => o.p95S), shown(o => o.meanMa)],
        percent(
            outcomes.reduce((sum, { joined }) => sum + joined, 0),
            outcomes.reduce((sum, { motes }) => sum + motes, 0),
        ),
        ...[shown(o => o.lastJoinedS), shown(o => o.meanHops), shown(o => o.framesSent)],
        ...[shown(o => o.framesLost), shown(o => o.collisions)],
    ]
}

function drawPanels({ runs, key, values }: Comparison): string {
    const rows = Math.ceil(panels.length / columns)
    const parts = panels.flatMap(({ what, lines }, at) => {
        const left = (at % columns) * (width / columns) + 48
        const upper = Math.floor(at / columns) * panelHeight
        const area: Area = {
            ...{ left, right: left + width / columns - 70 },
            ...{ top: upper + head, bottom: upper + panelHeight - 48 },
        }
        const x = xOf(values, area)
        const known = lines.flatMap(([, , measure]) => runs.flatMap(({ outcome }) => measure(outcome) ?? []))
        const y = yOf(known, area)
        const named = lines.flatMap(([type, name]): [string, string][] => (name ? [[`f${type}`, name]] : []))
        return [
            caption(area.left, upper + head - 12, what),
            ...legend(area.left + 184, upper + head - 12, named),
            ...x.axis,
            ...yAxis(y, area, ticks(y.min, y.max, 4)),
            text((area.left + area.right) / 2, area.bottom + 32, key, {
                class: "caption",
                "text-anchor": "middle",
            }),
            ...lines.flatMap(([type, , measure]) => spread(type, measure, x.at, y)),
        ]
    })
    return picture(rows * panelHeight, "measures by value", parts)

    function spread(type: number, measure: Measure, at: (value: number | string) => number, y: Scale): string[] {
        const points = values
            .map(value => {
                const found = runs
                    .filter(run => run.value === value)
                    .flatMap(({ seed, outcome }) => {
                        const one = measure(outcome)
                        return one === null ? [] : [{ seed, one }]
                    })
                return { value, x: at(value), found }
            })
            .filter(({ found }) => found.length)
            .sort((a, b) => a.x - b.x)
        const of = (found: { one: number }[], fn: (all: number[]) => number) => y.at(fn(found.map(({ one }) => one)))
        const highs = points.map(({ x, found }) => [x, of(found, all => Math.max(...all))] as const)
        const lows = points.map(({ x, found }) => [x, of(found, all => Math.min(...all))] as const)
        const means = points.map(
            ({ x, found }) => [x, of(found, all => all.reduce((a, b) => a + b) / all.length)] as const,
        )
        return [
            element("g", { opacity: "0.2" }, line(`f${type}`, [...highs, ...lows.reverse()])),
            line(`s${type}`, means),
            ...points.flatMap(({ value, x, found }) =>
                found.map(({ one, seed }) =>
                    dot(`f${type}`, x, y.at(one), 3, `${value}, seed ${seed}: ${formatted(one)}`),
                ),
            ),
        ]
    }
}

/** Numbers are placed to scale, words evenly. */
function xOf(values: Comparison["values"], area: Area): { at: (value: number | string) => number; axis: string[] } {
    const numbers = values.filter(value => typeof value === "number")
    const areNumbers = numbers.length === values.length
    const [least, most] = areNumbers ? [Math.min(...numbers), Math.max(...numbers)] : [0, values.length - 1]
    const margin = (most - least) * 0.06 || 1
    const scale = new Scale(least - margin, most + margin, area.left, area.right)
    if (areNumbers)
        return {
            at: value => scale.at(Number(value)),
            axis: xAxis(scale, area, numbers.length <= 8 ? numbers : undefined),
        }
    return {
        at: value => scale.at(values.indexOf(value)),
        axis: values.map((value, i) =>
            text(scale.at(i), area.bottom + 15, String(value), {
                class: "tick",
                "text-anchor": "middle",
            }),
        ),
    }
}

/** Starts at 0, unless all values are far from 0 and close to each other. */
function yOf(known: number[], area: Area): Scale {
    if (!known.length) return new Scale(0, 1, area.bottom, area.top)
    const least = Math.min(...known)
    const most = Math.max(...known)
    const from = least > 0.7 * most ? least - (most - least) * 0.3 - 0.02 * most : 0
    return new Scale(from, most + (most - from) * 0.06 || 1, area.bottom, area.top)
}
