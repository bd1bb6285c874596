import type { Events } from "../../time/events.ts"
import { equalBytes } from "../bytes.ts"
import { IcmpType, type IcmpMessage } from "../icmpv6.ts"
import type { LinkAddress } from "../mac/ieee802154.ts"
import { isLinkLocal, isMulticast, parseAddress, type Ipv6Address, type Ipv6Packet } from "../ipv6.ts"
import { withPrefix, type Routing } from "../node.ts"
import { canJoin, newDodag } from "./dodag.ts"
import type { Downward, Routed } from "./downward.ts"
import { Forwarding, type Place } from "./forwarding.ts"
import type { RplHost } from "./host.ts"
import { decodeDao, decodeDaoAck, decodeDio, encodeDio, encodeDis, RplCode, type Dio } from "./messages.ts"
import { Inquiry, searchMs } from "./inquiry.ts"
import { bestParent, isUsable, lostFailures, rankThrough, type SelectingNode } from "./parent-selection.ts"
import { infiniteRank, Neighbours, type Neighbour } from "./neighbour.ts"
import type { RplProfile } from "./profile.ts"
import type { Routes } from "./routes.ts"
import { firstSequence, isNewer, nextSequence } from "./sequence.ts"
import { Trickle } from "./trickle.ts"

/** All-RPL-nodes multicast address (RFC 6550 §6). */
export const allRplNodes = parseAddress("ff02::1a")
/** A node without parent keeps its downward routes for this long. */
const orphanMs = 30_000
/** Age at which Contiki treats link measurements as stale. */
const staleMs = 600_000
/** Delay before a poisoning DIO is repeated. */
const poisonMs = 1000

export interface RplOptions {
    events: Events
    random: () => number
    node: RplHost
    link: LinkAddress
    profile: RplProfile
    /** For a root: the prefix that it advertises, its first 8 bytes. */
    prefix?: Uint8Array
    /** The rank or the parent has changed. */
    changed?: () => void
}

/** RPL on one node (RFC 6550): its place in the DODAG, its parent, and its DIOs. */
export class Rpl implements Routing, Place, SelectingNode {
    readonly profile: RplProfile
    readonly neighbours: Neighbours
    readonly downward: Downward
    /** See `Downward`. */
    readonly routes: Routes
    readonly isRoot: boolean
    rank = infiniteRank
    lowestRank = infiniteRank
    parent: Neighbour | undefined
    /** Time at which this node first had a route to the root. */
    joinedMs: number | undefined
    parentChanges = 0
    private readonly events: Events
    private readonly random: () => number
    private readonly node: RplHost
    private readonly link: LinkAddress
    private readonly changed: () => void
    private readonly forwarding: Forwarding
    private readonly inquiry: Inquiry
    private trickle: Trickle | undefined
    /** The content of this node's DIOs, except the rank. */
    private dodag: Dio | undefined
    private dtsn = firstSequence
    private readonly timers = new Set<unknown>()
    private isStopped = false

    constructor(o: RplOptions) {
        const { events, node, profile } = o
        this.events = events
        this.random = o.random
        this.node = node
        this.link = o.link
        this.profile = profile
        this.changed = o.changed ?? (() => {})
        this.neighbours = new Neighbours(() => profile.objective.firstMetric(node.rssiDbm, profile))
        this.isRoot = o.prefix !== undefined
        this.downward = profile.mode.newDownward({
            events,
            random: o.random,
            profile,
            node,
            isRoot: this.isRoot,
            up: () => ({ parent: this.parent, dodag: this.dodagId }),
            heard: address => this.heard(address),
            parentLost: () => this.repairLocally(),
            changed: () => this.changed(),
        })
        this.routes = this.downward.routes
        this.forwarding = new Forwarding(this)
        this.inquiry = new Inquiry({
            events,
            random: o.random,
            profile,
            parent: () => this.parent,
            solicit: () => node.sendIcmp({ type: IcmpType.rpl, code: RplCode.dis, body: encodeDis() }, allRplNodes),
            probe: parent => this.sendDio(parent.address),
        })
        node.routing = this
        node.onIcmp(IcmpType.rpl, (message, packet) => this.receive(message, packet))
        if (o.prefix) this.becomeRoot(o.prefix)
        else this.inquiry.solicit(profile.disStartMs * (0.5 + this.random()))
        this.inquiry.probe()
    }

    stop(): void {
        this.isStopped = true
        this.trickle?.stop()
        this.downward.stop()
        this.inquiry.stop()
        for (const timer of this.timers) this.events.cancel(timer)
        this.timers.clear()
    }

    /** The DODAG's identifier, an address of its root. */
    get dodagId(): Ipv6Address | undefined {
        return this.dodag?.dodag
    }

