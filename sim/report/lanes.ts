import { Scale, ticks } from "../../host/drawing/axis.ts"
import { bar, caption, legend, picture, formatted, text, width, xAxis, type Area } from "./chart.ts"
import type { Report } from "./schema.ts"
import { colours } from "./style.ts"

const left = 44
const top = 34
/** Number of parents with a colour of their own; beyond it colours repeat, and the numbers distinguish them. */
const parentColours = colours - 1

/** The parent of each mote over time: one lane per mote. */
export function drawLanes({ lanes, seconds, nodes }: Report): string {
    const row = lanes.length > 40 ? 12 : 20
    const area: Area = { left, right: width - 20, top, bottom: top + row * lanes.length }
    const x = new Scale(0, seconds, area.left, area.right)
    const parents = [...new Set(lanes.flatMap(({ parents }) => parents.map(p => p.parent)))]
        .filter(parent => parent > 0)
        .sort((a, b) => a - b)
    const typeOf = (parent: number) => `f${parents.indexOf(parent) % parentColours}`
    const roles = new Map(nodes.map(({ id, role }) => [id, role]))
    const isShort = parents.length <= parentColours
    const height = area.bottom + 66
    return picture(height, "parents over time", [
        caption(area.left, top - 14, "parent, by colour and number; grey: no power; empty: no parent"),
        ...xAxis(x, area, ticks(0, seconds, 10)),
        ...lanes.flatMap(({ id, parents, off }, i) => {
            const upper = top + i * row + 2
            const lower = upper + row - 4
            const stretch = (from: number, to: number) => ({
                ...{ left: x.at(from), right: x.at(to), top: upper, bottom: lower },
            })
            return [
                text(left - 8, lower - 3, String(id), { "text-anchor": "end", class: "tick" }),
                ...parents.flatMap(({ s, parent, rank }, at) => {
                    if (!parent) return []
                    const until = parents[at + 1]?.s ?? seconds
                    const where = stretch(s, until)
                    const tip = `mote ${id} to ${roles.get(parent) ?? "node"} ${parent}, rank ${rank} at first, ${formatted(s)} to ${formatted(until)} s`
                    const isWide = row > 12 && where.right - where.left > 22
                    return [
                        bar(typeOf(parent), where, tip),
                        ...(isWide
                            ? [
                                  text(where.left + 5, lower - 4, String(parent), {
                                      class: "inside",
                                      "font-size": 11,
                                  }),
                              ]
                            : []),
                    ]
                }),
                ...off.map(([from, to]) =>
                    bar("off", stretch(from, to), `mote ${id}: no power, ${formatted(from)} to ${formatted(to)} s`),
                ),
            ]
        }),
        text((left + width) / 2, area.bottom + 34, "time, s", {
            class: "caption",
            "text-anchor": "middle",
        }),
        ...(isShort
            ? legend(
                  left,
                  height - 6,
                  parents.map((id): [string, string] => [
                      typeOf(id),
                      roles.get(id) === "mote" ? String(id) : `${id}, ${roles.get(id) ?? "unknown"}`,
                  ]),
              )
            : []),
    ])
}
