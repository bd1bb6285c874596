import { Scale, ticks } from "../../host/drawing/axis.ts"
import { element, escape, short, type Attributes } from "../../host/drawing/svg.ts"

/** Width of all charts in pixels; pages scale them. */
export const width = 1080

/** The area of a chart in which something is drawn. */
export interface Area {
    left: number
    right: number
    top: number
    bottom: number
}

/** @param title for screen readers */
export function picture(height: number, title: string, parts: string[]): string {
    return element("svg", { role: "img", viewBox: `0 0 ${width} ${short(height)}`, "aria-label": title }, ...parts)
}

export function text(x: number, y: number, what: string, attributes: Attributes = {}): string {
    return element("text", { x, y, ...attributes }, escape(what))
}

export function caption(x: number, y: number, what: string): string {
    return text(x, y, what, { class: "caption" })
}

/** @param tip tooltip */
export function bar(type: string, area: Area, tip?: string): string {
    const { left, right, top, bottom } = area
    const size = { x: left, y: top, width: Math.max(0, right - left), height: bottom - top }
    return element("rect", { class: type, ...size }, ...title(tip))
}

export function line(type: string, points: (readonly [x: number, y: number])[]): string {
    const d = points.map(([x, y], i) => `${i ? "L" : "M"}${short(x)} ${short(y)}`).join("")
    return element("path", { class: type, d })
}

export function dot(type: string, x: number, y: number, r: number, tip?: string): string {
    return element("circle", { class: type, cx: x, cy: y, r }, ...title(tip))
}

function title(tip: string | undefined): string[] {
    return tip === undefined ? [] : [element("title", {}, escape(tip))]
}

/** Vertical lines at round values, with the values below. */
export function xAxis(scale: Scale, area: Area, at = ticks(scale.min, scale.max, 6)): string[] {
    return at.flatMap(value => {
        const x = scale.at(value)
        const tick = { class: "tick", "text-anchor": "middle" }
        return [
            line("grid", [
                [x, area.top],
                [x, area.bottom],
            ]),
            text(x, area.bottom + 15, formatted(value), tick),
        ]
    })
}

/** Horizontal lines at round values, with the values on the left. */
export function yAxis(scale: Scale, area: Area, at = ticks(scale.min, scale.max, 5)): string[] {
    return at.flatMap(value => {
        const y = scale.at(value)
        return [
            line("grid", [
                [area.left, y],
                [area.right, y],
            ]),
            text(area.left - 6, y + 4, formatted(value), { class: "tick", "text-anchor": "end" }),
        ]
    })
}

/** A scale from 0 to slightly above the maximum. */
export function fromZero(values: number[], start: number, end: number, least = 1): Scale {
    return new Scale(0, Math.max(least, ...values) * 1.03, start, end)
}

/** A row of colours with their meaning, starting at the left. */
export function legend(x: number, y: number, entries: [type: string, what: string][]): string[] {
    return entries.flatMap(([type, what]) => {
        const at = x
        x += 22 + 6.6 * what.length + 14
        return [bar(type, { left: at, right: at + 11, top: y - 10, bottom: y + 1 }), text(at + 16, y, what)]
    })
}

/** A number with three significant digits. */
export function formatted(value: number): string {
    const rounded = Number(value.toPrecision(3))
    return (Math.abs(rounded) >= 10_000 ? rounded.toLocaleString("en-GB") : String(rounded)).replace("-", "−")
}

/** A logarithmic scale with ticks at 1, 2 and 5 times powers of ten. */
export class LogScale {
    readonly min: number
    readonly max: number
    private readonly scale: Scale

    constructor(min: number, max: number, start: number, end: number) {
        this.min = min
        this.max = Math.max(max, min * 10)
        this.scale = new Scale(Math.log(this.min), Math.log(this.max), start, end)
    }

    at(value: number): number {
        return this.scale.at(Math.log(Math.min(this.max, Math.max(this.min, value))))
    }

    axis(area: Area): string[] {
        const decades = Math.log10(this.max / this.min)
        const steps = decades > 3 ? [1] : decades > 2 ? [1, 3] : [1, 2, 5]
        const at: number[] = []
        for (let ten = 10 ** Math.floor(Math.log10(this.min)); ten <= this.max; ten *= 10)
            for (const step of steps) {
                const value = Number((ten * step).toPrecision(3))
                if (value >= this.min && value <= this.max) at.push(value)
            }
        return at.flatMap(value => {
            const x = this.at(value)
            return [
                line("grid", [
                    [x, area.top],
                    [x, area.bottom],
                ]),
                text(x, area.bottom + 15, formatted(value), { class: "tick", "text-anchor": "middle" }),
            ]
        })
    }
}
