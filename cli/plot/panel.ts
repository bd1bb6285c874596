import { ticks, timeTicks, type Scale } from "../../host/drawing/axis.ts"
import { element, escape, short, type Attributes } from "../../host/drawing/svg.ts"

/** Pixels. Left and right of everything drawn over time; the page has to know where in time the pointer is. */
export const plotArea = { width: 1200, left: 66, right: 1176 }
export const mostTimeTicks = 12

/** A part of the figure, with a vertical axis of its own and the time axis of all. */
export interface Panel {
    top: number
    bottom: number
    time: Scale
}

/** A sample of what is drawn, by its class, and what it is called. */
export type Key = [type: string, text: string]

/** The border, the caption with its legend, and lines at round values. */
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

/** A legend that ends on the right. */
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

/** About, in the sans serif fonts that a figure is drawn in. */
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

/** Pieces of path data. */
export function move(x: number, y: number): string {
    return `M${pair(x, y)}`
}

/** No length, but a line with round ends. */
export function dot(x: number, y: number): string {
    return `${move(x, y)}h0`
}

export function pair(x: number, y: number): string {
    return `${short(x)} ${short(y)}`
}

/** Ticks are round but for the last bits of a sum. */
function rounded(value: number): string {
    return String(Number(value.toPrecision(6))).replace("-", "−")
}
