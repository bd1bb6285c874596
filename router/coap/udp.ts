import { createHash } from "node:crypto"
import type { Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import { addressOf } from "../address.ts"
import { RateLimit } from "../rate-limit.ts"
import { encode, header, parse, Type, type Address } from "./datagram.ts"
import { Echo } from "./echo.ts"
import { Code, codeClass, message, type CoapMessage } from "./message.ts"
import { OptionNumber, uintValue } from "./options.ts"
import type { Server } from "./requester.ts"
import { UdpPeer } from "./udp-peer.ts"

/** If the response takes longer than this, an empty acknowledgement precedes it (RFC 7252 §5.2.2). */
export const piggybackMs = 1_000
/** The maximum number of peers remembered. */
const maxPeers = 1024
/**
 * The maximum number of requests per second from one address, over all its ports. Excess requests are ignored; clients
 * retransmit confirmable ones.
 */
export const maxPerAddress = 64
/** The maximum number of requests per second from all unverified addresses together. */
export const maxUnverified = 1024
/** A response to an unverified address is at most this many times as long as the request (RFC 9175 §2.4). */
const maxAmplification = 3

/**
 * The server side of CoAP over UDP (RFC 7252 §4): confirmable messages, duplicates, separate responses and
 * notifications. A client that observes or requests a large response must first prove its address with an Echo option
 * (RFC 9175 §2).
 */
export class CoapUdp {
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly serve: Server
    private readonly transmit: (bytes: Uint8Array, to: Address) => void
    private readonly log: Log
    private readonly echo: Echo
    private readonly perAddress: RateLimit
    private readonly unverified: RateLimit
    /** Peers by address and port, the least recently heard first. */
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
        this.echo = new Echo(o.clock, o.random)
        this.perAddress = new RateLimit(o.clock, maxPerAddress, 1000)
        this.unverified = new RateLimit(o.clock, maxUnverified, 1000)
    }

    /** Handles a datagram. */
    receive(bytes: Uint8Array, from: Address): void {
        if (bytes.length < 4 || bytes[0]! >> 6 !== 1) return // unknown versions are ignored, RFC 7252 §3
        const type = (bytes[0]! >> 4) & 3
        const code = bytes[1]!
        const messageId = (bytes[2]! << 8) | bytes[3]!
        if (type === Type.acknowledgement || type === Type.reset) {
            // A piggybacked response is ignored, because this server sends no requests.
            this.peers.get(keyOf(from))?.acknowledged(messageId, type === Type.reset)
            return
        }
        if (!this.perAddress.take(addressOf(`${from.address}:${from.port}`))) return
        const known = this.peers.get(keyOf(from))
        if (!known?.isVerified && !this.unverified.take("all")) return
        const peer = this.peer(from)
        const request = codeClass(code) === 0 ? parse(bytes) : undefined
        if (request && code !== Code.Empty) {
            void this.answer(peer, request, messageId, type === Type.confirmable, bytes)
            return
        }
        // This is a ping, an unexpected response or a malformed message (RFC 7252 §4.2, §4.3).
        if (type === Type.confirmable) peer.send(header(Type.reset, Code.Empty, messageId))
    }

    /** Stops all responses, retransmissions and notifications. */
    close(): void {
        for (const peer of this.peers.values()) peer.close()
        this.peers.clear()
    }

    private peer(from: Address): UdpPeer {
        const key = keyOf(from)
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

    /** Forgets the least recently heard peer that observes nothing, or of all peers if all observe. */
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
        bytes: Uint8Array,
    ): Promise<void> {
        const exchange = peer.begin(messageId, createHash("sha256").update(bytes).digest("base64"))
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
        const response = await this.respond(peer, request, bytes.length)
        this.clock.clearTimeout(timer)
        const whole = { ...response, token: request.token }
        // An unverified address never gets a confirmable message, which would be retransmitted.
        if (!isConfirmable || (isAcknowledged && !peer.isVerified))
            peer.send(encode(Type.nonConfirmable, peer.newMessageId(), whole))
        else if (isAcknowledged) peer.confirm(whole, () => {})
        else reply(encode(Type.acknowledgement, messageId, whole))
    }

    /** Returns the response, or a 4.01 with an Echo option if the response requires a verified address. */
    private async respond(peer: UdpPeer, request: CoapMessage, requestBytes: number): Promise<CoapMessage> {
        const echo = request.options.find(({ number }) => number === OptionNumber.Echo)
        if (echo && this.echo.isFresh(echo.value, peer.peer)) peer.verify()
        const maxBytes = maxAmplification * requestBytes
        const unverified = () => {
            const options = [{ number: OptionNumber.Echo, value: this.echo.make(peer.peer) }]
            const challenge = message(Code.Unauthorized, { options, token: request.token })
            return encode(Type.acknowledgement, 0, challenge).length <= maxBytes
                ? challenge
                : message(Code.Unauthorized)
        }
        const isToObserve = request.code === Code.GET && uintValue(request.options, OptionNumber.Observe) === 0
        if (isToObserve && !peer.isVerified) return unverified()
        let response: CoapMessage
        try {
            response = await this.serve(request, peer)
        } catch (error) {
            this.log.debug({ peer: peer.peer, reason: (error as Error).message }, "a request failed")
            response = message(Code.InternalServerError)
        }
        if (peer.isVerified) return response
        const { length } = encode(Type.acknowledgement, 0, { ...response, token: request.token })
        return length <= maxBytes ? response : unverified()
    }
}

function keyOf({ address, port }: Address): string {
    return `${address} ${port}`
}
