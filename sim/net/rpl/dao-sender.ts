import type { Events } from "../../time/events.ts"
import { IcmpType, type IcmpMessage } from "../icmpv6.ts"
import type { Ipv6Address } from "../ipv6.ts"
import type { Sent } from "../node.ts"
import { encodeDao, RplCode, type DaoAck } from "./messages.ts"
import type { RplParameters } from "./parameters.ts"
import { keyOf } from "./routes.ts"
import { firstSequence, nextSequence } from "./sequence.ts"

export interface Advertised {
    target: Ipv6Address
    lifetime: number
    /** Parent of the target, in non-storing mode. */
    parent?: Ipv6Address
    receiver: Ipv6Address
}

interface Advertisement extends Advertised {
    pathSequence: number
    /** A No-Path to a former parent; its delivery is not essential. */
    isFarewell: boolean
}

/** The content of one DAO. */
interface Batch {
    sequence: number
    advertisements: [key: string, Advertisement][]
}

export type Send = (message: IcmpMessage, receiver: Ipv6Address, sent: Sent) => void

const ackWaitMs = 5000
/** Delay before a DAO is retried after its first link failed; it doubles with each failure. */
const retryMs = 2000
const maxDoublings = 3
/** DelayDAO (RFC 6550 §9.5) for targets from below: the time to wait for others that can share the DAO. */
const forwardMs = 500
/** Number of targets that fit into two frames, each with its own transit option. */
const maxTargets = 6

/**
 * Advertises targets to the nodes above: several per DAO, one DAO at a time, and no target that they already know. A
 * DAO is repeated until its first link delivers it or, if requested, the root acknowledges it.
 */
export class DaoSender {
    /** DODAG identifier in each DAO, if the profile includes it. */
    dodag: Ipv6Address | undefined
    private readonly events: Events
    private readonly random: () => number
    private readonly profile: RplParameters
    private readonly send: Send
    private readonly failed: () => void
    private readonly waiting = new Map<string, Advertisement>()
    /** The path sequence of each target that the receiver is known to have. */
    private readonly heard = new Map<string, number>()
    private underWay: Batch | undefined
    private tries = 0
    private timer: unknown
    private sequence = firstSequence
    /** Path sequence of this node's own address. */
    private pathSequence = firstSequence
    private refresh: unknown

    constructor(o: {
        events: Events
        random: () => number
        profile: RplParameters
        send: Send
        /** No DAO was acknowledged, after all retries. */
        failed: () => void
    }) {
        this.events = o.events
        this.random = o.random
        this.profile = o.profile
        this.send = o.send
        this.failed = o.failed
    }

    stop(): void {
        this.waiting.clear()
        this.heard.clear()
        this.pause()
        this.events.cancel(this.refresh)
    }

    /** Called when the parent requests all DAOs again, or has changed. */
    forget(): void {
        this.heard.clear()
    }

    /**
     * Advertises a target below this node to `receiver`; a lifetime of 0 withdraws it. In storing mode the receiver is
     * the parent, in non-storing mode the root, which also learns the target's parent.
     * @param pathSequence set by the target; undefined for this node's own address, which is advertised periodically
     */
    advertise(what: Advertised, pathSequence: number | undefined): void {
        if (pathSequence !== undefined) return this.pass(what, pathSequence)
        this.pathSequence = nextSequence(this.pathSequence)
        this.put({ ...what, pathSequence: this.pathSequence, isFarewell: false })
        this.pause()
        this.arm(this.profile.daoDelayMs)
        this.events.cancel(this.refresh)
        this.refresh = this.events.schedule(
            () => this.advertise(what, undefined),
            this.profile.daoRefreshMs * (0.75 + this.random() / 4),
        )
    }

    /** Sends a No-Path to a former parent (RFC 6550 §6.4.3). */
    withdraw(target: Ipv6Address, receiver: Ipv6Address, pathSequence = this.pathSequence): void {
        this.put({ target, lifetime: 0, receiver, pathSequence, isFarewell: true })
        this.armLater()
    }

