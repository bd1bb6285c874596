import type { Ipv6Address } from "../ipv6.ts"

/** A downward route, as stored by every node in storing mode. */
export interface Route {
    target: Ipv6Address
    nextHop: Ipv6Address
    expiresMs: number
    /** The target's Path Sequence, which orders its DAOs (RFC 6550 §6.7.8). */
    pathSequence: number
}

/** A routing table of bounded size, by target. A full table keeps its existing routes. */
export class Routes {
    private readonly routes = new Map<string, Route>()
    private readonly capacity: number
    private readonly now: () => number

    constructor(now: () => number, capacity = 512) {
        this.now = now
        this.capacity = capacity
    }

    /** @returns false if the table is full */
    set(target: Ipv6Address, nextHop: Ipv6Address, lifetimeMs: number, pathSequence: number): boolean {
        const key = keyOf(target)
        if (!this.routes.has(key) && this.routes.size >= this.capacity) return false
        const expiresMs = this.now() + lifetimeMs
        this.routes.set(key, { target, nextHop, expiresMs, pathSequence })
        return true
    }

    get(target: Ipv6Address): Route | undefined {
        const route = this.routes.get(keyOf(target))
        if (!route || route.expiresMs > this.now()) return route
        this.routes.delete(keyOf(target))
        return undefined
    }

    delete(target: Ipv6Address): void {
        this.routes.delete(keyOf(target))
    }

    /** Deletes all routes through a neighbour. @returns the deleted routes */
    deleteVia(nextHop: Ipv6Address): Route[] {
        const gone = this.list().filter(route => keyOf(route.nextHop) === keyOf(nextHop))
        for (const { target } of gone) this.delete(target)
        return gone
    }

    hasVia(nextHop: Ipv6Address): boolean {
        return this.list().some(route => keyOf(route.nextHop) === keyOf(nextHop))
    }

    /** In the order in which they were added. */
    list(): Route[] {
        const now = this.now()
        return [...this.routes.values()].filter(({ expiresMs }) => expiresMs > now)
    }

    clear(): void {
        this.routes.clear()
    }
}

export function keyOf(address: Ipv6Address): string {
    return Buffer.from(address.buffer, address.byteOffset, address.length).toString("latin1")
}
