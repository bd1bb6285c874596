import type { MoteStatus, Network } from "../browser/messages.ts"

/** A node in the picture; `x` and `y` in steps, the border router at the top. */
export interface PlacedNode {
    /** The interface identifier: the last four groups of its addresses. */
    name: string
    x: number
    y: number
    parent: PlacedNode | undefined
}

/**
 * Places the border router, its neighbours and everything that has a route below those that lead there. A route in storing mode names the
 * next hop, one in non-storing mode the parent; either way it is drawn as a line.
 */
export function layout({ address, neighbours, routes }: Network): {
    nodes: PlacedNode[]
    width: number
    depth: number
} {
    const root = interfaceOf(address)
    const children = new Map<string, string[]>()
    const placed = new Set([root])
    for (const [target, via] of [
        ...routes.map(({ target, via }) => [interfaceOf(target), interfaceOf(via)] as const),
        ...neighbours.map(neighbour => [interfaceOf(neighbour.address), root] as const),
    ]) {
        if (placed.has(target)) continue
        placed.add(target)
        const parent = target === via ? root : via
        children.set(parent, [...(children.get(parent) ?? []), target])
    }
    const nodes: PlacedNode[] = []
    let width = 0
    let depth = 0
    const seen = new Set<string>()
    const place = (name: string, parent: PlacedNode | undefined): PlacedNode => {
        seen.add(name)
        const node: PlacedNode = { name, x: 0, y: parent ? parent.y + 1 : 0, parent }
        nodes.push(node)
        depth = Math.max(depth, node.y)
        const below = (children.get(name) ?? []).filter(child => !seen.has(child)).map(child => place(child, node))
        node.x = below.length === 0 ? width++ : (below[0]!.x + below.at(-1)!.x) / 2
        return node
    }
    const top = place(root, undefined)
    // What is left hangs on a node that nobody knows, or on a circle of routes: it is shown below the border router.
    for (const name of placed) if (!seen.has(name)) place(name, top)
    return { nodes, width: Math.max(1, width), depth }
}

/** The interface identifier of an IPv6 address, as 16 hex digits. */
export function interfaceOf(address: string): string {
    const [head = "", tail] = address.split("::")
    const before = head === "" ? [] : head.split(":")
    const after = tail === undefined || tail === "" ? [] : tail.split(":")
    const zeros = Array<string>(Math.max(0, 8 - before.length - after.length)).fill("0")
    const groups = tail === undefined ? before : [...before, ...zeros, ...after]
    return groups
        .slice(-4)
        .map(group => group.padStart(4, "0"))
        .join("")
}

/** The mote whose connection comes from this node, if its address is the node's own. */
export function moteAt(name: string, motes: Pick<MoteStatus, "eui" | "address">[]): string | undefined {
    return motes.find(({ address }) => {
        const [, ip] = /^\[([0-9a-f:]+)\]:\d+$/.exec(address ?? "") ?? []
        return ip !== undefined && interfaceOf(ip) === name
    })?.eui
}
