import type { Events } from "../../time/events.ts"
import { IcmpType } from "../icmpv6.ts"
import type { Ipv6Address, Ipv6Packet } from "../ipv6.ts"
import { DaoSender } from "./dao-sender.ts"
import { encodeDaoAck, RplCode, type Dao, type DaoAck } from "./messages.ts"
import type { Neighbour } from "./neighbour.ts"
import type { RplParameters } from "./parameters.ts"
import { Routes, type Route } from "./routes.ts"
import type { RplHost } from "./host.ts"

/** RFC 6550 §6.5: from 128 on it is a refusal. */
const statusRejected = 128

export interface DownwardOptions {
    events: Events
    random: () => number
    profile: RplParameters
    node: RplHost
    isRoot: boolean
    /** The way up at this moment. */
    up: () => { parent: Neighbour | undefined; dodag: Ipv6Address | undefined }
    /** The neighbour with an address, which has just been heard. */
    heard: (address: Ipv6Address) => Neighbour
    /** The parent is none: it is below this node itself, or no DAO is acknowledged. */
    parentLost: () => void
    /** The routes down have changed. */
    changed: () => void
}

/** A packet and the neighbour that it goes to. */
export interface Routed {
    packet: Ipv6Packet
    nextHop: Ipv6Address
}

/** The routes down (RFC 6550 §9), learnt from the DAOs of those below; each mode of operation has its own. */
export abstract class Downward {
    /** By which this node forwards hop by hop; empty where a mode keeps none. */
    readonly routes: Routes
    /** Whether this node writes the way down into each packet (RFC 6554) instead of forwarding hop by hop. */
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

    /** The links down that this node knows, for whoever wants to see them. */
    abstract links(): Route[]

    /** The packet with the way to its destination; undefined where none is known. */
    sourceRoute(_packet: Ipv6Packet): Routed | undefined {
        return undefined
    }

    /** Advertises this node, and whatever else its parent has to know. */
    abstract refresh(own: Ipv6Address): void

    /** The way to this node no longer leads over that parent; one that does not answer gets no message. */
    abstract withdraw(before: Neighbour): void

    /** @returns whether there was room for all targets */
    protected abstract learn(dao: Dao, from: Ipv6Address): boolean

    /** Sends nothing more until there is something new. */
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