    /** The newest DODAG version that this node knows. */
    get version(): number | undefined {
        return this.dodag?.version
    }

    /** Global repair (RFC 6550 §3.2.2): the root starts a new version of the DODAG. */
    repair(): void {
        if (!this.isRoot || !this.dodag) return
        this.dodag.version = nextSequence(this.dodag.version)
        this.trickle!.reset()
    }

    // Routing

    admit(packet: Ipv6Packet, previous?: LinkAddress): boolean {
        return this.forwarding.admit(packet, previous)
    }

    route(packet: Ipv6Packet, previous?: LinkAddress): Routed | undefined {
        return this.forwarding.route(packet, previous)
    }

    inconsistent(): void {
        this.trickle?.reset()
    }

    sent(link: LinkAddress, delivered: boolean, transmissions: number): void {
        const neighbour = this.neighbours.byLink(link)
        if (!neighbour || this.isStopped) return
        neighbour.metric.measured(delivered, transmissions)
        neighbour.lastSentMs = this.events.now()
        neighbour.failures = delivered ? 0 : neighbour.failures + 1
        if (neighbour === this.parent && neighbour.failures === 1) this.inquiry.probe()
        // Nodes below will have found another route, or will advertise one when they have.
        if (neighbour.failures >= lostFailures) this.routes.deleteVia(neighbour.address)
        this.select()
    }

    // Messages

    private receive(message: IcmpMessage, packet: Ipv6Packet): void {
        if (this.isStopped) return
        const isLocal = isLinkLocal(packet.source)
        if (!isLocal && message.code !== RplCode.dao && message.code !== RplCode.daoAck) return
        switch (message.code) {
            case RplCode.dis:
                return this.receiveDis(packet)
            case RplCode.dio:
                return this.receiveDio(decodeDio(message.body), packet.source)
            case RplCode.dao:
                return this.downward.receive(decodeDao(message.body), packet.source)
            case RplCode.daoAck:
                return this.downward.acknowledged(decodeDaoAck(message.body))
        }
    }

    private receiveDis(packet: Ipv6Packet): void {
        if (!this.dodag) return
        if (!isMulticast(packet.destination)) return this.sendDio(packet.source)
        const { parent } = this
        if (parent && equalBytes(parent.address, packet.source)) {
            // A node that multicasts a DIS has no route up: it has restarted or lost its own parent.
            parent.rank = infiniteRank
            this.select()
        }
        this.trickle?.reset()
    }

    private receiveDio(dio: Dio, from: Ipv6Address): void {
        const { instance, mode } = this.profile
        if (dio.instance !== instance || dio.mode !== mode.code) return
        if (this.isRoot) return this.receiveDioAtRoot(dio, from)
        if (this.dodag && !equalBytes(dio.dodag, this.dodag.dodag)) return
        const neighbour = this.heard(from)
        this.reconsider(neighbour)
        const isSame = neighbour.rank === dio.rank
        neighbour.rank = dio.rank
        // A node without a route of its own is no route for others either (§8.2.2.5).
        if (dio.rank === infiniteRank) this.routes.deleteVia(from)
        if (!this.dodag) {
            if (dio.rank === infiniteRank || !canJoin(dio, this.profile)) return
            this.join(dio)
        } else if (isNewer(dio.version, this.dodag.version)) {
            this.startVersion(dio.version)
        } else if (dio.version !== this.dodag.version) {
            neighbour.rank = infiniteRank
            this.trickle?.reset()
            return
        } else if (isSame) this.trickle?.consistent()
        if (neighbour === this.parent && neighbour.dtsn !== dio.dtsn) {
            if (mode.passesDtsnOn) this.dtsn = nextSequence(this.dtsn)
            this.refreshRoutes()
        }
        neighbour.dtsn = dio.dtsn
        this.select()
    }

    private receiveDioAtRoot(dio: Dio, from: Ipv6Address): void {
        this.heard(from).rank = dio.rank
        if (isNewer(dio.version, this.dodag!.version)) {
            // Nodes remember a version that this root has lost in a restart.
            this.dodag!.version = nextSequence(dio.version)
            this.trickle!.reset()
        } else if (dio.rank === infiniteRank) this.trickle!.reset()
        else if (dio.version === this.dodag!.version) this.trickle!.consistent()
    }

    /** A neighbour that is heard again gets another chance, and an old link metric counts less. */
    private reconsider(neighbour: Neighbour): void {
        neighbour.failures = Math.min(neighbour.failures, lostFailures - 1)
        if (this.events.now() - neighbour.lastSentMs > staleMs) neighbour.metric.forgive()
    }

