import { linkAddressOf } from "../node.ts"
import type { LinkAddress } from "../mac/ieee802154.ts"
import type { Ipv6Address } from "../ipv6.ts"
import { LinkMetric } from "./link-metric.ts"
import { keyOf } from "./routes.ts"

/** INFINITE_RANK (RFC 6550 §17). */
export const infiniteRank = 0xffff

/** A neighbour and the content of its last DIO. */
export interface Neighbour {
    address: Ipv6Address
    metric: LinkMetric
    rank: number
    dtsn: number
    /** Time of the last frame sent to it, acknowledged or not. */
    lastSentMs: number
    lastHeardMs: number
    /** Consecutive frames without acknowledgement. */
    failures: number
}

/** The neighbour table of a node, of bounded size. */
export class Neighbours {
    private readonly neighbours = new Map<string, Neighbour>()
    private readonly newMetric: () => number
    private readonly capacity: number

    /** @param newMetric the link metric of a new neighbour, when it is heard first */
    constructor(newMetric: () => number, capacity = 32) {
        this.newMetric = newMetric
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

    /**
     * Finds or adds the neighbour with this address. A full table evicts the neighbour silent for longest that is not
     * needed.
     */
    heard(address: Ipv6Address, nowMs: number, isNeeded: (neighbour: Neighbour) => boolean): Neighbour {
        let neighbour = this.get(address)
        if (!neighbour) {
            if (this.neighbours.size >= this.capacity) this.evict(isNeeded)
            neighbour = {
                address,
                metric: new LinkMetric(this.newMetric()),
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
