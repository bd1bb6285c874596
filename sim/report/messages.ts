import { Scale, ticks } from "../../host/drawing/axis.ts"
import { bar, caption, fromZero, legend, picture, formatted, text, width, xAxis, yAxis, type Area } from "./chart.ts"
import type { Kind } from "./kind.ts"
import type { Report } from "./schema.ts"

const top = 34
const row = 24
const maxFrame = 127
const labelWidth = 130
/** Frame lengths per bar. */
const sizeStep = 4

const colourOfKind: Record<Kind, number> = {
    "TCP data": 0,
    "TCP control": 4,
    DIO: 1,
    DAO: 2,
    "DAO-ACK": 6,
    DIS: 3,
    ICMPv6: 3,
    UDP: 3,
    acknowledgement: 7,
    other: 5,
}

/** Bytes on the air by kind of frame on the left, frame lengths on the right. */
export function drawMessages({ kinds }: Report): string {
    const bottom = top + row * Math.max(6, kinds.length)
    const left: Area = { left: 124, right: width / 2 - 10, top, bottom }
    const right: Area = { left: width / 2 + 56, right: width - 20, top, bottom }
    return picture(bottom + 52, "frames by kind and size", [...byKind(kinds, left), ...bySize(kinds, right)])
}

function byKind(kinds: Report["kinds"], area: Area): string[] {
    const all = kinds.reduce((sum, { bytes }) => sum + bytes, 0)
    const x = fromZero(
        kinds.map(({ bytes }) => bytes / 1000),
        area.left,
        area.right - labelWidth,
        0.1,
    )
    return [
        caption(area.left, top - 14, "sent, kB"),
        ...xAxis(x, area, ticks(0, x.max, 5)),
        ...[...kinds]
            .sort((a, b) => b.bytes - a.bytes)
            .flatMap(({ kind, frames, bytes, airS }, i) => {
                const y = top + i * row
                const end = x.at(bytes / 1000)
                return [
                    text(area.left - 8, y + row / 2 + 4, kind, { "text-anchor": "end" }),
                    bar(
                        `f${colourOfKind[kind]}`,
                        { left: area.left, right: end, top: y + 4, bottom: y + row - 4 },
                        `${formatted(frames)} frames, ${formatted(bytes)} bytes, ${formatted(airS)} s on the air`,
                    ),
                    text(end + 6, y + row / 2 + 4, `${percent(bytes, all)}, ${formatted(frames)} frames`, {
                        class: "tick halo",
                    }),
                ]
            }),
    ]
}

function bySize(kinds: Report["kinds"], area: Area): string[] {
    const steps = Math.ceil((maxFrame + 1) / sizeStep)
    const x = new Scale(0, steps * sizeStep, area.left, area.right)
    const heights = new Array<number>(steps).fill(0)
    for (const { sizes } of kinds) for (const [size, count] of sizes) heights[Math.floor(size / sizeStep)]! += count
    const y = fromZero(heights, area.bottom, area.top)
    const base = new Array<number>(steps).fill(0)
    const stacks = kinds.flatMap(({ kind, sizes }) => {
        const counts = new Map<number, number>()
        for (const [size, count] of sizes) {
            const step = Math.floor(size / sizeStep)
            counts.set(step, (counts.get(step) ?? 0) + count)
        }
        return [...counts].map(([step, count]) => {
            const from = base[step]!
            base[step] = from + count
            const where = {
                left: x.at(step * sizeStep) + 0.5,
                right: x.at((step + 1) * sizeStep) - 0.5,
                top: y.at(from + count),
                bottom: y.at(from),
            }
            const range = `${step * sizeStep} to ${(step + 1) * sizeStep - 1} bytes`
            return bar(`f${colourOfKind[kind]}`, where, `${kind}, ${range}: ${formatted(count)} frames`)
        })
    })
    const shown = kinds.filter(({ kind }) => ["TCP data", "DIO", "DAO", "acknowledgement"].includes(kind))
    return [
        ...legend(
            area.left,
            top - 14,
            shown.map(({ kind }): [string, string] => [`f${colourOfKind[kind]}`, kind]),
        ),
        ...xAxis(x, area, [0, 32, 64, 96, 127]),
        ...yAxis(y, area),
        ...stacks,
        text((area.left + area.right) / 2, area.bottom + 34, "length of a frame, bytes", {
            class: "caption",
            "text-anchor": "middle",
        }),
    ]
}

export function percent(part: number, whole: number): string {
    return whole ? `${Number(((100 * part) / whole).toFixed(1))} %` : "–"
}
