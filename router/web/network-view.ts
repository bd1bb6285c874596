import { h } from "../../browser/dom.ts"
import type { MoteStatus, Network } from "../browser/messages.ts"
import { ago } from "./format.ts"
import { table } from "./table.ts"
import { interfaceOf, layout, moteAt } from "./network-layout.ts"

const xStep = 74
const yStep = 62
const radius = 15
const margin = 30

/** The network as a tree below the border router, and the same as tables. */
export function networkView(network: Network, motes: MoteStatus[]): HTMLElement {
    const { nodes, width, depth } = layout(network)
    const at = (x: number, y: number) => ({ x: margin + x * xStep, y: margin + y * yStep })
    const etxOf = new Map(network.neighbours.map(({ address, etx }) => [interfaceOf(address), etx]))
    const lines = nodes.flatMap(({ x, y, parent, name }) => {
        if (!parent) return []
        const [from, to] = [at(x, y), at(parent.x, parent.y)]
        const etx = parent.parent ? undefined : etxOf.get(name)
        const quality = etx === undefined ? "unknown" : etx < 1.5 ? "good" : etx < 3 ? "fair" : "poor"
        return [svg("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, "data-quality": quality })]
    })
    const marks = nodes.map(({ x, y, name, parent }) => {
        const place = at(x, y)
        const mote = moteAt(name, motes)
        const circle = svg("circle", { cx: place.x, cy: place.y, r: radius, "data-kind": parent ? "mote" : "root" })
        const label = svg("text", { x: place.x, y: place.y + 4 })
        label.textContent = name.slice(-4)
        const title = svg("title", {})
        title.textContent = `${name}, ${parent ? (mote ? `mote ${mote}` : "not a mote of this router") : "the border router"}`
        const group = svg("g", {})
        group.append(title, circle, label)
        return group
    })
    const picture = svg("svg", {
        class: "network",
        role: "img",
        "aria-label": `Routes of ${nodes.length - 1} nodes below the border router`,
        viewBox: `0 0 ${2 * margin + Math.max(0, width - 1) * xStep} ${2 * margin + depth * yStep}`,
        width: 2 * margin + Math.max(0, width - 1) * xStep,
    })
    picture.append(...lines, ...marks)
    return h(
        "div",
        {},
        h("div", { class: "table", tabindex: "0", role: "group", "aria-label": "Picture of the network" }, picture),
        h(
            "details",
            {},
            h("summary", {}, `${network.neighbours.length} neighbours, ${network.routes.length} routes`),
            table(
                ["neighbour", "rank", "ETX"],
                network.neighbours.map(({ address, rank, etx }) => [
                    address,
                    rank === 65535 ? "infinite" : String(rank),
                    etx.toFixed(2),
                ]),
            ),
            table(
                ["route to", "via", "for another"],
                network.routes.map(({ target, via, lifetimeS }) => [
                    target,
                    via,
                    lifetimeS < 0 ? "" : ago(lifetimeS * 1000),
                ]),
            ),
        ),
    )
}

function svg(tag: string, attributes: Record<string, string | number>): SVGElement {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag)
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value))
    return element
}
