import type { MeshNode } from "../mesh/node.ts"
import { formatAddress } from "../net/ipv6.ts"
import { linkAddressOf } from "../net/node.ts"
import { infiniteRank } from "../net/rpl/neighbour.ts"
import type { Medium, Place, Position } from "../radio/medium.ts"
import type { Simulation } from "../run/simulation.ts"
import type { LinkView, NodeView, Vital } from "./messages.ts"
import type { PacketLog } from "./packets.ts"

/** Link metrics are in units of 1/128. */
const etx1 = 128

/** The current state of each node for the map. @param vitals by node and SenML name */
export function nodeViews(
    simulation: Simulation,
    packets: PacketLog,
    vitals: ReadonlyMap<number, Record<string, Vital>>,
): NodeView[] {
    const { root, motes, scenario } = simulation
    const nodes = [viewOf(root.id, "root", root.radio.position, root, packets)]
    for (const { id, position, node } of motes.values())
        nodes.push({ ...viewOf(id, "mote", position, node, packets), vitals: vitals.get(id) ?? {} })
    for (const { id, kind, x, y, from = 0, to = Infinity } of scenario.attackers ?? []) {
        const isOn = simulation.now() >= from && simulation.now() < to
        nodes.push({ id, kind, x, y, isOn, vitals: {} })
    }
    const parents = new Map(nodes.map(({ id, parent }) => [id, parent]))
    for (const node of nodes) {
        const hops = hopsOf(node.id, root.id, parents)
        if (hops !== undefined) node.hops = hops
    }
    return nodes
}

function viewOf(
    id: number,
    kind: string,
    { x, y }: Position,
    node: MeshNode | undefined,
    packets: PacketLog,
): NodeView {
    const view: NodeView = { id, kind, x, y, isOn: node !== undefined, vitals: {} }
    if (!node) return view
    const [address] = node.ipv6.addresses
    if (address) view.address = formatAddress(address)
    const { rank, parent } = node.rpl
    if (rank < infiniteRank) view.rank = rank
    if (!parent) return view
    view.etx = Math.round((parent.metric.value / etx1) * 100) / 100
    const parentId = packets.idOf(linkAddressOf(parent.address))
    if (parentId !== undefined) view.parent = parentId
    return view
}

/** Hops to the border router along the parents. Undefined if they do not lead there. */
function hopsOf(id: number, root: number, parents: ReadonlyMap<number, number | undefined>): number | undefined {
    let hops = 0
    for (let at: number | undefined = id; at !== root; at = parents.get(at))
        if (at === undefined || ++hops > parents.size) return undefined
    return hops
}

/** Links according to the medium, without nodes that are off and without interference. */
export function linksOf(medium: Medium, nodes: readonly NodeView[]): LinkView[] {
    const places: Place[] = nodes
        .filter(({ isOn, kind }) => isOn && (kind === "root" || kind === "mote"))
        .map(({ id, x, y }) => ({ id, position: { x, y } }))
    const links: LinkView[] = []
    places.forEach((a, i) => {
        for (const b of places.slice(i + 1)) {
            const there = medium.reception(a, b)
            const back = medium.reception(b, a)
            const shares = [there, back].map(one => rounded(one?.probability ?? 0))
            if (shares[0]! + shares[1]! === 0) continue
            const rssiDbm = Math.round((there ?? back)!.rssiDbm)
            links.push([a.id, b.id, shares[0]!, shares[1]!, rssiDbm])
        }
    })
    return links
}

function rounded(share: number): number {
    return Math.round(share * 1000) / 1000
}
