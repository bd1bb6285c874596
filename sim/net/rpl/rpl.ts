import type { Events } from "../../events.ts"
import { equalBytes } from "../bytes.ts"
import { IcmpType, type IcmpMessage } from "../icmpv6.ts"
import type { LinkAddress } from "../ieee802154.ts"
import {
    isLinkLocal,
    isMulticast,
    parseAddress,
    type Ipv6Address,
    type Ipv6Packet,
} from "../ipv6.ts"
import { linkAddressOf, withPrefix, type Ipv6Node, type Routing } from "../node.ts"
import { DaoSender } from "./dao-sender.ts"
import { Forwarding, type Place, type Routed } from "./forwarding.ts"
import {
    decodeDao,
    decodeDaoAck,
    decodeDio,
    encodeDaoAck,
    encodeDio,
    encodeDis,
    RplCode,
    type Dao,
    type Dio,
} from "./messages.ts"
import { infiniteRank, Neighbours, type Neighbour } from "./neighbour.ts"
import type { RplProfile } from "./profile.ts"
import { Routes, Tree } from "./routes.ts"
import { firstSequence, isNewer, nextSequence } from "./sequence.ts"
import { Trickle } from "./trickle.ts"

/** All RPL nodes on the link; RFC 6550 §6. */
const allNodes = parseAddress("ff02::1a")
/** So many frames in a row given up: the neighbour is gone. */
const lostFailures = 3
/** Objective code point; RFC 6719 §6. */
const mrhof = 1
/** Of a prefix; RFC 4862. */
const autonomous = 0x40
/** Imin of 2^6 ms, Imax of 2^30 ms: whoever wants more or fewer DIOs is no network for motes. */
const minIntervalMin = 6
const maxInterval = 30
/** RFC 6550 §6.5: from 128 on it is a refusal. */
const statusRejected = 128
/** Routes down are kept so long when there is no way up. */
const orphanMs = 30_000
/** The bad news is repeated after that. */
const poisonMs = 1000
/** A node whose parent is lost, or seems to be, asks after that. */
const searchMs = 2000

export interface RplOptions {
    events: Events
    random: () => number
    node: Ipv6Node
    link: LinkAddress
    profile: RplProfile
    /** Of a root: the prefix that it gives out, its first 8 bytes. */
    prefix?: Uint8Array
    /** The rank or the parent has changed. */
    changed?: () => void
}

/**
 * RPL on one node (RFC 6550), with MRHOF and ETX (RFC 6719): who is its parent, and what it knows of the ways down. In a
 * storing network every node keeps the routes to those below; in a non-storing one the root alone knows the tree.
 */
export class Rpl implements Routing, Place {
    readonly profile: RplProfile
    readonly neighbours: Neighbours
    /** Ways down, of this node in storing mode. */
    readonly routes: Routes
    /** The tree, of the root in non-storing mode. */
    readonly tree: Tree
    readonly isRoot: boolean
    rank = infiniteRank
    /** What an attacker says its rank is. */
    claimedRank: number | undefined
    parent: Neighbour | undefined
    /** When this node first had a way to the root. */
    joinedMs: number | undefined
    parentChanges = 0
    private readonly events: Events
    private readonly random: () => number
    private readonly node: Ipv6Node
    private readonly link: LinkAddress
    private readonly changed: () => void
    private readonly dao: DaoSender
    private readonly forwarding: Forwarding
    private trickle: Trickle | undefined
    /** What the DIOs of this node say, but for the rank. */
    private dodag: Dio | undefined
    private lowestRank = infiniteRank
    private dtsn = firstSequence
    private readonly timers = new Set<unknown>()
    private asking: unknown
    private probing: unknown
    private isStopped = false

    constructor(o: RplOptions) {
        const { events, node, profile } = o
        this.events = events
        this.random = o.random
        this.node = node
        this.link = o.link
        this.profile = profile
        this.changed = o.changed ?? (() => {})
        this.neighbours = new Neighbours(profile.initialMetric)
        this.routes = new Routes(() => events.now())
        this.tree = new Tree(() => events.now())
        this.isRoot = o.prefix !== undefined
        this.dao = new DaoSender({
            events,
            random: o.random,
            profile,
            send: (message, destination, sent) => node.sendIcmp(message, destination, { sent }),
            failed: () => this.repairLocally(),
        })
        this.forwarding = new Forwarding(this)
        node.routing = this
        node.onIcmp(IcmpType.rpl, (message, packet) => this.receive(message, packet))
        if (o.prefix) this.becomeRoot(o.prefix)
        else this.solicit(profile.disStartMs * (0.5 + this.random()))
        this.probe()
    }

