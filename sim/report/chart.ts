import { Scale, ticks } from "../../host/drawing/axis.ts"
import { element, escape, short, type Attributes } from "../../host/drawing/svg.ts"

/** Pixels of all pictures; pages scale them. */
export const width = 1080

/** Where in a picture something is drawn. */
export interface Area {
    left: number
    right: number
    top: number
    bottom: number
}

/** @param title for those who cannot see it */
export function picture(height: number, title: string, parts: string[]): string {
    return element("svg", { role: "img", viewBox: `0 0 ${width} ${short(height)}`, "aria-label": title }, ...parts)
}

export function text(x: number, y: number, what: string, attributes: Attributes = {}): string {
    return element("text", { x, y, ...attributes }, escape(what))
}

export function caption(x: number, y: number, what: string): string {
    return text(x, y, what, { class: "caption" })
}

/** @param tip what it says under the pointer */
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

/** Upright lines at round numbers, with the numbers below. */
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

/** Level lines at round numbers, with the numbers on the left. */
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

/** From 0 to a bit more than the highest. */
export function fromZero(values: number[], start: number, end: number, least = 1): Scale {
    return new Scale(0, Math.max(least, ...values) * 1.03, start, end)
}

/** Colours and what they stand for, in a row from the left. */
export function legend(x: number, y: number, entries: [type: string, what: string][]): string[] {
    return entries.flatMap(([type, what]) => {
        const at = x
        x += 22 + 6.6 * what.length + 14
        return [bar(type, { left: at, right: at + 11, top: y - 10, bottom: y + 1 }), text(at + 16, y, what)]
    })
}

/** A number for people: three digits that count. */
export function formatted(value: number): string {
    const rounded = Number(value.toPrecision(3))
    return (Math.abs(rounded) >= 10_000 ? rounded.toLocaleString("en-GB") : String(rounded)).replace("-", "−")
}

/** Powers of ten with 2 and 5 in between, on a scale of logarithms. */
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