    acknowledged({ sequence, status }: DaoAck): void {
        if (status < 128 && this.underWay?.sequence === sequence) this.settle(this.underWay)
    }

    /** Forwards an advertisement from below, unless the parent already knows it. */
    private pass(what: Advertised, pathSequence: number): void {
        const key = keyOf(what.target)
        const before = this.waiting.get(keyFor(what))
        const isKnown = what.lifetime ? this.heard.get(key) === pathSequence : !this.heard.has(key) && !before
        if (isKnown) return void this.waiting.delete(keyFor(what))
        if (before?.pathSequence === pathSequence && before.lifetime === what.lifetime) return
        this.put({ ...what, pathSequence, isFarewell: false })
        this.armLater()
    }

    private put(advertisement: Advertisement): void {
        this.waiting.set(keyFor(advertisement), advertisement)
    }

    private pause(): void {
        this.events.cancel(this.timer)
        this.timer = this.underWay = undefined
        this.tries = 0
    }

    private arm(ms: number): void {
        this.events.cancel(this.timer)
        this.timer = this.events.schedule(
            () => {
                this.timer = undefined
                this.transmit()
            },
            ms * (0.5 + this.random()),
        )
    }

    /** Starts the delay, unless a DAO is in flight or due: the advertisement then goes with the next one. */
    private armLater(): void {
        if (this.timer === undefined && !this.underWay) this.arm(forwardMs)
    }

    private transmit(): void {
        const { daoAck, daoRetries } = this.profile
        const [first] = this.waiting.values()
        if (!first) return
        if (daoAck && this.tries > daoRetries) {
            this.waiting.clear()
            this.pause()
            return this.failed()
        }
        this.tries++
        const batch: Batch = {
            sequence: (this.sequence = nextSequence(this.sequence)),
            advertisements: [...this.waiting]
                .filter(([, one]) => keyOf(one.receiver) === keyOf(first.receiver))
                .slice(0, maxTargets)
                .sort(([, a], [, b]) => a.pathSequence - b.pathSequence),
        }
        // The receiver's state is unknown until delivery is confirmed.
        for (const [, { target, isFarewell }] of batch.advertisements) if (!isFarewell) this.heard.delete(keyOf(target))
        this.underWay = batch
        if (daoAck) this.arm(ackWaitMs)
        this.send(this.messageOf(batch), first.receiver, delivered => {
            if (this.underWay !== batch) return // superseded
            if (!delivered) this.undelivered(batch)
            else if (!daoAck) this.settle(batch)
        })
    }

    private undelivered(batch: Batch): void {
        this.underWay = undefined
        for (const [key, advertisement] of batch.advertisements)
            if (advertisement.isFarewell && this.waiting.get(key) === advertisement) this.waiting.delete(key)
        if (this.waiting.size) this.arm(retryMs * 2 ** Math.min(this.tries - 1, maxDoublings))
    }

    /** The DAO was delivered. */
    private settle({ advertisements }: Batch): void {
        this.pause()
        for (const [key, advertisement] of advertisements) {
            if (this.waiting.get(key) !== advertisement) continue // updated since
            this.waiting.delete(key)
            const { target, lifetime, pathSequence } = advertisement
            if (lifetime) this.heard.set(keyOf(target), pathSequence)
        }
        if (this.waiting.size) this.arm(forwardMs)
    }

    private messageOf({ sequence, advertisements }: Batch): IcmpMessage {
        const body = encodeDao({
            instance: this.profile.instance,
            ackRequested: this.profile.daoAck && advertisements.some(([, { lifetime }]) => lifetime > 0),
            sequence,
            ...(this.dodag ? { dodag: this.dodag } : {}),
            targets: advertisements.map(([, { target, lifetime, pathSequence, parent }]) => ({
                length: 128,
                address: target,
                lifetime,
                pathSequence,
                pathControl: 0,
                ...(parent ? { parent } : {}),
            })),
        })
        return { type: IcmpType.rpl, code: RplCode.dao, body }
    }
}

function keyFor({ target, receiver }: Advertised): string {
    return keyOf(receiver) + keyOf(target)
}
