import { elapsedMs, type Clock, type Timer } from "../../host/clock.ts"
import { decode } from "../../host/mqtt/decode.ts"
import { encode } from "../../host/mqtt/encode.ts"
import { Frames } from "../../host/mqtt/frames.ts"
import type { Connect, Disconnect, Packet, Publish, Subscribe, Version } from "../../host/mqtt/packet.ts"
import type { Properties } from "../../host/mqtt/properties.ts"
import { connectReturnCode, MqttError, Reason } from "../../host/mqtt/reason.ts"
import type { ByteStream } from "../../host/stream.ts"
import { maxSessionExpiryS } from "./held-sessions.ts"
import type { MqttMessage } from "./motes.ts"
import type { SessionState } from "./session-state.ts"
import { InboundAliases, OutboundAliases } from "./topic-aliases.ts"

/** The largest MQTT packet that is accepted: the largest envelope, its topic and a margin. */
export const maxPacketBytes = 8192
/** The time within which CONNECT must arrive. */
export const loginMs = 5_000
/** How long a refused peer may take to close the connection. */
const lingerMs = 2_000
/** The longest Keep Alive, whatever the peer asks for. */
const maxKeepAliveS = 600
/** The maximum number of envelopes of one connection that are being stored. */
const maxInbound = 32
/** The maximum number of topic filters in one SUBSCRIBE or UNSUBSCRIBE. A mote may use four. */
const maxFilters = 8
/** The maximum number of bytes queued for a peer that does not read. */
const maxBacklogBytes = 64 * 1024
/**
 * The maximum number of packets per second without a new envelope. A mote sends a handful when it connects, then a few
 * per minute.
 */
export const maxUnproductive = 64
const unproductiveWindowMs = 1_000
/** In a SUBACK of MQTT 3.1.1, §3.9.3. */
const subscriptionFailed = 0x80

/** Why something is refused: for the peer a reason code, for people a text. */
export interface Refused {
    refused: string
    code: Reason
}
/** A session may start. Without `state` the peer is refused. */
export interface Welcome {
    state: SessionState
    isResumed: boolean
    /** The longest time for which the session may outlive its connection, by default `maxSessionExpiryS`. */
    maxExpiryS?: number
    /** The identifier that the server has chosen for a client without one. */
    assignedClientId?: string
}

/** How a session ended. */
export interface Ending {
    /** The last will is to be published: the peer has not sent DISCONNECT, or one that asks for it. */
    hasWill: boolean
    /** How long the session outlives the connection. */
    expiryS: number
    reason: string
}

/** Decides what the peer may do, and handles its messages. */
export interface SessionOwner {
    login(connect: Connect): Welcome | Refused
    /** Returns the highest QoS for a subscription, or undefined if it is not allowed. */
    maySubscribe(filter: string): 0 | 1 | undefined
    /** The peer has subscribed to this filter and wants the messages that are retained. */
    subscribed(filter: string): void
    /** Handles a message. Resolves once it may be acknowledged, or to the reason for refusing it. */
    published(topic: string, payload: Uint8Array): Promise<{ isProductive: boolean } | Refused>
    /** The session is closed. Called once. */
    closed(ending: Ending): void
}

interface Inbound {
    qos: 0 | 1
    id: number
    result: { isProductive: boolean } | Refused | undefined
}

/** One connection of a server for MQTT 3.1.1 and 5, with QoS 0 and 1. It limits all state that the peer can make it keep. */
export class MqttSession {
    private readonly stream: ByteStream
    private readonly clock: Clock
    private readonly owner: SessionOwner
    private readonly frames = new Frames(maxPacketBytes)
    private readonly aliases = new InboundAliases()
    private peerAliases = new OutboundAliases(0)
    private version: Version = 4
    /** Set once the peer has logged in. */
    private state: SessionState | undefined
    private maxPeerBytes = Infinity
    private wantsReasons = true
    private expiryS = 0
    private maxExpiryS = maxSessionExpiryS
    /** The messages that are being handled, the oldest first, and their results. */
    private readonly inbound: Inbound[] = []
    private keepAliveMs = loginMs
    private heardAt = 0
    private isOver = false
    private hasWill = true
    private reason = "the peer closed the connection"
    private unproductiveSince = -Infinity
    private unproductiveCount = 0
    private timer: Timer

