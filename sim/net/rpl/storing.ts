import { equalBytes } from "../bytes.ts"
import { isLinkLocal, type Ipv6Address } from "../ipv6.ts"
import { Downward } from "./downward.ts"
import type { Dao } from "./messages.ts"
import type { ModeOfOperation } from "./mode.ts"
import type { Neighbour } from "./neighbour.ts"
import { lostFailures } from "./parent-selection.ts"
import type { Route } from "./routes.ts"
import { isNewer } from "./sequence.ts"

/** Storing mode (RFC 6550 §9.8): every node stores the routes to the nodes below and advertises them to its parent. */
export const storingMode: ModeOfOperation = {
    code: 2,
    name: "storing",
    passesDtsnOn: false,
    newDownward: o => new StoringDownward(o),
}

class StoringDownward extends Downward {
    links(): Route[] {
        return this.routes.list()
    }

    refresh(own: Ipv6Address): void {
        const { profile, up } = this.o
        this.dao.dodag = profile.dodagInDao ? up().dodag : undefined
        this.dao.forget()
        this.advertise(own, profile.lifetime)
        for (const { target, pathSequence } of this.routes.list())
            this.advertise(target, profile.lifetime, pathSequence)
    }

    withdraw(before: Neighbour): void {
        this.dao.stop()
        if (before.failures >= lostFailures) return
        const own = this.o.node.addresses[0]
        if (own) this.dao.withdraw(own, before.address)
        for (const { target, pathSequence } of this.routes.list())
            this.dao.withdraw(target, before.address, pathSequence)
    }

    protected learn(dao: Dao, from: Ipv6Address): boolean {
        if (!isLinkLocal(from)) return false
        const { parent } = this.o.up()
        if (this.o.heard(from) === parent) {
            // Each is the other's parent: a loop. §11.2 detects it with data packets, this check sooner.
            this.o.parentLost()
            return false
        }
        let hasRoom = true
        for (const { address, lifetime, pathSequence } of dao.targets) {
            const known = this.routes.get(address)
            const isSameWay = !!known && equalBytes(known.nextHop, from)
            // An older path sequence arrives by way of the target's former parent (§6.4.1).
            if (known && !isSameWay && isNewer(known.pathSequence, pathSequence)) continue
            if (this.o.node.isOwn(address)) continue
            if (lifetime) {
                const lifetimeMs = this.lifetimeMs(lifetime)
                if (!this.routes.set(address, from, lifetimeMs, pathSequence)) {
                    hasRoom = false
                    continue
                }
            } else {
                if (!isSameWay) continue
                this.routes.delete(address)
            }
            if (parent) this.advertise(address, lifetime, pathSequence)
        }
        this.o.changed()
        return hasRoom
    }

    /** @param pathSequence set by its owner; undefined for this node's own address */
    private advertise(target: Ipv6Address, lifetime: number, pathSequence?: number): void {
        const receiver = this.o.up().parent!.address
        this.dao.advertise({ target, lifetime, receiver }, pathSequence)
    }
}
