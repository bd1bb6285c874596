import type { Events } from "../../time/events.ts"
import { equalBytes } from "../bytes.ts"
import { IcmpType } from "../icmpv6.ts"
import { isLinkLocal, type Ipv6Address } from "../ipv6.ts"
import { linkAddressOf, withPrefix, type Ipv6Node } from "../node.ts"
import { DaoSender } from "./dao-sender.ts"
import { encodeDaoAck, RplCode, type Dao, type DaoAck } from "./messages.ts"
import { lostFailures } from "./mrhof.ts"
import type { Neighbour } from "./neighbour.ts"
import type { RplProfile } from "./profile.ts"
import { Routes, Tree } from "./routes.ts"
import { isNewer } from "./sequence.ts"

/** RFC 6550 §6.5: from 128 on it is a refusal. */
const statusRejected = 128

export interface DownwardOptions {
    events: Events
    random: () => number
    profile: RplProfile
    node: Ipv6Node
    isRoot: boolean
    /** The way up at this moment. */
    up: () => { parent: Neighbour | undefined; dodag: Ipv6Address | undefined }
    /** The neighbour with an address, which has just been heard. */
    heard: (address: Ipv6Address) => Neighbour
    /** The parent is none: it says that it is below, or nobody above answers. */
    misled: () => void
    /** There are other ways down than before. */
    changed: () => void
}

/**
 * The ways down (RFC 6550 §9): learnt from the DAOs of those below, told to those above. In a storing network every node
 * keeps the routes to those below; in a non-storing one the root alone knows the tree.
 */
export class Downward {
    /** Of this node in storing mode. */
    readonly routes: Routes
    /** Of the root in non-storing mode. */
    readonly tree: Tree
    private readonly o: DownwardOptions
    private readonly dao: DaoSender

    constructor(o: DownwardOptions) {
        const { events, random, profile, node } = o
        this.o = o
        this.routes = new Routes(() => events.now())
        this.tree = new Tree(() => events.now())
        this.dao = new DaoSender({
            events,
            random,
            profile,
            send: (message, destination, sent) => node.sendIcmp(message, destination, { sent }),
            failed: o.misled,
        })
    }

    /** Says nothing more until there is something new. */
    stop(): void {
        this.dao.stop()
    }

    receive(dao: Dao, from: Ipv6Address): void {
        const { profile, node } = this.o
        if (dao.instance !== profile.instance) return
        const isAccepted = profile.mode === 1 ? this.learnTree(dao) : this.learnRoutes(dao, from)
        if (!dao.ackRequested) return
        const status = isAccepted ? 0 : statusRejected
        const ack = { instance: dao.instance, sequence: dao.sequence, status }
        const message = { type: IcmpType.rpl, code: RplCode.daoAck, body: encodeDaoAck(ack) }
        node.sendIcmp(message, from)
    }

    acknowledged(ack: DaoAck): void {
        this.dao.acknowledged(ack)
    }

    /** Tells those above of this node, and in storing mode of all below. */
    refresh(own: Ipv6Address): void {
        const { profile, up } = this.o
        this.dao.dodag = profile.dodagInDao ? up().dodag : undefined
        this.dao.forget()
        this.advertise(own, profile.lifetime)
        if (profile.mode === 1) return
        for (const { target, pathSequence } of this.routes.list())
            this.advertise(target, profile.lifetime, pathSequence)
    }

    /** The way to this node and to all below leads no more over a parent of before; who does not answer is not told. */
    withdraw(before: Neighbour): void {
        this.dao.stop()
        if (before.failures >= lostFailures) return
        const own = this.o.node.addresses[0]
        if (own) this.dao.withdraw(own, before.address)
        for (const { target, pathSequence } of this.routes.list())
            this.dao.withdraw(target, before.address, pathSequence)
    }

    /** @returns whether there was room for all */
    private learnTree({ targets }: Dao): boolean {
        if (!this.o.isRoot) return false
        let hasRoom = true
        for (const { address, parent, lifetime, pathSequence } of targets) {
            const known = this.tree.get(address)
            if (known && isNewer(known.pathSequence, pathSequence)) continue
            if (!lifetime || !parent) this.tree.delete(address)
            else if (!this.tree.set(address, parent, this.lifetimeMs(lifetime), pathSequence)) hasRoom = false
        }
        this.o.changed()
        return hasRoom
    }

    /** @returns whether there was room for all */
    private learnRoutes(dao: Dao, from: Ipv6Address): boolean {
        if (!isLinkLocal(from)) return false
        const { parent } = this.o.up()
        if (this.o.heard(from) === parent) {
            // Each is the other's parent: a loop (§11.2 finds it with data, this is sooner).
            this.o.misled()
            return false
        }
        let hasRoom = true
        for (const { address, lifetime, pathSequence } of dao.targets) {
            const known = this.routes.get(address)
            const isSameWay = !!known && equalBytes(known.nextHop, from)
            // News that was overtaken, by way of where the target was before (§6.4.1, path sequence).
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

    /** @param pathSequence as its owner gave it; undefined for this node's own address */
    private advertise(target: Ipv6Address, lifetime: number, pathSequence?: number): void {
        const { parent, dodag } = this.o.up()
        const above = parent!.address
        if (this.o.profile.mode === 2) this.dao.advertise({ target, lifetime, receiver: above }, pathSequence)
        else
            this.dao.advertise(
                {
                    target,
                    lifetime,
                    parent: withPrefix(target, linkAddressOf(above)),
                    receiver: dodag!,
                },
                pathSequence,
            )
    }

    private lifetimeMs(lifetime: number): number {
        return lifetime * this.o.profile.lifetimeUnitS * 1000
    }
}