    constructor(o: { stream: ByteStream; clock: Clock; owner: SessionOwner }) {
        this.stream = o.stream
        this.clock = o.clock
        this.owner = o.owner
    }

    /** Starts to listen. Methods of the owner may be called from now on, even before this returns. */
    start(): void {
        this.heardAt = elapsedMs(this.clock)
        this.watch()
        this.stream.listen({ data: bytes => this.data(bytes), closed: () => this.streamClosed() })
    }

    /** The bytes that are written, and not read yet. */
    get backlog(): number {
        return this.stream.backlog
    }

    /**
     * Sends a message if the peer has subscribed to its topic.
     * @param isRetained the message existed before the subscription (§3.3.1.3)
     */
    deliver(message: MqttMessage, isRetained = false): void {
        const subscription = this.state?.match(message.topic)
        if (!this.state || !subscription || this.isOver) return
        const retain = isRetained || (message.retain && subscription.retainAsPublished === true)
        if (message.qos === 0 || subscription.qos === 0) return this.sendMessage(message, { id: 0, retain })
        const id = this.state.add(message, retain)
        if (id === "full") this.end("the peer acknowledges nothing", Reason.quotaExceeded)
        else if (id !== undefined) this.sendMessage(message, { id, retain })
    }

    /** Closes; a peer of MQTT 5 gets the reason first. */
    end(reason: string, code: Reason = Reason.unspecified): void {
        if (this.isOver) return
        this.reason = reason
        if (this.version === 4 || !this.state || this.stream.backlog > 0) {
            this.isOver = true
            return this.stream.destroy()
        }
        this.send({ kind: "disconnect", code, properties: { reasonString: reason } })
        this.linger()
    }

    private data(bytes: Uint8Array): void {
        if (this.isOver) return
        try {
            this.frames.push(bytes, (first, body) => {
                this.received(decode(first, body, this.version))
                return !this.isOver
            })
        } catch (error) {
            const { message, code } = error as MqttError
            // Whatever a packet causes costs its sender the connection, and nobody else anything.
            if (!(error instanceof MqttError)) return this.end(message)
            if (code !== Reason.unsupportedVersion || this.state) return this.end(message, code)
            this.send({ kind: "connack", sessionPresent: false, code: connectReturnCode(code) })
            this.reason = message
            this.linger()
        }
    }

    private received(packet: Packet): void {
        this.heard()
        if ((this.state !== undefined) !== (packet.kind !== "connect"))
            return this.end("CONNECT must be the first packet and sent once", Reason.protocolError)
        switch (packet.kind) {
            case "connect":
                return this.connect(packet)
            case "publish":
                return this.publish(packet)
            case "puback":
                return this.acknowledged(packet.id)
            case "subscribe":
                return this.subscribe(packet)
            case "unsubscribe": {
                const { id, filters } = packet
                if (!this.isCountAllowed(filters)) return
                const codes = filters.map(filter =>
                    this.state!.subscriptions.delete(filter) ? Reason.success : Reason.noSubscriptionExisted,
                )
                return this.send({ kind: "unsuback", id, codes: this.version === 5 ? codes : [] })
            }
            case "pingreq":
                this.unproductive()
                return this.send({ kind: "pingresp" })
            case "disconnect":
                return this.disconnected(packet)
            default:
                this.end(`unexpected ${packet.kind}`, Reason.protocolError)
        }
    }

