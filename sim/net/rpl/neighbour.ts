import { linkAddressOf } from "../node.ts"
import type { LinkAddress } from "../mac/ieee802154.ts"
import type { Ipv6Address } from "../ipv6.ts"
import { LinkMetric } from "./link-metric.ts"
import { keyOf } from "./routes.ts"

/** INFINITE_RANK; RFC 6550 §17. */
export const infiniteRank = 0xffff

/** A node in reach, and what its last DIO said. */
export interface Neighbour {
    address: Ipv6Address
    metric: LinkMetric
    rank: number
    dtsn: number
    /** When something was last sent to it, acknowledged or not. */
    lastSentMs: number
    lastHeardMs: number
    /** Frames given up in a row. */
    failures: number
}

/** The neighbours that a node has room for. */
export class Neighbours {
    private readonly neighbours = new Map<string, Neighbour>()
    private readonly initialMetric: number
    private readonly capacity: number

    constructor(initialMetric: number, capacity = 32) {
        this.initialMetric = initialMetric
        this.capacity = capacity
    }

    get(address: Ipv6Address): Neighbour | undefined {
        return this.neighbours.get(keyOf(address))
    }

    byLink(link: LinkAddress): Neighbour | undefined {
        for (const neighbour of this.neighbours.values())
            if (keyOf(linkAddressOf(neighbour.address)) === keyOf(link)) return neighbour
        return undefined
    }

    /** The neighbour with that address, new if need be; where there is no room, the one silent longest gives way, if nobody needs it. */
    heard(address: Ipv6Address, nowMs: number, isNeeded: (neighbour: Neighbour) => boolean): Neighbour {
        let neighbour = this.get(address)
        if (!neighbour) {
            if (this.neighbours.size >= this.capacity) this.evict(isNeeded)
            neighbour = {
                address,
                metric: new LinkMetric(this.initialMetric),
                rank: infiniteRank,
                dtsn: -1,
                lastSentMs: -Infinity,
                lastHeardMs: nowMs,
                failures: 0,
            }
            this.neighbours.set(keyOf(address), neighbour)
        }
        neighbour.lastHeardMs = nowMs
        return neighbour
    }

    list(): Neighbour[] {
        return [...this.neighbours.values()]
    }

    clear(): void {
        this.neighbours.clear()
    }

    private evict(isNeeded: (neighbour: Neighbour) => boolean): void {
        const [oldest] = this.list().sort(
            (a, b) => Number(isNeeded(a)) - Number(isNeeded(b)) || a.lastHeardMs - b.lastHeardMs,
        )
        if (oldest) this.neighbours.delete(keyOf(oldest.address))
    }
}