    private heard(address: Ipv6Address): Neighbour {
        const isNeeded = (one: Neighbour) => one === this.parent || this.routes.hasVia(one.address)
        return this.neighbours.heard(address, this.events.now(), isNeeded)
    }

    // The DODAG

    private becomeRoot(prefix: Uint8Array): void {
        const { profile, node } = this
        const address = withPrefix(prefix, this.link)
        node.addresses.push(address)
        this.rank = this.lowestRank = profile.minHopRankIncrease
        this.joinedMs = this.events.now()
        this.dodag = newDodag(profile, address, prefix, this.dtsn)
        this.startTrickle()
    }

    private join(dio: Dio): void {
        this.dodag = { ...dio }
        const own = withPrefix(dio.prefix!.prefix, this.link)
        this.node.addresses.splice(0, Infinity, own)
        this.lowestRank = infiniteRank
    }

    private startVersion(version: number): void {
        this.routes.clear()
        this.dodag!.version = version
        this.lowestRank = infiniteRank
        this.parent = undefined
        this.rank = infiniteRank
        for (const neighbour of this.neighbours.list()) neighbour.rank = infiniteRank
    }

    private startTrickle(): void {
        this.trickle?.stop()
        const { intervalMin, intervalDoublings, redundancy } = this.dodag!.configuration!
        this.trickle = new Trickle({
            events: this.events,
            random: this.random,
            minMs: 2 ** intervalMin,
            doublings: intervalDoublings,
            redundancy,
            transmit: () => this.sendDio(allRplNodes),
        })
        this.trickle.start()
    }

    private sendDio(destination: Ipv6Address): void {
        const { dodag, rank, dtsn } = this
        if (!dodag) return
        const body = encodeDio({ ...dodag, rank, dtsn })
        this.node.sendIcmp({ type: IcmpType.rpl, code: RplCode.dio, body }, destination)
    }

    // The parent

    /** Chooses the best parent, unless the objective function keeps the present one. */
    private select(): void {
        if (this.isRoot || !this.dodag || this.isStopped) return
        const { best, bestRank } = bestParent(this.neighbours.list(), this)
        const { parent, profile } = this
        const present = parent ? rankThrough(parent, this) : infiniteRank
        const isBetter = present === infiniteRank || profile.objective.isWorthChanging(bestRank, present, profile)
        if (isBetter && best !== parent) this.attach(best)
        this.adopt(isBetter ? bestRank : present)
    }

    private attach(next: Neighbour | undefined): void {
        const before = this.parent
        if (before) this.downward.withdraw(before)
        this.parent = next
        this.parentChanges++
        if (!next) {
            this.detach()
            return
        }
        if (!this.trickle) this.startTrickle()
        else this.trickle.reset()
        this.joinedMs ??= this.events.now()
        this.refreshRoutes()
    }

    /**
     * Detaches (RFC 6550 §8.2.2.5): poisons the sub-DODAG, so that nodes below look elsewhere, and solicits DIOs. The
     * poisoning DIO is repeated, because a node that misses it might offer a route that leads back here.
     */
    private detach(): void {
        this.downward.stop()
        this.lowestRank = infiniteRank
        this.rank = infiniteRank
        this.trickle?.reset()
        for (const neighbour of this.neighbours.list())
            if (!isUsable(neighbour, this)) {
                // A bad link gets another chance at the next sign of life.
                neighbour.rank = infiniteRank
                neighbour.failures = 0
                neighbour.metric.forgive()
            }
        this.sendDio(allRplNodes)
        this.later(poisonMs * (0.5 + this.random()), () => {
            if (!this.parent) this.sendDio(allRplNodes)
        })
        this.inquiry.solicit(searchMs * (0.5 + this.random()))
        // By then the nodes below know, and a node that still offers a route has one that does not lead here.
        this.later(orphanMs, () => {
            if (!this.parent) this.routes.clear()
        })
        this.changed()
    }

    /** Local repair: leaves a parent that does not respond until its next DIO. */
    private repairLocally(): void {
        if (!this.parent || this.isStopped) return
        this.parent.rank = infiniteRank
        this.select()
    }

    private adopt(rank: number): void {
        if (rank === this.rank) return
        const isFarOff = Math.abs(rank - this.rank) >= this.profile.minHopRankIncrease
        this.rank = rank
        this.lowestRank = Math.min(this.lowestRank, rank)
        if (isFarOff) this.trickle?.reset()
        this.changed()
    }

    /** Sends the DAOs that the nodes above need. */
    private refreshRoutes(): void {
        const own = this.node.addresses[0]
        if (this.parent && own) this.downward.refresh(own)
    }

    private later(ms: number, fn: () => void): void {
        const timer = this.events.schedule(() => {
            this.timers.delete(timer)
            fn()
        }, ms)
        this.timers.add(timer)
    }
}
