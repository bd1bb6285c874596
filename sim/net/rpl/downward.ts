import type { Events } from "../../time/events.ts"
import { IcmpType } from "../icmpv6.ts"
import type { Ipv6Address, Ipv6Packet } from "../ipv6.ts"
import { DaoSender } from "./dao-sender.ts"
import { encodeDaoAck, RplCode, type Dao, type DaoAck } from "./messages.ts"
import type { Neighbour } from "./neighbour.ts"
import type { RplParameters } from "./parameters.ts"
import { Routes, type Route } from "./routes.ts"
import type { RplHost } from "./host.ts"

/** RFC 6550 §6.5: a status of 128 or above is a rejection. */
const statusRejected = 128

export interface DownwardOptions {
    events: Events
    random: () => number
    profile: RplParameters
    node: RplHost
    isRoot: boolean
    /** The current parent and DODAG. */
    up: () => { parent: Neighbour | undefined; dodag: Ipv6Address | undefined }
    /** The neighbour with an address from which a message has just been received. */
    heard: (address: Ipv6Address) => Neighbour
    /** The parent is unusable: it is below this node itself, or no DAO is acknowledged. */
    parentLost: () => void
    /** The downward routes have changed. */
    changed: () => void
}

/** A packet and its next hop. */
export interface Routed {
    packet: Ipv6Packet
    nextHop: Ipv6Address
}

/**
 * The downward routes (RFC 6550 §9), learnt from the DAOs of nodes below. Each mode of operation has its own subclass.
 */
export abstract class Downward {
    /** Routes for hop-by-hop forwarding; empty if the mode keeps none. */
    readonly routes: Routes
    /** Whether this node adds a source route to each packet (RFC 6554) instead of forwarding hop by hop. */
    readonly isSourceRouting: boolean = false
    protected readonly o: DownwardOptions
    protected readonly dao: DaoSender

    constructor(o: DownwardOptions) {
        const { events, random, profile, node } = o
        this.o = o
        this.routes = new Routes(() => events.now())
        this.dao = new DaoSender({
            events,
            random,
            profile,
            send: (message, destination, sent) => node.sendIcmp(message, destination, { sent }),
            failed: o.parentLost,
        })
    }

    /** The downward links that this node knows, for display. */
    abstract links(): Route[]

    /** The packet with a source route to its destination. Undefined if there is no route. */
    sourceRoute(_packet: Ipv6Packet): Routed | undefined {
        return undefined
    }

    /** Advertises this node, and everything else that its parent has to know. */
    abstract refresh(own: Ipv6Address): void

    /** Withdraws the route through a former parent; a parent that does not respond gets no message. */
    abstract withdraw(before: Neighbour): void

    /** @returns whether all targets fitted into the routing table */
    protected abstract learn(dao: Dao, from: Ipv6Address): boolean

    /** Sends nothing more until there is a change. */
    stop(): void {
        this.dao.stop()
    }

    receive(dao: Dao, from: Ipv6Address): void {
        const { profile, node } = this.o
        if (dao.instance !== profile.instance) return
        const isAccepted = this.learn(dao, from)
        if (!dao.ackRequested) return
        const status = isAccepted ? 0 : statusRejected
        const ack = { instance: dao.instance, sequence: dao.sequence, status }
        const message = { type: IcmpType.rpl, code: RplCode.daoAck, body: encodeDaoAck(ack) }
        node.sendIcmp(message, from)
    }

    acknowledged(ack: DaoAck): void {
        this.dao.acknowledged(ack)
    }

    protected lifetimeMs(lifetime: number): number {
        return lifetime * this.o.profile.lifetimeUnitS * 1000
    }
}
