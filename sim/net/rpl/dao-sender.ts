import type { Events } from "../../events.ts"
import { IcmpType, type IcmpMessage } from "../icmpv6.ts"
import type { Ipv6Address } from "../ipv6.ts"
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
    sequence: number
    timer: unknown
}

const ackWaitMs = 5000
/** Those that come from below are passed on soon, a little apart. */
const forwardMs = 100

/** Tells the nodes above of targets below, one DAO each, again until the root acknowledges where it is asked to. */
export class DaoSender {
    /** Goes into each DAO where the profile wants that. */
    dodag: Ipv6Address | undefined
    private readonly events: Events
    private readonly random: () => number
    private readonly profile: RplProfile
    private readonly send: (message: IcmpMessage, destination: Ipv6Address) => void
    private readonly waiting = new Map<string, Advertisement>()
    private sequence = firstSequence
    private refresh: unknown

    constructor(o: {
        events: Events
        random: () => number
        profile: RplProfile
        send: (message: IcmpMessage, destination: Ipv6Address) => void
    }) {
        this.events = o.events
        this.random = o.random
        this.profile = o.profile
        this.send = o.send
    }

    stop(): void {
        for (const { timer } of this.waiting.values()) this.events.cancel(timer)
        this.waiting.clear()
        this.events.cancel(this.refresh)
    }

    /**
     * To `receiver`, that a target is below; with a lifetime of 0 that it is no more. In storing mode the receiver is the
     * parent, in non-storing mode the root, which is also told the target's parent.
     */
    advertise(what: Advertised, isOwn: boolean): void {
        this.schedule(what, isOwn ? this.profile.daoDelayMs : forwardMs)
        if (!isOwn) return
        this.events.cancel(this.refresh)
        this.refresh = this.events.schedule(
            () => this.advertise(what, isOwn),
            this.profile.daoRefreshMs * (0.75 + this.random() / 4),
        )
    }

    /** No-Path to a parent that is one no more (RFC 6550 §6.4.3). */
    withdraw(target: Ipv6Address, receiver: Ipv6Address): void {
        this.transmit({ target, lifetime: 0, receiver, tries: 0, sequence: 0, timer: undefined })
    }

    acknowledged({ sequence, status }: DaoAck): void {
        if (status >= 128) return
        for (const [key, advertisement] of this.waiting)
            if (advertisement.sequence === sequence) {
                this.events.cancel(advertisement.timer)
                this.waiting.delete(key)
            }
    }

    private schedule(what: Advertised, ms: number): void {
        const key = keyOf(what.target)
        const before = this.waiting.get(key)
        if (before) this.events.cancel(before.timer)
        const advertisement = { ...what, tries: 0, sequence: -1, timer: undefined as unknown }
        this.waiting.set(key, advertisement)
        advertisement.timer = this.events.schedule(
            () => this.attempt(key, advertisement),
            ms * (0.5 + this.random()),
        )
    }

    private attempt(key: string, advertisement: Advertisement): void {
        this.transmit(advertisement)
        if (!this.profile.daoAck || advertisement.tries > this.profile.daoRetries)
            this.waiting.delete(key)
        else
            advertisement.timer = this.events.schedule(
                () => this.attempt(key, advertisement),
                ackWaitMs * (0.75 + this.random() / 2),
            )
    }

    private transmit(advertisement: Advertisement): void {
        advertisement.tries++
        advertisement.sequence = this.sequence = nextSequence(this.sequence)
        const { target, lifetime, parent, receiver } = advertisement
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
                    pathSequence: 0,
                    pathControl: 0,
                    ...(parent ? { parent } : {}),
                },
            ],
        })
        this.send({ type: IcmpType.rpl, code: RplCode.dao, body }, receiver)
    }
}
