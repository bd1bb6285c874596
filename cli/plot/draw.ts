import { clock, Scale, timeTicks } from "../../host/drawing/axis.ts"
import { agreement, durationS, farBpm, hopS, percent, type Figure, type Window } from "./figure.ts"
import { box, label, mostTimeTicks, plotArea, type Panel } from "./panel.ts"
import { edges, motionPanel, qualityPanel, ratePanel, signalPanel } from "./panels.ts"
import { element, escape, short } from "../../host/drawing/svg.ts"

/** A range of time in seconds. */
export interface Range {
    from: number
    to: number
}

const headBottom = 84
const captionHeight = 34
const panelGap = 12
const footHeight = 46

/** The maximum number of windows with tooltips. With more they would be narrower than a pixel. */
const mostTooltips = 1200

/** Draws the figure as an SVG document, for the whole recording or a part of it. */
export function drawFigure(figure: Figure, range: Range = { from: 0, to: durationS(figure) }): string {
    const time = new Scale(range.from, range.to, plotArea.left, plotArea.right)
    // One more window on the left, where the lines begin.
    const windows = figure.windows.filter(({ t }) => t > range.from - hopS && t - hopS < range.to)
    const panels: [height: number, draw: (panel: Panel) => string[]][] = [
        [130, panel => signalPanel(figure, panel)],
        [270, panel => ratePanel(figure, panel, windows)],
        [84, panel => qualityPanel(panel, windows)],
        [figure.acceleration ? 100 : 22, panel => motionPanel(figure, panel, windows)],
    ]
    const parts: string[] = []
    let bottom = headBottom - panelGap
    for (const [height, draw] of panels) {
        const top = bottom + panelGap + captionHeight
        bottom = top + height
        parts.push(...draw({ top, bottom, time }))
    }
    const { width, left, right } = plotArea
    const height = bottom + footHeight
    return element(
        "svg",
        {
            ...{ xmlns: "http://www.w3.org/2000/svg", role: "img" },
            ...{ width, height, viewBox: `0 0 ${width} ${height}` },
            ...{ "font-family": "Inter, Helvetica Neue, Helvetica, Arial, sans-serif" },
            ...{ "font-size": 13, fill: "#1f2933" },
        },
        element("title", {}, escape(figure.title)),
        element("style", {}, style),
        element("clipPath", { id: "plot" }, element("rect", { ...box(left, right, headBottom, bottom) })),
        element("rect", { width, height, fill: "#fff" }),
        ...head(figure),
        ...parts,
        ...timeAxis(time, bottom),
        ...tooltips(time, windows, bottom),
    )
}

/** The colours are those of Okabe and Ito, which people with any colour vision can distinguish. */
const style = [
    ".grid{stroke:#e4e8ed;stroke-width:1}",
    ".frame{fill:none;stroke:#b6c0cb;stroke-width:1}",
    ".tick{fill:#5b6876;font-size:12px;font-variant-numeric:tabular-nums}",
    ".dim{fill:#5b6876}",
    ".name{font-weight:600}",
    ".big{font-size:24px;font-weight:600;font-variant-numeric:tabular-nums}",
    ".signal{fill:none;stroke:#44546a;stroke-linejoin:round}",
    ".reference{fill:none;stroke:#b3bac2;stroke-width:5;stroke-linecap:round;stroke-linejoin:round}",
    ".rate{fill:none;stroke:#0072b2;stroke-width:1.5;stroke-linejoin:round}",
    ".dots{fill:none;stroke:#0072b2;stroke-width:4.5;stroke-linecap:round}",
    ".far{fill:none;stroke:#d55e00;stroke-width:6.5;stroke-linecap:round}",
    ".quality{fill:#3390c4}",
    ".silent{fill:#c3ccd6}",
    ".motion{fill:#e69f00;opacity:.2}",
    ".strip{fill:#e69f00}",
    ".acceleration{fill:none;stroke:#00795a;stroke-linejoin:round}",
    ".now{opacity:0}",
    ".now:hover{opacity:.07}",
].join("")

function head(figure: Figure): string[] {
    const { title, signal, windows } = figure
    const facts = [
        `${short(signal.rate)} Hz`,
        `${clock(durationS(figure))} min`,
        `a value every ${hopS} s from the firmware's own bytecode`,
    ]
    return [
        label(24, 40, shorten(title, 52), { class: "name", "font-size": 22 }),
        label(24, 64, facts.join(" · "), { class: "dim" }),
        ...summary(windows).flatMap(([value, what], i, { length }) => {
            const x = plotArea.right - 170 * (length - 1 - i)
            return [
                label(x, 40, value, { class: "big", "text-anchor": "end" }),
                label(x, 62, what, { class: "dim", "text-anchor": "end" }),
            ]
        }),
    ]
}

/** Returns the main results, with their labels. */
function summary(windows: Window[]): [value: string, what: string][] {
    const { meanError, reported, near, windows: known } = agreement(windows)
    if (known > 0)
        return [
            [number(meanError, 2), "mean error, bpm"],
            [`${number(reported, 1)} %`, `reported of ${known} windows`],
            [`${number(near, 1)} %`, `of those within ${farBpm} bpm`],
        ]
    const rates = windows.flatMap(({ bpm }) => (bpm === null ? [] : [bpm])).sort((a, b) => a - b)
    const moved = windows.filter(({ motion }) => motion).length
    const share = percent(rates.length, windows.length)
    return [
        [number(rates[rates.length >> 1] ?? NaN, 0), "median, bpm"],
        [`${number(share, 1)} %`, `reported of ${windows.length} windows`],
        [`${number(percent(moved, windows.length), 1)} %`, "in motion"],
    ]
}

function number(value: number, digits: number): string {
    return Number.isFinite(value) ? value.toFixed(digits) : "–"
}

function timeAxis(time: Scale, bottom: number): string[] {
    const at = timeTicks(time.min, time.max, mostTimeTicks)
    const step = at.length > 1 ? at[1]! - at[0]! : 1
    const centred = { "text-anchor": "middle" }
    return [
        ...at.map(value => label(time.at(value), bottom + 18, clock(value, step), { class: "tick", ...centred })),
        label((plotArea.left + plotArea.right) / 2, bottom + 38, "time, min:s", {
            class: "dim",
            ...centred,
        }),
    ]
}

/** Returns a tooltip for each window that spans all panels. */
function tooltips(time: Scale, windows: Window[], bottom: number): string[] {
    if (windows.length > mostTooltips) return []
    return windows.map(window => {
        const [left, right] = edges(window, time)
        return element(
            "rect",
            { class: "now", ...box(left, right, headBottom, bottom) },
            element("title", {}, escape(tooltipText(window))),
        )
    })
}

function tooltipText({ t, bpm, quality, motion, reference }: Window): string {
    return [
        clock(t),
        bpm === null ? "no value" : `${bpm.toFixed(1)} bpm`,
        ...(reference === null ? [] : [`reference ${reference.toFixed(1)}`]),
        `quality ${quality.toFixed(2)}`,
        ...(motion ? ["motion"] : []),
    ].join(" · ")
}

function shorten(text: string, most: number): string {
    const characters = Array.from(text)
    return characters.length > most ? `${characters.slice(0, most - 1).join("")}…` : text
}
