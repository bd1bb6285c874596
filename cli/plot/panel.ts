import { ticks, timeTicks, type Scale } from "../../host/drawing/axis.ts"
import { element, escape, short, type Attributes } from "../../host/drawing/svg.ts"

/** The horizontal extent of all panels in pixels. The page needs it to convert pointer positions to times. */
export const plotArea = { width: 1200, left: 66, right: 1176 }
export const mostTimeTicks = 12

/** A part of the figure with its own vertical axis and the common time axis. */
export interface Panel {
    top: number
    bottom: number
    time: Scale
}

/** An entry of a legend: the class of the element it explains, and its text. */
export type Key = [type: string, text: string]

/** Draws the border of a panel, its caption and legend, and grid lines at round values. */
export function frame(
    { top, bottom, time }: Panel,
    letter: string,
    caption: string,
    legend: Key[] = [],
    y?: Scale,
    at = y ? ticks(y.min, y.max, Math.max(2, (bottom - top) / 30)) : [],
): string[] {
    const { left, right } = plotArea
    const baseline = top - 10
    const grid = (d: string) => element("path", { class: "grid", d })
    return [
        ...at.flatMap(value => [
            grid(`${move(left, y!.at(value))}H${right}`),
            label(left - 9, y!.at(value) + 4, rounded(value), {
                class: "tick",
                "text-anchor": "end",
            }),
        ]),
        ...timeTicks(time.min, time.max, mostTimeTicks).map(value =>
            grid(`${move(time.at(value), top)}V${short(bottom)}`),
        ),
        element("rect", { class: "frame", ...box(left, right, top, bottom) }),
        label(left, baseline, letter, { class: "name" }),
        label(left + 18, baseline, caption),
        ...keys(legend, baseline),
    ]
}

/** Draws a legend, aligned to the right. */
function keys(legend: Key[], baseline: number): string[] {
    let x = plotArea.right
    return [...legend].reverse().flatMap(([type, text]) => {
        const textX = x - textWidth(text)
        const y = baseline - 4
        x = textX - 40
        return [
            areas.has(type)
                ? element("rect", { class: type, ...box(textX - 22, textX - 8, y - 5, y + 5) })
                : path(type, type === "reference" ? `${move(textX - 24, y)}h16` : dot(textX - 14, y)),
            label(textX, baseline, text, { class: "dim" }),
        ]
    })
}

const areas = new Set(["strip", "quality", "silent"])

/** Estimates the width of a text in the sans-serif fonts of the figure, in pixels. */
function textWidth(text: string): number {
    const narrow = text.match(/[ijlft.,' ]/g)?.length ?? 0
    const wide = text.match(/[mw]/g)?.length ?? 0
    return 7.1 * (text.length - narrow - wide) + 3.7 * narrow + 10.4 * wide
}

export function label(x: number, y: number, text: string, attributes: Attributes = {}): string {
    return element("text", { x, y, ...attributes }, escape(text))
}

export function path(type: string, d: string): string {
    return d ? element("path", { class: type, d, "clip-path": "url(#plot)" }) : ""
}

export function box(left: number, right: number, top: number, bottom: number): Attributes {
    return { x: left, y: top, width: right - left, height: bottom - top }
}

/** Returns path data that moves to a point. */
export function move(x: number, y: number): string {
    return `M${pair(x, y)}`
}

/** Returns path data for a line of length 0, which is a dot if its ends are round. */
export function dot(x: number, y: number): string {
    return `${move(x, y)}h0`
}

export function pair(x: number, y: number): string {
    return `${short(x)} ${short(y)}`
}

/** Formats a tick. Rounding hides the floating-point error of the sum. */
function rounded(value: number): string {
    return String(Number(value.toPrecision(6))).replace("-", "−")
}