    private connect(packet: Connect): void {
        const { version, clientId, clean, keepAlive, properties = {} } = packet
        this.version = version
        this.maxPeerBytes = properties.maximumPacketSize ?? Infinity
        this.wantsReasons = properties.requestProblemInformation !== 0
        const answer = this.login(packet)
        if (this.isOver) return
        if ("refused" in answer) {
            const code = version === 5 ? answer.code : connectReturnCode(answer.code)
            const reasonString = answer.refused
            this.send({ kind: "connack", sessionPresent: false, code, properties: { reasonString } })
            this.reason = `refused: ${answer.refused}`
            return this.linger()
        }
        const { state, isResumed, assignedClientId, maxExpiryS = maxSessionExpiryS } = answer
        const keepAliveS = keepAlive === 0 ? maxKeepAliveS : Math.min(keepAlive, maxKeepAliveS)
        const wantedExpiry = version === 5 ? (properties.sessionExpiry ?? 0) : clean || clientId === "" ? 0 : Infinity
        this.maxExpiryS = maxExpiryS
        this.expiryS = Math.min(wantedExpiry, maxExpiryS)
        this.peerAliases = new OutboundAliases(properties.topicAliasMaximum ?? 0)
        const granted: Properties = {
            ...{ receiveMaximum: maxInbound, maximumQos: 1, maximumPacketSize: maxPacketBytes },
            ...{ topicAliasMaximum: this.aliases.max, subscriptionIdsAvailable: 0, sharedAvailable: 0 },
            ...(assignedClientId !== undefined && { assignedClientId }),
            ...(keepAliveS !== keepAlive && { serverKeepAlive: keepAliveS }),
            ...(this.expiryS !== wantedExpiry && { sessionExpiry: this.expiryS }),
        }
        this.send({ kind: "connack", sessionPresent: isResumed, code: Reason.success, properties: granted })
        this.state = state
        this.keepAliveMs = 1500 * keepAliveS
        this.heard()
        this.clock.clearTimeout(this.timer)
        this.watch()
        for (const [id, { message, retain }] of state.resume(properties.receiveMaximum ?? 0xffff))
            this.sendMessage(message, { id, retain, dup: true })
        this.sendWaiting()
    }

    private login(packet: Connect): Welcome | Refused {
        if (packet.version === 4 && packet.clientId === "" && !packet.clean)
            return { refused: "a session needs a client identifier", code: Reason.identifierNotValid }
        if (packet.properties?.authenticationMethod !== undefined)
            return { refused: "only user and password are accepted", code: Reason.badAuthenticationMethod }
        return this.owner.login(packet)
    }

    private subscribe({ id, subscriptions, properties }: Subscribe): void {
        if (!this.isCountAllowed(subscriptions)) return
        if (properties?.subscriptionIds)
            return this.end("no subscription identifiers", Reason.subscriptionIdentifiersNotSupported)
        const { subscriptions: own, limits } = this.state!
        const wanted: string[] = []
        const codes = subscriptions.map(subscription => {
            const { filter, qos, retainHandling = 0 } = subscription
            const maxQos = this.owner.maySubscribe(filter)
            if (filter.startsWith("$share/")) return Reason.sharedSubscriptionsNotSupported
            if (maxQos === undefined) return Reason.notAuthorized
            const isNew = !own.has(filter)
            if (isNew && own.size >= limits.subscriptions) return Reason.quotaExceeded
            const granted = Math.min(qos, maxQos) as 0 | 1
            own.set(filter, { ...subscription, qos: granted })
            if (retainHandling === 0 || (retainHandling === 1 && isNew)) wanted.push(filter)
            return granted
        })
        const shown = this.version === 5 ? codes : codes.map(code => (code > 2 ? subscriptionFailed : code))
        this.send({ kind: "suback", id, codes: shown })
        for (const filter of wanted) this.owner.subscribed(filter)
    }

    private publish(packet: Publish): void {
        if (packet.qos === 2) return this.end("QoS 2 is not served", Reason.qosNotSupported)
        if (this.inbound.length >= maxInbound)
            return this.end("too many messages at once", Reason.receiveMaximumExceeded)
        const topic = this.aliases.resolve(packet)
        const inbound: Inbound = { qos: packet.qos, id: packet.id, result: undefined }
        this.inbound.push(inbound)
        void this.owner.published(topic, packet.payload).then(result => {
            inbound.result = result
            this.answer()
        })
    }

    /** Acknowledges messages in the order in which they came (§4.6). */
    private answer(): void {
        while (this.inbound[0]?.result && !this.isOver) {
            const { qos, id, result } = this.inbound.shift()!
            if ("refused" in result!) this.refuse(result, qos, id)
            else {
                if (!result!.isProductive) this.unproductive()
                if (qos === 1) this.send({ kind: "puback", id, code: Reason.success })
            }
        }
    }

    /** MQTT 5 has a PUBACK for a refusal; in MQTT 3.1.1, and for QoS 0, a refusal closes the connection (§3.3.5). */
    private refuse({ refused, code }: Refused, qos: 0 | 1, id: number): void {
        if (qos === 0 || this.version === 4) return this.end(refused, code)
        this.unproductive()
        this.send({ kind: "puback", id, code, properties: { reasonString: refused } })
    }

