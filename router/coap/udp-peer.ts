import type { Clock, Timer } from "../../host/clock.ts"
import { encode, Type, type Address } from "./datagram.ts"
import type { CoapMessage } from "./message.ts"
import type { Notifier, Requester } from "./requester.ts"

/** RFC 7252 §4.6: fits into one IPv6 packet without fragments. */
const maxDatagramBytes = 1152
/** RFC 7252 §4.8. */
export const ackTimeoutMs = 2_000
export const maxRetransmit = 4
/** RFC 7252 §4.8.2: EXCHANGE_LIFETIME, for how long a message id may come again. */
const exchangeLifetimeMs = 247_000
/** Message ids of one peer that are remembered. */
const maxSeen = 32
/** For how long an address counts as the peer's own after it gave an Echo value back. */
const verifiedMs = 600_000

/** A confirmable message of ours that waits for its acknowledgement. */
interface Outstanding {
    timer: Timer
    done(result: "acknowledged" | "reset" | "timeout"): void
}

/** What came under one message id, so that it is not served twice, and what was answered. */
interface Exchange {
    at: number
    /** Of the datagram: under the same id another request is a new one, as from a node that starts anew. */
    digest: string
    reply: Uint8Array | undefined
}

/** One client: an address and a port. */
export class UdpPeer implements Requester {
    readonly peer: string
    readonly maxMessageBytes = maxDatagramBytes
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly transmit: (bytes: Uint8Array) => void
    private readonly seen = new Map<number, Exchange>()
    private readonly outstanding = new Map<number, Outstanding>()
    private readonly notifiers = new Map<string, UdpNotifier>()
    private lastMessageId: number
    private verifiedAt = -Infinity
    private isClosed = false

    constructor(o: {
        clock: Clock
        random: (bytes: number) => Uint8Array
        from: Address
        send: (bytes: Uint8Array) => void
    }) {
        this.clock = o.clock
        this.random = o.random
        this.transmit = o.send
        this.peer = `${o.from.address}:${o.from.port}`
        const [high, low] = o.random(2)
        this.lastMessageId = (high! << 8) | low!
    }

    get observes(): boolean {
        return this.notifiers.size > 0
    }

    send(bytes: Uint8Array): void {
        if (!this.isClosed) this.transmit(bytes)
    }

    /** The exchange under a new message id; undefined for a duplicate, which gets what was answered. */
    begin(messageId: number, digest: string): Exchange | undefined {
        const now = this.clock.now()
        for (const [id, { at }] of this.seen) {
            if (this.seen.size < maxSeen && Math.abs(now - at) < exchangeLifetimeMs) break
            this.seen.delete(id)
        }
        const before = this.seen.get(messageId)
        if (before?.digest === digest) {
            if (before.reply) this.send(before.reply)
            return undefined
        }
        const exchange = { at: now, digest, reply: undefined }
        this.seen.delete(messageId)
        this.seen.set(messageId, exchange)
        return exchange
    }

    /** Its address is its own: it gave back what was sent there. */
    verify(): void {
        this.verifiedAt = this.clock.now()
    }

    get isVerified(): boolean {
        return Math.abs(this.clock.now() - this.verifiedAt) < verifiedMs
    }

    newMessageId(): number {
        this.lastMessageId = (this.lastMessageId + 1) & 0xffff
        return this.lastMessageId
    }

    /** Sends a confirmable message, and again until it is acknowledged (RFC 7252 §4.2). */
    confirm(response: CoapMessage, done: Outstanding["done"]): void {
        if (this.isClosed) return
        const messageId = this.newMessageId()
        const bytes = encode(Type.confirmable, messageId, response)
        let timeoutMs = ackTimeoutMs * (1 + this.random(1)[0]! / 512)
        let retransmissions = 0
        const expired = () => {
            if (retransmissions++ === maxRetransmit) this.settle(messageId, "timeout")
            else {
                this.send(bytes)
                timeoutMs *= 2
                outstanding.timer = this.clock.setTimeout(expired, timeoutMs)
            }
        }
        const outstanding = { timer: this.clock.setTimeout(expired, timeoutMs), done }
        this.outstanding.set(messageId, outstanding)
        this.send(bytes)
    }

    acknowledged(messageId: number, isReset: boolean): void {
        this.settle(messageId, isReset ? "reset" : "acknowledged")
    }

    notifier(token: Uint8Array, gone: () => void): Notifier {
        const key = Buffer.from(token).toString("hex")
        this.forget(token)
        const notifier = new UdpNotifier(this, Uint8Array.from(token), gone, () => {
            if (this.notifiers.get(key) === notifier) this.notifiers.delete(key)
        })
        this.notifiers.set(key, notifier)
        if (this.isClosed) notifier.lose()
        return notifier
    }

    forget(token: Uint8Array): void {
        this.notifiers.get(Buffer.from(token).toString("hex"))?.lose()
    }

    /** Who sends datagrams has no connection on which a mote could be asked. */
    envelopeAccepted(): void {}

    close(): void {
        this.isClosed = true
        for (const { timer } of this.outstanding.values()) this.clock.clearTimeout(timer)
        this.outstanding.clear()
        for (const notifier of this.notifiers.values()) notifier.lose()
    }

    private settle(messageId: number, result: "acknowledged" | "reset" | "timeout"): void {
        const outstanding = this.outstanding.get(messageId)
        if (!outstanding) return
        this.outstanding.delete(messageId)
        this.clock.clearTimeout(outstanding.timer)
        outstanding.done(result)
    }
}

/**
 * Notifications to one observer, all of them confirmable: who is gone does not acknowledge, who has forgotten resets
 * (RFC 7641 §4.5). One is under way at a time; of what comes meanwhile only the newest is sent.
 */
class UdpNotifier implements Notifier {
    private readonly peer: UdpPeer
    private readonly token: Uint8Array
    private readonly gone: () => void
    private readonly remove: () => void
    private isUnderWay = false
    private isOver = false
    private next: CoapMessage | undefined

    constructor(peer: UdpPeer, token: Uint8Array, gone: () => void, remove: () => void) {
        this.peer = peer
        this.token = token
        this.gone = gone
        this.remove = remove
    }

    send(response: CoapMessage): void {
        if (this.isOver) return
        if (this.isUnderWay) this.next = response
        else this.transmit(response)
    }

    /** What was sent before still goes out. */
    end(): void {
        this.isOver = true
        this.remove()
    }

    /** Nobody takes them any more. */
    lose(): void {
        this.next = undefined
        if (this.isOver) return
        this.end()
        this.gone()
    }

    private transmit(response: CoapMessage): void {
        this.isUnderWay = true
        this.peer.confirm({ ...response, token: this.token }, result => {
            this.isUnderWay = false
            const { next } = this
            this.next = undefined
            if (result !== "acknowledged") this.lose()
            else if (next) this.transmit(next)
        })
    }
}
