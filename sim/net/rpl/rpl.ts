import type { Events } from "../../events.ts"
import { equalBytes } from "../bytes.ts"
import { IcmpType, type IcmpMessage } from "../icmpv6.ts"
import type { LinkAddress } from "../ieee802154.ts"
import {
    isLinkLocal,
    isMulticast,
    NextHeader,
    parseAddress,
    type ExtensionHeader,
    type Ipv6Address,
    type Ipv6Packet,
} from "../ipv6.ts"
import { linkAddressOf, withPrefix, type Ipv6Node, type Routing } from "../node.ts"
import { encodeSourceRoute } from "../source-route.ts"
import { DaoSender } from "./dao-sender.ts"
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
import { decodeRplOption, encodeRplOption } from "./option.ts"
import type { RplProfile } from "./profile.ts"
import { Routes, Tree } from "./routes.ts"
import { firstSequence, isNewer, nextSequence } from "./sequence.ts"
import { Trickle } from "./trickle.ts"

/** All RPL nodes on the link; RFC 6550 §6. */
const allNodes = parseAddress("ff02::1a")
/** So many frames in a row given up: the neighbour is gone. */
const lostFailures = 3
/** A node without a parent tries its neighbours one after the other. */
const searchMs = 10_000

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
export class Rpl implements Routing {
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
    private trickle: Trickle | undefined
    /** What the DIOs of this node say, but for the rank. */
    private dodag: Dio | undefined
    private lowestRank = infiniteRank
    private dtsn = firstSequence
    private timers = new Set<unknown>()
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
            send: (message, destination) => node.sendIcmp(message, destination),
        })
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
        for (const timer of this.timers) this.events.cancel(timer)
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

    admit(packet: Ipv6Packet): boolean {
        const at = packet.extensions?.findIndex(({ kind }) => kind === NextHeader.hopByHop) ?? -1
        const header = packet.extensions?.[at]
        const option = header && decodeRplOption(header.data)
        if (!option) return true
        const from = option.senderRank
        const own = this.dagRank()
        const isWrong = option.down ? from > own : from < own
        if (isWrong && option.rankError) {
            this.trickle?.reset()
            return false
        }
        const rankError = option.rankError || isWrong
        const data = encodeRplOption({ ...option, rankError, senderRank: own })
        packet.extensions = packet.extensions!.map((one, i) => (i === at ? { ...one, data } : one))
        return true
    }

    route(packet: Ipv6Packet): { packet: Ipv6Packet; nextHop: Ipv6Address } | undefined {
        const { destination } = packet
        if (packet.extensions?.some(({ kind }) => kind === NextHeader.routing)) {
            // The next address of a source route is a neighbour, whatever its prefix.
            return { packet, nextHop: linkLocal(destination) }
        }
        if (this.isRoot && this.profile.mode === 1) return this.sourceRoute(packet)
        const down = this.routes.get(destination)
        const nextHop = down?.nextHop ?? this.parent?.address
        if (!nextHop) return undefined
        return { packet: this.withOption(packet, down !== undefined), nextHop }
    }

    sent(link: LinkAddress, delivered: boolean, transmissions: number): void {
        const neighbour = this.neighbours.byLink(link)
        if (!neighbour || this.isStopped) return
        neighbour.metric.measured(delivered, transmissions)
        neighbour.lastSentMs = this.events.now()
        neighbour.failures = delivered ? 0 : neighbour.failures + 1
        // Those below will have found another way, or will say so when they have.
        if (neighbour.failures >= lostFailures) this.routes.deleteVia(neighbour.address)
        this.select()
    }

    private sourceRoute(
        packet: Ipv6Packet,
    ): { packet: Ipv6Packet; nextHop: Ipv6Address } | undefined {
        const path = this.tree.path(packet.destination, this.node.addresses[0]!)
        if (!path) return undefined
        const [first, ...others] = path as [Ipv6Address, ...Ipv6Address[]]
        const route = { segmentsLeft: others.length, addresses: others }
        const header = { kind: NextHeader.routing, data: encodeSourceRoute(route, first) }
        const extensions = [header, ...withoutOption(packet)]
        return { packet: { ...packet, destination: first, extensions }, nextHop: linkLocal(first) }
    }

    private withOption(packet: Ipv6Packet, down: boolean): Ipv6Packet {
        const { extensions = [] } = packet
        if (extensions.some(({ kind }) => kind === NextHeader.hopByHop)) return packet
        const data = encodeRplOption({
            down,
            rankError: false,
            forwardingError: false,
            instance: this.profile.instance,
            senderRank: this.dagRank(),
        })
        return { ...packet, extensions: [{ kind: NextHeader.hopByHop, data }, ...extensions] }
    }

    private dagRank(): number {
        return Math.floor(this.rank / this.profile.minHopRankIncrease)
    }

    // Messages

    private receive(message: IcmpMessage, packet: Ipv6Packet): void {
        if (this.isStopped) return
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
        if (isMulticast(packet.destination)) this.trickle!.reset()
        else this.sendDio(packet.source)
    }

    private receiveDio(dio: Dio, from: Ipv6Address): void {
        const { instance, mode } = this.profile
        if (dio.instance !== instance || dio.mode !== mode || !isLinkLocal(from)) return
        if (this.isRoot) return this.receiveDioAtRoot(dio, from)
        if (this.dodag && !equalBytes(dio.dodag, this.dodag.dodag)) return
        const neighbour = this.neighbours.heard(from, this.events.now(), this.parent)
        const isSame = neighbour.rank === dio.rank
        neighbour.rank = dio.rank
        if (!this.dodag) {
            if (dio.rank === infiniteRank || !dio.configuration || !dio.prefix) return
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
        this.neighbours.heard(from, this.events.now(), undefined).rank = dio.rank
        if (dio.rank === infiniteRank) this.trickle!.reset()
        else if (dio.version === this.dodag!.version) this.trickle!.consistent()
    }

    private receiveDao(dao: Dao, from: Ipv6Address): void {
        if (dao.instance !== this.profile.instance) return
        if (this.profile.mode === 1) this.learnTree(dao)
        else this.learnRoutes(dao, from)
        if (!dao.ackRequested) return
        const ack = { instance: dao.instance, sequence: dao.sequence, status: 0 }
        const message = { type: IcmpType.rpl, code: RplCode.daoAck, body: encodeDaoAck(ack) }
        this.node.sendIcmp(message, from)
    }

    private learnTree({ targets }: Dao): void {
        if (!this.isRoot) return
        for (const { address, parent, lifetime } of targets)
            if (lifetime && parent) this.tree.set(address, parent, this.lifetimeMs(lifetime))
            else this.tree.delete(address)
        this.changed()
    }

    private learnRoutes(dao: Dao, from: Ipv6Address): void {
        if (!isLinkLocal(from)) return
        this.neighbours.heard(from, this.events.now(), this.parent)
        for (const { address, lifetime } of dao.targets) {
            if (lifetime) {
                if (!this.routes.set(address, from, this.lifetimeMs(lifetime))) continue
            } else {
                const known = this.routes.get(address)
                if (!known || !equalBytes(known.nextHop, from)) continue
                this.routes.delete(address)
            }
            if (this.parent) this.advertise(address, lifetime, false)
        }
        this.changed()
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
                objective: 1,
                defaultLifetime: profile.lifetime,
                lifetimeUnitS: profile.lifetimeUnitS,
            },
            prefix: {
                length: 64,
                flags: 0x40,
                validS: profile.prefixLifetimeS,
                preferredS: profile.prefixLifetimeS,
                prefix: whole,
            },
        }
        this.startTrickle()
    }

    private join(dio: Dio): void {
        this.dodag = { ...dio }
        this.node.addresses.splice(0, Infinity, withPrefix(dio.prefix!.prefix, this.link))
        this.lowestRank = infiniteRank
    }

    private startVersion(version: number): void {
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

    private cost({ rank, metric }: Neighbour): number {
        if (rank === infiniteRank || metric.value > this.profile.maxLinkMetric) return infiniteRank
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
            if (this.routes.hasVia(neighbour.address)) continue // it is below
            const cost = this.cost(neighbour)
            if (cost < bestCost) {
                best = neighbour
                bestCost = cost
            }
        }
        const { parent } = this
        const parentCost =
            parent && !this.routes.hasVia(parent.address) ? this.cost(parent) : infiniteRank
        const isBetter =
            bestCost + this.profile.hysteresis < parentCost || parentCost === infiniteRank
        if (isBetter && best !== parent) this.attach(best)
        this.adopt(isBetter ? bestCost : parentCost)
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

    /** No way up any more: say so, so that those below look elsewhere, and ask around (RFC 6550 §8.2.2.5). */
    private detach(): void {
        this.dao.stop()
        this.lowestRank = infiniteRank
        this.trickle?.reset()
        this.rank = infiniteRank
        this.sendDio(allNodes)
        this.solicit(this.profile.disStartMs * (0.5 + this.random()))
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
        this.advertise(own, profile.lifetime, true)
        if (profile.mode === 1) return
        this.dtsn = nextSequence(this.dtsn)
        for (const { target } of this.routes.list()) this.advertise(target, profile.lifetime, false)
    }

    private advertise(target: Ipv6Address, lifetime: number, isOwn: boolean): void {
        const parent = this.parent!.address
        if (this.profile.mode === 2)
            this.dao.advertise({ target, lifetime, receiver: parent }, isOwn)
        else
            this.dao.advertise(
                {
                    target,
                    lifetime,
                    parent: withPrefix(target, linkAddressOf(parent)),
                    receiver: this.dodag!.dodag,
                },
                isOwn,
            )
    }

    private withdraw(before: Neighbour): void {
        this.dao.stop()
        const own = this.node.addresses[0]
        if (own) this.dao.withdraw(own, before.address)
    }

    private solicit(ms: number): void {
        this.later(ms, () => {
            if (this.parent || this.isRoot) return
            this.sendDis(allNodes)
            this.solicit(this.profile.disIntervalMs * (0.75 + this.random() / 2))
        })
    }

    /**
     * Now and then a frame to the parent, so that its loss is noticed also when there is nothing to say; without a parent
     * to the neighbour that was tried longest ago, so that a link that was bad once gets another chance.
     */
    private probe(): void {
        const { probingMs } = this.profile
        const isSearching = this.dodag !== undefined && !this.parent
        const ms = isSearching ? searchMs : probingMs
        this.later(ms * (0.75 + this.random() / 2), () => {
            const { parent } = this
            if (parent && this.events.now() - parent.lastSentMs > probingMs / 2)
                this.sendDio(parent.address)
            else if (isSearching && !parent) this.tryNeighbour()
            this.probe()
        })
    }

    private tryNeighbour(): void {
        const [next] = this.neighbours
            .list()
            .filter(({ rank }) => rank !== infiniteRank)
            .sort((a, b) => a.lastSentMs - b.lastSentMs)
        if (!next) return
        next.metric.forgive()
        this.sendDis(next.address)
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

function withoutOption({ extensions = [] }: Ipv6Packet): ExtensionHeader[] {
    return extensions.filter(({ kind }) => kind !== NextHeader.hopByHop)
}

function linkLocal(address: Ipv6Address): Ipv6Address {
    const bytes = new Uint8Array(16)
    bytes[0] = 0xfe
    bytes[1] = 0x80
    bytes.set(address.subarray(8), 8)
    return bytes
}
