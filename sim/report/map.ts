import { element, escape } from "../../host/drawing/svg.ts"
import { dot, legend, line, picture, text, width } from "./chart.ts"
import type { PlacedNode, Report } from "./schema.ts"
import { colours } from "./style.ts"

const margin = 46
const mostHeight = 560
const leastHeight = 160
const mostNamed = 60

/** Positions of all nodes at the end, and their parents. */
export function drawMap(report: Report): string {
    const { nodes, motes } = report
    const xs = nodes.map(({ x }) => x)
    const ys = nodes.map(({ y }) => y)
    const [west, east] = [Math.min(...xs), Math.max(...xs)]
    const [south, north] = [Math.min(...ys), Math.max(...ys)]
    const scale = Math.min(
        (width - 2 * margin) / Math.max(1, east - west),
        (mostHeight - 2 * margin) / Math.max(1, north - south),
    )
    const height = Math.max(leastHeight, (north - south) * scale + 2 * margin) + 28
    const left = (width - (east - west) * scale) / 2
    const at = ({ x, y }: PlacedNode): [number, number] => [left + (x - west) * scale, margin + (y - south) * scale]
    const byId = new Map(nodes.map(node => [node.id, node]))
    const mostHops = Math.max(0, ...motes.map(({ hops }) => hops ?? 0))
    const moteOf = new Map(motes.map(mote => [mote.id, mote]))
    const r = nodes.length > mostNamed ? 9 : 13

    const links = motes.flatMap(({ id, parent, hops }) => {
        const to = parent === undefined ? undefined : byId.get(parent)
        return to ? [line(`s${colourOf(hops)}`, [at(byId.get(id)!), at(to)])] : []
    })
    const drawn = nodes.map(node => {
        const [x, y] = at(node)
        const mote = moteOf.get(node.id)
        const name = String(node.id)
        const label = text(x, y + 4, name, { class: "inside", "text-anchor": "middle" })
        if (node.role === "border router")
            return element(
                "g",
                {},
                element("rect", {
                    ...{ class: "f2", x: x - r - 1, y: y - r - 1, rx: 3 },
                    ...{ width: 2 * r + 2, height: 2 * r + 2 },
                }),
                label,
                element("title", {}, escape(`border router ${name}`)),
            )
        if (!mote) {
            const triangle = `M${x} ${y - r - 3}L${x + r + 2} ${y + r}L${x - r - 2} ${y + r}Z`
            return element(
                "g",
                {},
                element("path", { class: "bad", d: triangle }),
                text(x, y + r + 14, `${node.role} ${name}`, {
                    class: "halo",
                    "text-anchor": "middle",
                }),
                element("title", {}, escape(`${node.role} ${name}`)),
            )
        }
        const { address, rank, parent, hops } = mote
        const tip = [
            `mote ${name}`,
            ...(node.hasPower ? [] : ["no power"]),
            ...(address ? [address] : []),
            ...(rank === undefined ? [] : [`rank ${rank}`]),
            ...(parent === undefined ? [] : [`parent ${parent}`]),
            ...(hops === undefined ? ["no route"] : [`${hops} hops`]),
        ].join(" · ")
        const type = node.hasPower ? `f${colourOf(hops)}` : "off"
        const shownRank = nodes.length <= mostNamed && rank !== undefined && node.hasPower
        return element(
            "g",
            {},
            dot(type, x, y, r),
            label,
            ...(shownRank
                ? [
                      text(x, y + r + 13, String(rank), {
                          class: "tick halo",
                          "text-anchor": "middle",
                      }),
                  ]
                : []),
            element("title", {}, escape(tip)),
        )
    })
    const keys: [string, string][] = [
        ["f2", "border router"],
        ...Array.from({ length: Math.min(mostHops, 5) }, (_, i): [string, string] => [
            `f${colourOf(i + 1)}`,
            `${i + 1}${i === 4 && mostHops > 5 ? " or more" : ""} ${i ? "hops" : "hop"}`,
        ]),
        ...(motes.some(({ hops }) => hops === undefined)
            ? [[`f${colourOf(undefined)}`, "no route"] as [string, string]]
            : []),
        ...(report.attackers.length ? [["bad", "attacker"] as [string, string]] : []),
    ]
    return picture(height, "map of the network", [
        ...links,
        ...drawn,
        ...legend(8, height - 8, keys),
        ...ruler(scale, height),
    ])
}

/** A scale bar. */
function ruler(scale: number, height: number): string[] {
    const metres = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000]
    const length = metres.find(m => m * scale >= 60) ?? 100_000
    const right = width - 8
    const y = height - 8
    return [
        line("frame", [
            [right - length * scale, y - 8],
            [right - length * scale, y],
            [right, y],
            [right, y - 8],
        ]),
        text(right - length * scale - 8, y, `${length} m`, {
            class: "tick",
            "text-anchor": "end",
        }),
    ]
}

const hopColours = [0, 1, 3, 4, 5]

/** The colour for a number of hops to the border router. */
export function colourOf(hops: number | undefined): number {
    if (hops === undefined || hops < 1) return colours - 1
    return hopColours[Math.min(hops, hopColours.length) - 1]!
}
