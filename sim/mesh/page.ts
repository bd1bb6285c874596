import { formatAddress } from "../net/ipv6.ts"
import type { MeshNode } from "./node.ts"

/** State of a border router: its neighbours, and its routes or, in non-storing mode, the links of the DODAG. */
export interface RouterView {
    neighbours: { address: string; rank: number; etx: number }[]
    routes: { target: string; via: string; lifetimeS: number }[]
}

export function routerView(root: MeshNode, nowMs: number): RouterView {
    const { rpl } = root
    return {
        neighbours: rpl.neighbours.list().map(({ address, rank, metric }) => ({
            address: formatAddress(address),
            rank,
            etx: metric.value / 128,
        })),
        routes: rpl.downward.links().map(({ target, nextHop, expiresMs }) => ({
            target: formatAddress(target),
            via: formatAddress(nextHop),
            lifetimeS: Math.floor((expiresMs - nowMs) / 1000),
        })),
    }
}

/** The web page of Contiki 2.7's border router. */
export function routerPage({ neighbours, routes }: RouterView): string {
    const list = neighbours.map(({ address }) => `${address}\n`).join("")
    const ways = routes.map(({ target, via, lifetimeS }) => `${target}/128 (via ${via}) ${lifetimeS}s\n`).join("")
    return (
        "<html><head><title>ContikiRPL</title></head><body>\n" +
        `Neighbors<pre>${list}</pre>Routes<pre>${ways}</pre></body></html>\n`
    )
}
