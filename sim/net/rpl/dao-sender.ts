import type { Events } from "../../events.ts"
import { IcmpType, type IcmpMessage } from "../icmpv6.ts"
import type { Ipv6Address } from "../ipv6.ts"
import type { Sent } from "../node.ts"
import { encodeDao, RplCode, type DaoAck } from "./messages.ts"
import type { RplProfile } from "./profile.ts"
import { keyOf } from "./routes.ts"
import { firstSequence, nextSequence } from "./sequence.ts"

export interface Advertised {
    target: Ipv6Address
    lifetime: number
    /** Of the target, in non-storing mode. */
    parent?: Ipv6Address
    receiver: Ipv6Address
}

interface Advertisement extends Advertised {
    tries: number
    pathSequence: number
    sequence: number
    timer: unknown
}

export type Send = (message: IcmpMessage, receiver: Ipv6Address, sent: Sent) => void

const ackWaitMs = 5000
/** Where the first link did not take it, it is tried again after that. */
const retryMs = 2000
/** Those that come from below are passed on soon, a little apart. */
const forwardMs = 100

/** Tells the nodes above of targets below, one DAO each, again until the root acknowledges where it is asked to. */
export class DaoSender {
    /** Goes into each DAO where the profile wants that. */
    dodag: Ipv6Address | undefined
    private readonly events: Events
    private readonly random: () => number
    private readonly profile: RplProfile
    private readonly send: Send
    private readonly failed: () => void
    private readonly waiting = new Map<string, Advertisement>()
    private sequence = firstSequence
    /** Of this node's own address. */
    private pathSequence = firstSequence
    private refresh: unknown

    constructor(o: {
        events: Events
        random: () => number
        profile: RplProfile
        send: Send
        /** Nobody acknowledges, however often it is said. */
        failed: () => void
    }) {
        this.events = o.events
        this.random = o.random
        this.profile = o.profile
        this.send = o.send
        this.failed = o.failed
    }

    stop(): void {
        for (const { timer } of this.waiting.values()) this.events.cancel(timer)
        this.waiting.clear()
        this.events.cancel(this.refresh)
    }

    /**
     * To `receiver`, that a target is below; with a lifetime of 0 that it is no more. In storing mode the receiver is the
     * parent, in non-storing mode the root, which is also told the target's parent.
     * @param pathSequence as the target gave it; undefined: it is this node's own, and it is told again now and then
     */
    advertise(what: Advertised, pathSequence: number | undefined): void {
        if (pathSequence !== undefined) return this.schedule(what, forwardMs, pathSequence)
        this.pathSequence = nextSequence(this.pathSequence)
        this.schedule(what, this.profile.daoDelayMs, this.pathSequence)
        this.events.cancel(this.refresh)
        this.refresh = this.events.schedule(
            () => this.advertise(what, undefined),
            this.profile.daoRefreshMs * (0.75 + this.random() / 4),
        )
    }

    /** No-Path to a parent that is one no more (RFC 6550 §6.4.3). */
    withdraw(target: Ipv6Address, receiver: Ipv6Address, pathSequence = this.pathSequence): void {
        const once = { tries: 0, sequence: 0, timer: undefined, pathSequence }
        this.transmit({ target, lifetime: 0, receiver, ...once }, () => {})
    }

    acknowledged({ sequence, status }: DaoAck): void {
        if (status >= 128) return
        for (const [key, advertisement] of this.waiting)
            if (advertisement.sequence === sequence) {
                this.events.cancel(advertisement.timer)
                this.waiting.delete(key)
            }
    }

    private schedule(what: Advertised, ms: number, pathSequence: number): void {
        const key = keyOf(what.target)
        const before = this.waiting.get(key)
        if (before) this.events.cancel(before.timer)
        const begin = { tries: 0, sequence: -1, timer: undefined as unknown }
        const advertisement: Advertisement = { ...what, ...begin, pathSequence }
        this.waiting.set(key, advertisement)
        advertisement.timer = this.events.schedule(
            () => this.attempt(key, advertisement),
            ms * (0.5 + this.random()),
        )
    }

    private attempt(key: string, advertisement: Advertisement): void {
        const { daoAck, daoRetries } = this.profile
        if (advertisement.tries > daoRetries) {
            this.waiting.delete(key)
            return this.failed()
        }
        const again = (ms: number) => {
            this.events.cancel(advertisement.timer)
            advertisement.timer = this.events.schedule(
                () => this.attempt(key, advertisement),
                ms * (0.75 + this.random() / 2),
            )
        }
        if (daoAck) again(ackWaitMs)
        this.transmit(advertisement, delivered => {
            if (this.waiting.get(key) !== advertisement) return // overtaken
            if (!delivered) again(retryMs)
            else if (!daoAck) this.waiting.delete(key)
        })
    }

    private transmit(advertisement: Advertisement, sent: Sent): void {
        advertisement.tries++
        advertisement.sequence = this.sequence = nextSequence(this.sequence)
        const { target, lifetime, parent, receiver, pathSequence } = advertisement
        const body = encodeDao({
            instance: this.profile.instance,
            ackRequested: this.profile.daoAck && lifetime > 0,
            sequence: this.sequence,
            ...(this.dodag ? { dodag: this.dodag } : {}),
            targets: [
                {
                    length: 128,
                    address: target,
                    lifetime,
                    pathSequence,
                    pathControl: 0,
                    ...(parent ? { parent } : {}),
                },
            ],
        })
        this.send({ type: IcmpType.rpl, code: RplCode.dao, body }, receiver, sent)
    }
}