    stop(): void {
        this.isStopped = true
        this.trickle?.stop()
        this.dao.stop()
        for (const timer of [...this.timers, this.asking, this.probing]) this.events.cancel(timer)
        this.timers.clear()
    }

    /** The DODAG's identifier, an address of its root. */
    get dodagId(): Ipv6Address | undefined {
        return this.dodag?.dodag
    }

    /** Global repair (RFC 6550 §3.2.2): the root begins a new version of the DODAG. */
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
        if (neighbour === this.parent && neighbour.failures === 1) this.probe()
        // Those below will have found another way, or will say so when they have.
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
                return this.receiveDao(decodeDao(message.body), packet.source)
            case RplCode.daoAck:
                return this.dao.acknowledged(decodeDaoAck(message.body))
        }
    }

    private receiveDis(packet: Ipv6Packet): void {
        if (!this.dodag) return
        if (!isMulticast(packet.destination)) return this.sendDio(packet.source)
        const { parent } = this
        if (parent && equalBytes(parent.address, packet.source)) {
            // Who asks all has no way up, because it has started anew or lost its own parent.
            parent.rank = infiniteRank
            this.select()
        }
        this.trickle?.reset()
    }

    private receiveDio(dio: Dio, from: Ipv6Address): void {
        const { instance, mode } = this.profile
        if (dio.instance !== instance || dio.mode !== mode) return
        if (this.isRoot) return this.receiveDioAtRoot(dio, from)
        if (this.dodag && !equalBytes(dio.dodag, this.dodag.dodag)) return
        const neighbour = this.heard(from)
        const isSame = neighbour.rank === dio.rank
        neighbour.rank = dio.rank
        // Without a way of its own it is no way to others either (§8.2.2.5).
        if (dio.rank === infiniteRank) this.routes.deleteVia(from)
        if (!this.dodag) {
            if (dio.rank === infiniteRank || !canJoin(dio)) return
            this.join(dio)
        } else if (isNewer(dio.version, this.dodag.version)) {
            this.startVersion(dio.version)
        } else if (dio.version !== this.dodag.version) {
            neighbour.rank = infiniteRank
            this.trickle!.reset()
            return
        } else if (isSame) this.trickle!.consistent()
        if (neighbour === this.parent && neighbour.dtsn !== dio.dtsn) this.refreshRoutes()
        neighbour.dtsn = dio.dtsn
        this.select()
    }

    private receiveDioAtRoot(dio: Dio, from: Ipv6Address): void {
        this.heard(from).rank = dio.rank
        if (isNewer(dio.version, this.dodag!.version)) {
            // They remember a version that this root, started anew, does not.
            this.dodag!.version = nextSequence(dio.version)
            this.trickle!.reset()
        } else if (dio.rank === infiniteRank) this.trickle!.reset()
        else if (dio.version === this.dodag!.version) this.trickle!.consistent()
    }

    private receiveDao(dao: Dao, from: Ipv6Address): void {
        if (dao.instance !== this.profile.instance) return
        const isAccepted =
            this.profile.mode === 1 ? this.learnTree(dao) : this.learnRoutes(dao, from)
        if (!dao.ackRequested) return
        const status = isAccepted ? 0 : statusRejected
        const ack = { instance: dao.instance, sequence: dao.sequence, status }
        const message = { type: IcmpType.rpl, code: RplCode.daoAck, body: encodeDaoAck(ack) }
        this.node.sendIcmp(message, from)
    }

    /** @returns whether there was room for all */
    private learnTree({ targets }: Dao): boolean {
        if (!this.isRoot) return false
        let hasRoom = true
        for (const { address, parent, lifetime, pathSequence } of targets) {
            const known = this.tree.get(address)
            if (known && isNewer(known.pathSequence, pathSequence)) continue
            if (!lifetime || !parent) this.tree.delete(address)
            else if (!this.tree.set(address, parent, this.lifetimeMs(lifetime), pathSequence))
                hasRoom = false
        }
        this.changed()
        return hasRoom
    }

    /** @returns whether there was room for all */
    private learnRoutes(dao: Dao, from: Ipv6Address): boolean {
        if (!isLinkLocal(from)) return false
        const neighbour = this.heard(from)
        if (neighbour === this.parent) {
            // Each is the other's parent: a loop (§11.2 finds it with data, this is sooner).
            neighbour.rank = infiniteRank
            this.select()
            return false
        }
        let hasRoom = true
        for (const { address, lifetime, pathSequence } of dao.targets) {
            const known = this.routes.get(address)
            const isSameWay = !!known && equalBytes(known.nextHop, from)
            // News that was overtaken, by way of where the target was before (§6.4.1, path sequence).
            if (known && !isSameWay && isNewer(known.pathSequence, pathSequence)) continue
            if (this.node.isOwn(address)) continue
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
            if (this.parent) this.advertise(address, lifetime, pathSequence)
        }
        this.changed()
        return hasRoom
    }

    private heard(address: Ipv6Address): Neighbour {
        const isNeeded = (one: Neighbour) => one === this.parent || this.routes.hasVia(one.address)
        return this.neighbours.heard(address, this.events.now(), isNeeded)
    }

    private lifetimeMs(lifetime: number): number {
        return lifetime * this.profile.lifetimeUnitS * 1000
    }

    // The DODAG

    private becomeRoot(prefix: Uint8Array): void {
        const { profile, node } = this
        const address = withPrefix(prefix, this.link)
        node.addresses.push(address)
        this.rank = this.lowestRank = profile.minHopRankIncrease
        this.joinedMs = this.events.now()
        const whole = new Uint8Array(16)
        whole.set(prefix)
        this.dodag = {
            instance: profile.instance,
            version: firstSequence,
            rank: this.rank,
            grounded: false,
            mode: profile.mode,
            preference: 0,
            dtsn: this.dtsn,
            dodag: address,
            configuration: {
                intervalMin: profile.intervalMin,
                intervalDoublings: profile.intervalDoublings,
                redundancy: profile.redundancy,
                maxRankIncrease: profile.maxRankIncrease,
                minHopRankIncrease: profile.minHopRankIncrease,
                objective: mrhof,
                defaultLifetime: profile.lifetime,
                lifetimeUnitS: profile.lifetimeUnitS,
            },
            prefix: {
                length: 64,
                flags: autonomous,
                validS: profile.prefixLifetimeS,
                preferredS: profile.prefixLifetimeS,
                prefix: whole,
            },
        }
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
            transmit: () => this.sendDio(allNodes),
        })
        this.trickle.start()
    }

    private sendDio(destination: Ipv6Address): void {
        const { dodag, rank, dtsn } = this
        if (!dodag) return
        const body = encodeDio({ ...dodag, rank: this.claimedRank ?? rank, dtsn })
        this.node.sendIcmp({ type: IcmpType.rpl, code: RplCode.dio, body }, destination)
    }

    // The parent

    private cost({ address, rank, metric, failures }: Neighbour): number {
        // The one way there is is not given up for the first frames that are lost.
        const isTooBad = metric.value > this.profile.maxLinkMetric
        const isSpared = address === this.parent?.address && failures < lostFailures
        if (rank === infiniteRank || (isTooBad && !isSpared)) return infiniteRank
        const step = Math.max(metric.value, this.profile.minHopRankIncrease)
        const cost = rank + step
        const limit = this.lowestRank + this.profile.maxRankIncrease
        return cost >= infiniteRank || cost > limit ? infiniteRank : cost
    }

    /** Chooses the parent anew: the cheapest way, unless the present one is hardly worse (RFC 6719 §3.3). */
    private select(): void {
        if (this.isRoot || !this.dodag || this.isStopped) return
        let best: Neighbour | undefined
        let bestCost = infiniteRank
        for (const neighbour of this.neighbours.list()) {
            if (!this.isCandidate(neighbour)) continue
            const cost = this.cost(neighbour)
            if (cost < bestCost) {
                best = neighbour
                bestCost = cost
            }
        }
        const { parent } = this
        const parentCost = parent ? this.cost(parent) : infiniteRank
        const isBetter =
            bestCost + this.profile.hysteresis < parentCost || parentCost === infiniteRank
        if (isBetter && best !== parent) this.attach(best)
        this.adopt(isBetter ? bestCost : parentCost)
    }

    /**
     * Whether its ways up surely do not lead through this node: those below have a rank that is higher by a step at least
     * than the lowest that this node ever gave out (RFC 6550 §8.2.2.4), or have sent it DAOs.
     */
    private isCandidate({ rank, address }: Neighbour): boolean {
        if (rank >= this.lowestRank + this.profile.minHopRankIncrease) return false
        return rank < this.rank || !this.routes.hasVia(address)
    }

    private attach(next: Neighbour | undefined): void {
        const before = this.parent
        if (before && this.profile.mode === 2) this.withdraw(before)
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
     * No way up any more: say so, so that those below look elsewhere, and ask around (RFC 6550 §8.2.2.5). It is said more
     * than once, since whoever misses it might offer the way that leads back here.
     */
    private detach(): void {
        this.dao.stop()
        this.lowestRank = infiniteRank
        this.rank = infiniteRank
        this.trickle?.reset()
        for (const neighbour of this.neighbours.list())
            if (neighbour.metric.value > this.profile.maxLinkMetric) {
                // A bad link gets another chance when there is a sign of life.
                neighbour.rank = infiniteRank
                neighbour.metric.forgive()
            }
        this.sendDio(allNodes)
        this.later(poisonMs * (0.5 + this.random()), () => {
            if (!this.parent) this.sendDio(allNodes)
        })
        this.solicit(searchMs * (0.5 + this.random()))
        // By then those below have heard of it, and who still offers a way has one that does not lead here.
        this.later(orphanMs, () => {
            if (!this.parent) this.routes.clear()
        })
        this.changed()
    }

    /** Nobody above answers: away from this parent, and back only when it says something new. */
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

    /** Tells those above of this node, and in storing mode of all below; and asks those below to do the same. */
    private refreshRoutes(): void {
        const { parent, profile, node } = this
        const own = node.addresses[0]
        if (!parent || !own) return
        this.dao.dodag = profile.dodagInDao ? this.dodag!.dodag : undefined
        this.dtsn = nextSequence(this.dtsn)
        this.advertise(own, profile.lifetime)
        if (profile.mode === 1) return
        for (const { target, pathSequence } of this.routes.list())
            this.advertise(target, profile.lifetime, pathSequence)
    }

    /** @param pathSequence as its owner gave it; undefined for this node's own address */
    private advertise(target: Ipv6Address, lifetime: number, pathSequence?: number): void {
        const parent = this.parent!.address
        if (this.profile.mode === 2)
            this.dao.advertise({ target, lifetime, receiver: parent }, pathSequence)
        else
            this.dao.advertise(
                {
                    target,
                    lifetime,
                    parent: withPrefix(target, linkAddressOf(parent)),
                    receiver: this.dodag!.dodag,
                },
                pathSequence,
            )
    }

    /** The way to this node and to all below leads no more over a parent of before. */
    private withdraw(before: Neighbour): void {
        this.dao.stop()
        const own = this.node.addresses[0]
        if (own) this.dao.withdraw(own, before.address)
        for (const { target, pathSequence } of this.routes.list())
            this.dao.withdraw(target, before.address, pathSequence)
    }

    /** Asks all, and again until there is a parent. */
    private solicit(ms: number): void {
        this.events.cancel(this.asking)
        this.asking = this.events.schedule(() => {
            if (this.parent || this.isRoot) return
            this.sendDis(allNodes)
            this.solicit(this.profile.disIntervalMs * (0.75 + this.random() / 2))
        }, ms)
    }

    /** Now and then a frame to the parent, so that its loss is noticed also when there is nothing to say. */
    private probe(): void {
        const { probingMs } = this.profile
        const ms = this.parent?.failures ? searchMs : probingMs
        this.events.cancel(this.probing)
        this.probing = this.events.schedule(
            () => {
                const { parent } = this
                const isQuiet = parent && this.events.now() - parent.lastSentMs > ms / 2
                if (isQuiet) this.sendDio(parent.address)
                this.probe()
            },
            ms * (0.75 + this.random() / 2),
        )
    }

    private sendDis(destination: Ipv6Address): void {
        const message = { type: IcmpType.rpl, code: RplCode.dis, body: encodeDis() }
        this.node.sendIcmp(message, destination)
    }

    private later(ms: number, fn: () => void): void {
        const timer = this.events.schedule(() => {
            this.timers.delete(timer)
            fn()
        }, ms)
        this.timers.add(timer)
    }
}

/** Whether a node of this kind can be part of that DODAG, and its timers are sane. */
function canJoin({ configuration, prefix }: Dio): boolean {
    if (!configuration || !prefix) return false
    const { objective, intervalMin, intervalDoublings } = configuration
    const isAutonomous = prefix.length === 64 && (prefix.flags & autonomous) !== 0
    const isSane = intervalMin >= minIntervalMin && intervalMin + intervalDoublings <= maxInterval
    return objective === mrhof && isAutonomous && isSane
}
