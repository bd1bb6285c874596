import { Scale } from "../../host/drawing/axis.ts"
import { decimate } from "./decimate.ts"
import { farBpm, hopS, type Figure, type Series, type Window } from "./figure.ts"
import { dot, frame, label, move, pair, path, plotArea, type Key, type Panel } from "./panel.ts"
import { short } from "../../host/drawing/svg.ts"

/**
 * The fraction of a signal that may lie beyond either end of its panel. Otherwise a single spike would flatten the
 * rest.
 */
const outliers = 0.001

export function signalPanel({ signal }: Figure, panel: Panel): string[] {
    const { d, y } = seriesLine(signal, panel)
    return [...frame(panel, "a", "Optical signal, as recorded", [], y), path("signal", d)]
}

/** @param windows the windows in the displayed range */
export function ratePanel(figure: Figure, panel: Panel, windows: Window[]): string[] {
    const hasReference = figure.windows.some(({ reference }) => reference !== null)
    const hasMotion = figure.windows.some(({ motion }) => motion)
    const y = rateScale(windows, panel)
    const valued = windows.filter(({ bpm }) => bpm !== null)
    const far = valued.filter(isFar)
    const dots = (of: Window[]) => of.map(w => dot(panel.time.at(w.t), y.at(w.bpm!))).join("")
    const legend: Key[] = [["dots", "mote"]]
    if (hasReference) legend.unshift(["reference", "reference"])
    if (far.length) legend.push(["far", `off by more than ${farBpm} bpm`])
    if (hasMotion) legend.push(["strip", "motion"])
    return [
        motionBands(panel, windows),
        ...frame(panel, "b", "Heart rate, beats per minute", legend, y),
        track("reference", windows, panel, y, ({ reference }) => reference),
        track("rate", windows, panel, y, ({ bpm }) => bpm),
        path("dots", dots(valued)),
        path("far", dots(far)),
    ]
}

export function qualityPanel(panel: Panel, windows: Window[]): string[] {
    const y = new Scale(0, 1, panel.bottom, panel.top)
    const bars = (of: Window[]) => of.map(w => bar(w, panel.time, y.at(w.quality), panel.bottom)).join("")
    const legend: Key[] = [
        ["quality", "with a value"],
        ["silent", "without"],
    ]
    return [
        motionBands(panel, windows),
        ...frame(panel, "c", "Quality", legend, y, [0, 0.5, 1]),
        path("quality", bars(windows.filter(({ bpm }) => bpm !== null))),
        path("silent", bars(windows.filter(({ bpm }) => bpm === null))),
    ]
}

/** Draws the acceleration, or without a recording of it the windows in which the mote detects motion. */
export function motionPanel({ acceleration }: Figure, panel: Panel, windows: Window[]): string[] {
    if (acceleration) {
        const { d, y } = seriesLine(acceleration, panel)
        const caption = "Acceleration, g"
        return [motionBands(panel, windows), ...frame(panel, "d", caption, [], y), path("acceleration", d)]
    }
    const strip = motionBars(panel, windows)
    const middle = (plotArea.left + plotArea.right) / 2
    return [
        ...frame(panel, "d", "Motion"),
        strip
            ? path("strip", strip)
            : label(middle, panel.bottom - 6, "none", { class: "dim", "text-anchor": "middle" }),
    ]
}

function motionBands(panel: Panel, windows: Window[]): string {
    return path("motion", motionBars(panel, windows))
}

function motionBars(panel: Panel, windows: Window[]): string {
    const moved = windows.filter(({ motion }) => motion)
    return moved.map(w => bar(w, panel.time, panel.top, panel.bottom)).join("")
}

function bar(window: Window, time: Scale, top: number, bottom: number): string {
    const [left, right] = edges(window, time)
    return `${move(left, bottom)}V${short(top)}H${short(right)}V${short(bottom)}z`
}

/** Returns the edges of a window's bar in pixels. The bar begins at the end of the previous window. */
export function edges({ t }: Window, time: Scale): [left: number, right: number] {
    const { left, right } = plotArea
    const within = (x: number) => Math.min(right, Math.max(left, x))
    return [within(time.at(t - hopS)), within(time.at(t))]
}

/** Draws lines through consecutive values, with gaps where there is none. */
function track(
    type: string,
    windows: Window[],
    { time }: Panel,
    y: Scale,
    valueOf: (window: Window) => number | null,
): string {
    let isDrawing = false
    let d = ""
    for (const window of windows) {
        const value = valueOf(window)
        // A single value appears as a dot, because the line has round ends.
        if (value !== null && !isDrawing) d += dot(time.at(window.t), y.at(value))
        else if (value !== null) d += `L${pair(time.at(window.t), y.at(value))}`
        isDrawing = value !== null
    }
    return path(type, d)
}

function seriesLine({ values, rate }: Series, { top, bottom, time }: Panel) {
    const from = Math.max(0, Math.floor(time.min * rate))
    const to = Math.min(values.length, Math.ceil(time.max * rate) + 1)
    const kept = decimate(values, from, to, plotArea.right - plotArea.left)
    const y = seriesScale(
        kept.map(i => values[i]!),
        bottom,
        top,
    )
    const within = (pixels: number) => Math.min(bottom, Math.max(top, pixels))
    const points = kept.map(i => pair(time.at(i / rate), within(y.at(values[i]!))))
    return { d: points.length ? `M${points.join("L")}` : "", y }
}

function seriesScale(values: number[], bottom: number, top: number): Scale {
    const sorted = values.sort((a, b) => a - b)
    const outside = Math.floor(sorted.length * outliers)
    const lowest = sorted[outside] ?? 0
    const highest = sorted[sorted.length - 1 - outside] ?? 0
    const margin = (highest - lowest) * 0.06 || 1
    return new Scale(lowest - margin, highest + margin, bottom, top)
}

/** Returns a scale with round ends that spans at least 40 bpm, so that a steady heart rate looks steady. */
function rateScale(windows: Window[], { bottom, top }: Panel): Scale {
    let lowest = Infinity
    let highest = -Infinity
    for (const { bpm, reference } of windows)
        for (const rate of [bpm, reference])
            if (rate !== null) {
                lowest = Math.min(lowest, rate)
                highest = Math.max(highest, rate)
            }
    if (lowest > highest) return new Scale(40, 120, bottom, top)
    const middle = (lowest + highest) / 2
    const half = Math.max(20, (highest - lowest) / 2 + 4)
    const min = Math.max(0, Math.floor((middle - half) / 5) * 5)
    return new Scale(min, Math.ceil((middle + half) / 5) * 5, bottom, top)
}

function isFar({ bpm, reference }: Window): boolean {
    return bpm !== null && reference !== null && Math.abs(bpm - reference) > farBpm
}
