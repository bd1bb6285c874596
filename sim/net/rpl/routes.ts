import type { Ipv6Address } from "../ipv6.ts"

/** A route down, as every node of a storing network keeps it. */
export interface Route {
    target: Ipv6Address
    nextHop: Ipv6Address
    expiresMs: number
    /** Its owner's count of what it has told of itself: which of two pieces of news is newer (RFC 6550 §6.4.1). */
    pathSequence: number
}

/** Routes by target; bounded, so a node that is told too much forgets nothing that it knows. */
export class Routes {
    private readonly routes = new Map<string, Route>()
    private readonly capacity: number
    private readonly now: () => number

    constructor(now: () => number, capacity = 512) {
        this.now = now
        this.capacity = capacity
    }

    /** @returns false where there is no room */
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

    /** Forgets all that goes over a neighbour. @returns what that was */
    deleteVia(nextHop: Ipv6Address): Route[] {
        const gone = this.list().filter(route => keyOf(route.nextHop) === keyOf(nextHop))
        for (const { target } of gone) this.delete(target)
        return gone
    }

    hasVia(nextHop: Ipv6Address): boolean {
        return this.list().some(route => keyOf(route.nextHop) === keyOf(nextHop))
    }

    /** In the order in which they became known. */
    list(): Route[] {
        const now = this.now()
        return [...this.routes.values()].filter(({ expiresMs }) => expiresMs > now)
    }

    clear(): void {
        this.routes.clear()
    }
}

/** The tree as the root of a non-storing network knows it: every node's parent. */
export class Tree {
    private readonly parents: Routes

    constructor(now: () => number) {
        this.parents = new Routes(now)
    }

    get(child: Ipv6Address): Route | undefined {
        return this.parents.get(child)
    }

    set(child: Ipv6Address, parent: Ipv6Address, lifetimeMs: number, pathSequence: number): boolean {
        return this.parents.set(child, parent, lifetimeMs, pathSequence)
    }

    delete(child: Ipv6Address): void {
        this.parents.delete(child)
    }

    list(): Route[] {
        return this.parents.list()
    }

    clear(): void {
        this.parents.clear()
    }

    /** The nodes from below the root to `target`, which is the last; undefined where the tree does not reach it. */
    path(target: Ipv6Address, root: Ipv6Address): Ipv6Address[] | undefined {
        const path = [target]
        const rootKey = keyOf(root)
        for (let at = target; ;) {
            const parent = this.parents.get(at)?.nextHop
            if (!parent || path.length > maxPath) return undefined
            if (keyOf(parent) === rootKey) return path
            path.unshift(parent)
            at = parent
        }
    }
}

const maxPath = 32

export function keyOf(address: Ipv6Address): string {
    return Buffer.from(address.buffer, address.byteOffset, address.length).toString("latin1")
}
