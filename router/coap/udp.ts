import type { Clock, Timer } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import { Code, codeClass, message, type CoapMessage } from "./message.ts"
import { CoapFormatError, decodeOptionsAndPayload, encodeOptionsAndPayload } from "./options.ts"
import type { Notifier, Requester, Server } from "./requester.ts"

/** RFC 7252 §4.6: fits into one IPv6 packet without fragments. */
const maxDatagramBytes = 1152
/** RFC 7252 §4.8. */
export const ackTimeoutMs = 2_000
export const maxRetransmit = 4
/** An acknowledgement that would come later than this goes ahead of its response (RFC 7252 §5.2.2). */
export const piggybackMs = 1_000
/** RFC 7252 §4.8.2: EXCHANGE_LIFETIME, for how long a message id may come again. */
const exchangeLifetimeMs = 247_000
/** What one peer may ask in a second; the rest is passed over, and what is confirmable comes again. */
const maxPerSecond = 64
/** Peers, and message ids of one peer, that are remembered. */
const maxPeers = 1024
const maxSeen = 256

/** RFC 7252 §3. */
const Type = { confirmable: 0, nonConfirmable: 1, acknowledgement: 2, reset: 3 } as const

export interface Address {
    address: string
    port: number
}

/** CoAP over UDP, the server's side (RFC 7252 §4): confirmable messages, duplicates, separate responses, notifications. */
export class CoapUdp {
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly serve: Server
    private readonly transmit: (bytes: Uint8Array, to: Address) => void
    private readonly log: Log
    /** The one heard of longest ago first. */
    private readonly peers = new Map<string, UdpPeer>()

    constructor(o: {
        clock: Clock
        random: (bytes: number) => Uint8Array
        serve: Server
        send: (bytes: Uint8Array, to: Address) => void
        log: Log
    }) {
        this.clock = o.clock
        this.random = o.random
        this.serve = o.serve
        this.transmit = o.send
        this.log = o.log
    }

    /** Takes a datagram. */
    receive(bytes: Uint8Array, from: Address): void {
        if (bytes.length < 4 || bytes[0]! >> 6 !== 1) return // RFC 7252 §3: unknown versions are passed over
        const type = (bytes[0]! >> 4) & 3
        const code = bytes[1]!
        const messageId = (bytes[2]! << 8) | bytes[3]!
        const peer = this.peer(from)
        if (type === Type.acknowledgement || type === Type.reset) {
            // A response in an acknowledgement is one to nobody's request: only the server's side is here.
            peer.acknowledged(messageId, type === Type.reset)
            return
        }
        const request = codeClass(code) === 0 ? parse(bytes) : undefined
        if (request && code !== Code.Empty) {
            void this.answer(peer, request, messageId, type === Type.confirmable)
            return
        }
        // A ping, a response to nothing, or no CoAP message (RFC 7252 §4.2, §4.3).
        if (type === Type.confirmable) peer.send(header(Type.reset, Code.Empty, messageId))
    }

    /** Nobody is answered or notified any more. */
    close(): void {
        for (const peer of this.peers.values()) peer.close()
        this.peers.clear()
    }

    private peer(from: Address): UdpPeer {
        const key = `${from.address} ${from.port}`
        let peer = this.peers.get(key)
        if (peer) this.peers.delete(key)
        else {
            const { clock, random } = this
            peer = new UdpPeer({ clock, random, from, send: bytes => this.transmit(bytes, from) })
            if (this.peers.size >= maxPeers) this.makeRoom()
        }
        this.peers.set(key, peer)
        return peer
    }

    /** Forgets the peer heard of longest ago, of those that observe nothing if there are any. */
    private makeRoom(): void {
        const [oldest] = this.peers
        const [key, peer] = [...this.peers].find(([, { observes }]) => !observes) ?? oldest!
        this.peers.delete(key)
        peer.close()
    }

    private async answer(
        peer: UdpPeer,
        request: CoapMessage,
        messageId: number,
        isConfirmable: boolean,
    ): Promise<void> {
        const exchange = peer.begin(messageId)
        if (!exchange) return
        let isAcknowledged = false
        const reply = (bytes: Uint8Array) => {
            exchange.reply = bytes
            peer.send(bytes)
        }
        const acknowledge = () => {
            isAcknowledged = true
            reply(header(Type.acknowledgement, Code.Empty, messageId))
        }
        const timer = isConfirmable ? this.clock.setTimeout(acknowledge, piggybackMs) : undefined
        let response: CoapMessage
        try {
            response = await this.serve(request, peer)
        } catch (error) {
            this.log.error({ peer: peer.peer, reason: (error as Error).message }, "a request failed")
            response = message(Code.InternalServerError)
        }
        this.clock.clearTimeout(timer)
        const whole = { ...response, token: request.token }
        if (!isConfirmable) peer.send(encode(Type.nonConfirmable, peer.newMessageId(), whole))
        else if (isAcknowledged) peer.confirm(whole, () => {})
        else reply(encode(Type.acknowledgement, messageId, whole))
    }
}

/** A confirmable message of ours that waits for its acknowledgement. */
interface Outstanding {
    timer: Timer
    done(result: "acknowledged" | "reset" | "timeout"): void
}

/** What came under one message id, so that it is not served twice, and what was answered. */
interface Exchange {
    at: number
    reply: Uint8Array | undefined
}

/** One client: an address and a port. */
class UdpPeer implements Requester {
    readonly peer: string
    readonly maxMessageBytes = maxDatagramBytes
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly transmit: (bytes: Uint8Array) => void
    private readonly seen = new Map<number, Exchange>()
    private readonly outstanding = new Map<number, Outstanding>()
    private readonly notifiers = new Map<string, UdpNotifier>()
    private lastMessageId: number
    private countSince = -Infinity
    private count = 0
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

    /** The exchange under a new message id; undefined for a duplicate, which gets what was answered, and for too many. */
    begin(messageId: number): Exchange | undefined {
        const now = this.clock.now()
        for (const [id, { at }] of this.seen) {
            if (this.seen.size < maxSeen && Math.abs(now - at) < exchangeLifetimeMs) break
            this.seen.delete(id)
        }
        const before = this.seen.get(messageId)
        if (before) {
            if (before.reply) this.send(before.reply)
            return undefined
        }
        if (Math.abs(now - this.countSince) >= 1000) {
            this.countSince = now
            this.count = 0
        }
        if (++this.count > maxPerSecond) return undefined
        const exchange = { at: now, reply: undefined }
        this.seen.set(messageId, exchange)
        return exchange
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
    brought(): void {}

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

function header(type: number, code: number, messageId: number, token = new Uint8Array(0)) {
    const first = 0x40 | (type << 4) | token.length
    return Uint8Array.of(first, code, messageId >> 8, messageId & 0xff, ...token)
}

function encode(type: number, messageId: number, { code, token, options, payload }: CoapMessage) {
    const body = encodeOptionsAndPayload(options, payload)
    return Buffer.concat([header(type, code, messageId, Uint8Array.from(token)), body])
}

/** Undefined for what is no message. */
function parse(bytes: Uint8Array): CoapMessage | undefined {
    const tokenLength = bytes[0]! & 15
    if (tokenLength > 8 || 4 + tokenLength > bytes.length) return undefined
    const token = Uint8Array.from(bytes.subarray(4, 4 + tokenLength))
    try {
        const body = decodeOptionsAndPayload(bytes.subarray(4 + tokenLength))
        return { code: bytes[1]!, token, ...body }
    } catch (error) {
        if (error instanceof CoapFormatError) return undefined
        throw error
    }
}