    private acknowledged(id: number): void {
        if (this.state!.acknowledge(id)) this.sendWaiting()
        else this.unproductive()
    }

    private disconnected({ code, properties }: Disconnect): void {
        const expiryS = properties?.sessionExpiry
        if (expiryS !== undefined && expiryS > 0 && this.expiryS === 0)
            return this.end("a session that ends with its connection cannot be kept", Reason.protocolError)
        if (expiryS !== undefined) this.expiryS = Math.min(expiryS, this.maxExpiryS)
        this.hasWill = code === Reason.disconnectWithWill
        this.isOver = true
        this.reason = "the peer disconnected"
        this.stream.destroy()
    }

    private sendWaiting(): void {
        for (let next = this.state!.next(); next; next = this.state!.next()) {
            const [id, { message, retain }] = next
            this.sendMessage(message, { id, retain })
        }
    }

    /** Sends a message; one that is too large for the peer counts as delivered (§3.1.2.11.4). */
    private sendMessage(
        { topic, payload }: MqttMessage,
        { id, retain, dup = false }: { id: number; retain: boolean; dup?: boolean },
    ): void {
        const name = this.peerAliases.name(topic)
        const packet: Publish = { kind: "publish", ...name, payload, qos: id > 0 ? 1 : 0, id, retain, dup }
        const bytes = encode(packet, this.version)
        if (bytes.length <= this.maxPeerBytes) return this.write(bytes)
        this.peerAliases.forget(topic)
        if (id > 0) this.acknowledged(id)
    }

    private send(packet: Packet): void {
        const isReason = "properties" in packet && packet.properties?.reasonString !== undefined
        // Only CONNACK and DISCONNECT may have a reason that the peer has not asked for (§3.1.2.11.7).
        const isWanted = this.wantsReasons || packet.kind === "connack" || packet.kind === "disconnect"
        let bytes = isReason && !isWanted ? undefined : encode(packet, this.version)
        if (isReason && (!bytes || bytes.length > this.maxPeerBytes))
            bytes = encode({ ...packet, properties: undefined }, this.version)
        this.write(bytes!)
    }

    private write(bytes: Uint8Array): void {
        if (this.isOver) return
        this.stream.write(bytes)
        if (this.stream.backlog <= maxBacklogBytes) return
        this.isOver = true
        this.reason = "the peer does not read"
        this.stream.destroy()
    }

    /** Closes the connection once the peer has what is written, or after a while. */
    private linger(): void {
        if (this.isOver) return
        this.isOver = true
        this.stream.end()
        this.clock.clearTimeout(this.timer)
        this.timer = this.clock.setTimeout(() => this.stream.destroy(), lingerMs)
    }

    /** Counts an unproductive packet. Ends the session after more than `maxUnproductive` within a second. */
    private unproductive(): void {
        const now = this.clock.now()
        if (Math.abs(now - this.unproductiveSince) >= unproductiveWindowMs) {
            this.unproductiveSince = now
            this.unproductiveCount = 0
        }
        if (++this.unproductiveCount > maxUnproductive)
            this.end("too many unproductive packets", Reason.messageRateTooHigh)
    }

    private isCountAllowed({ length }: { length: number }): boolean {
        this.unproductive()
        if (length > maxFilters) this.end(`a packet has at most ${maxFilters} topic filters`, Reason.quotaExceeded)
        return !this.isOver
    }

    /** The peer has sent a packet. Before the login packets do not extend the time for CONNECT. */
    private heard(): void {
        if (this.state) this.heardAt = elapsedMs(this.clock)
    }

    /** Disconnects a peer that is silent for one and a half times its Keep Alive (§3.1.2.10). */
    private watch(): void {
        const remainingMs = this.heardAt + this.keepAliveMs - elapsedMs(this.clock)
        if (remainingMs <= 0) return this.end("the peer is silent", Reason.keepAliveTimeout)
        this.timer = this.clock.setTimeout(() => this.watch(), remainingMs)
    }

    private streamClosed(): void {
        this.isOver = true
        this.clock.clearTimeout(this.timer)
        const { hasWill, expiryS, reason } = this
        this.owner.closed({ hasWill, expiryS, reason })
    }
}
