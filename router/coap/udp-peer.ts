import type { Clock, Timer } from "../../host/clock.ts"
import { encode, Type, type Address } from "./datagram.ts"
import type { CoapMessage } from "./message.ts"
import type { Notifier, Requester } from "./requester.ts"

/** The largest datagram, which fits into one IPv6 packet without fragmentation, RFC 7252 §4.6. */
const maxDatagramBytes = 1152
/** ACK_TIMEOUT, RFC 7252 §4.8. */
export const ackTimeoutMs = 2_000
/** MAX_RETRANSMIT, RFC 7252 §4.8. */
export const maxRetransmit = 4
/** EXCHANGE_LIFETIME, RFC 7252 §4.8.2: after this time a message ID may be used again. */
const exchangeLifetimeMs = 247_000
/** The number of message IDs remembered per peer. */
const maxSeen = 32
/** How long an address counts as verified after the peer returned an Echo value. */
const verifiedMs = 600_000

/** One of our confirmable messages that waits for its acknowledgement. */
interface Outstanding {
    timer: Timer
    done(result: "acknowledged" | "reset" | "timeout"): void
}

/** A request by message ID, kept so that a duplicate is not served twice. */
interface Exchange {
    /** The time of arrival, as Unix time in milliseconds. */
    at: number
    /**
     * The datagram's digest. A different datagram with the same ID is a new request, for example after a node
     * restarted.
     */
    digest: string
    /** The datagram that was sent in reply, for duplicates of the request. */
    reply: Uint8Array | undefined
}

/** One client, which is an address and a port. */
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

    /** Starts an exchange. Returns undefined for a duplicate, which receives the same reply again. */
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

    /** Marks the address as verified: the peer returned an Echo value that was sent there. */
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

    /** Sends a confirmable message and retransmits it until it is acknowledged (RFC 7252 §4.2). */
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

    addObserver(token: Uint8Array, cancelled: () => void): Notifier {
        const key = Buffer.from(token).toString("hex")
        this.cancelObserver(token)
        const notifier = new UdpNotifier(this, Uint8Array.from(token), cancelled, () => {
            if (this.notifiers.get(key) === notifier) this.notifiers.delete(key)
        })
        this.notifiers.set(key, notifier)
        if (this.isClosed) notifier.cancel()
        return notifier
    }

    cancelObserver(token: Uint8Array): void {
        this.notifiers.get(Buffer.from(token).toString("hex"))?.cancel()
    }

    /** Does nothing: a sender of datagrams has no connection over which the router could reach the mote. */
    envelopeAccepted(): void {}

    close(): void {
        this.isClosed = true
        for (const { timer } of this.outstanding.values()) this.clock.clearTimeout(timer)
        this.outstanding.clear()
        for (const notifier of this.notifiers.values()) notifier.cancel()
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
 * Notifications to one observer. All are confirmable: an observer that disappeared does not acknowledge them, and one
 * that lost its state resets them (RFC 7641 §4.5). Only one is in flight at a time, and of those that wait only the
 * newest is sent.
 */
class UdpNotifier implements Notifier {
    private readonly peer: UdpPeer
    private readonly token: Uint8Array
    private readonly cancelled: () => void
    private readonly remove: () => void
    private isInFlight = false
    private isOver = false
    private next: CoapMessage | undefined

    constructor(peer: UdpPeer, token: Uint8Array, cancelled: () => void, remove: () => void) {
        this.peer = peer
        this.token = token
        this.cancelled = cancelled
        this.remove = remove
    }

    send(response: CoapMessage): void {
        if (this.isOver) return
        if (this.isInFlight) this.next = response
        else this.transmit(response)
    }

    /** Ends the observation. Notifications sent before are still delivered. */
    end(): void {
        this.isOver = true
        this.remove()
    }

    /** Ends the observation and discards waiting notifications, because the observer deregistered or disappeared. */
    cancel(): void {
        this.next = undefined
        if (this.isOver) return
        this.end()
        this.cancelled()
    }

    private transmit(response: CoapMessage): void {
        this.isInFlight = true
        this.peer.confirm({ ...response, token: this.token }, result => {
            this.isInFlight = false
            const { next } = this
            this.next = undefined
            if (result !== "acknowledged") this.cancel()
            else if (next) this.transmit(next)
        })
    }
}
