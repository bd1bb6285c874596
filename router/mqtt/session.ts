import mqttPacket, {
    type IConnectPacket,
    type IPublishPacket,
    type ISubscribePacket,
    type Packet,
    type Parser,
} from "mqtt-packet"
import type { Clock, Timer } from "../../host/clock.ts"
import type { ByteStream } from "../../host/stream.ts"
import { PacketLimit } from "./limit.ts"
import type { MqttMessage } from "./motes.ts"

/** The time within which CONNECT must arrive. */
export const loginMs = 5_000
/** How long a refused peer may take to close the connection. */
const lingerMs = 2_000
/** The longest Keep Alive, whatever the peer asks for. */
const maxKeepAliveS = 600
/** The maximum number of envelopes of one connection that are being stored. */
const maxInbound = 32
/** The maximum number of messages to one connection without a PUBACK. A mote takes four at once. */
const maxInFlight = 4
/** The maximum number of messages that wait behind those. */
const maxQueued = 8
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

/** CONNACK return codes, MQTT 3.1.1 §3.2.2.3. */
export const Connack = {
    accepted: 0,
    unacceptableProtocol: 1,
    identifierRejected: 2,
    serverUnavailable: 3,
    badUserNameOrPassword: 4,
    notAuthorized: 5,
} as const
export type Connack = (typeof Connack)[keyof typeof Connack]
/** SUBACK return code, §3.9.3. */
const subscriptionFailed = 0x80

/** Decides what the peer may do, and handles its messages. */
export interface SessionOwner {
    /** Checks an MQTT 3.1.1 CONNECT and returns the return code for CONNACK. */
    login(connect: IConnectPacket): Connack
    maySubscribe(filter: string): boolean
    /** The peer has subscribed to this filter. */
    subscribed(filter: string): void
    /** Handles a message. Resolves once it may be acknowledged, or to the reason why the connection must be closed. */
    published(topic: string, payload: Uint8Array): Promise<{ isProductive: boolean } | { refused: string }>
    /** The session is closed. `isOrderly` is true if the peer sent DISCONNECT. Called once. */
    closed(isOrderly: boolean, reason: string): void
}

/**
 * One connection of an MQTT 3.1.1 server, with clean sessions and QoS 0 and 1. It limits all state that the peer can
 * make it keep.
 */
export class MqttSession {
    private readonly stream: ByteStream
    private readonly clock: Clock
    private readonly owner: SessionOwner
    private readonly parser: Parser = mqttPacket.parser({ protocolVersion: 4 })
    private readonly limit = new PacketLimit()
    private readonly subscriptions = new Map<string, 0 | 1>()
    private readonly inFlight = new Set<number>()
    private queued: MqttMessage[] = []
    private inbound = 0
    private lastId = 0
    private keepAliveMs = loginMs
    private isConnected = false
    private isOver = false
    private isOrderly = false
    private reason = "the peer closed the connection"
    private unproductiveSince = -Infinity
    private unproductiveCount = 0
    private timer: Timer

    constructor(o: { stream: ByteStream; clock: Clock; owner: SessionOwner }) {
        this.stream = o.stream
        this.clock = o.clock
        this.owner = o.owner
        this.parser.on("packet", packet => this.received(packet))
        this.parser.on("error", error => this.end(error.message))
    }

    /** Starts to listen. Methods of the owner may be called from now on, even before this returns. */
    start(): void {
        this.watch()
        this.stream.listen({ data: bytes => this.data(bytes), closed: () => this.streamClosed() })
    }

    /**
     * Sends a message if the peer has subscribed to its topic.
     * @param isRetained the message existed before the subscription; only then its RETAIN flag is set (§3.3.1.3)
     */
    deliver(message: MqttMessage, isRetained = false): void {
        const granted = this.grantedFor(message.topic)
        if (granted === undefined || this.isOver) return
        if (message.qos === 0 || granted === 0) this.send(publishPacket({ ...message, retain: isRetained }, undefined))
        else if (this.inFlight.size < maxInFlight) this.sendQos1({ ...message, retain: isRetained })
        else {
            // A newer retained message replaces an older one that still waits.
            if (message.retain) this.queued = this.queued.filter(({ topic }) => topic !== message.topic)
            if (this.queued.length === maxQueued) this.end("the peer acknowledges nothing")
            else this.queued.push(message)
        }
    }

    /** Closes at once. */
    end(reason: string): void {
        if (this.isOver) return
        this.isOver = true
        this.reason = reason
        this.stream.destroy()
    }

    private data(bytes: Uint8Array): void {
        if (this.isOver) return
        if (!this.limit.allows(bytes)) return this.end("packet too large")
        try {
            this.parser.parse(Buffer.from(bytes))
        } catch (error) {
            // The library throws for some packets that it cannot encode. This must cost the peer its connection only.
            this.end((error as Error).message)
        }
    }

    private received(packet: Packet): void {
        if (this.isOver) return
        this.watch()
        if (this.isConnected !== (packet.cmd !== "connect"))
            return this.end("CONNECT must be the first packet and sent once")
        switch (packet.cmd) {
            case "connect":
                return this.connect(packet)
            case "publish":
                return void this.publish(packet)
            case "puback":
                if (this.inFlight.delete(packet.messageId!)) {
                    const next = this.queued.shift()
                    if (next) this.sendQos1({ ...next, retain: false })
                } else this.unproductive()
                return
            case "subscribe":
                return this.subscribe(packet)
            case "unsubscribe":
                this.unproductive()
                if (!isCountAllowed(packet.unsubscriptions)) return this.end(badFilterCount)
                for (const filter of packet.unsubscriptions) this.subscriptions.delete(filter)
                return this.send({ cmd: "unsuback", messageId: packet.messageId! } as Packet)
            case "pingreq":
                this.unproductive()
                return this.send({ cmd: "pingresp" })
            case "disconnect":
                this.isOrderly = true
                return this.end("the peer disconnected")
            default:
                this.end(`unexpected ${packet.cmd}`)
        }
    }

    private connect(packet: IConnectPacket): void {
        const { protocolId, protocolVersion, keepalive = 0, clientId, clean } = packet
        // The protocol version must be 4 (§3.1.2.2). An empty client id requires a clean session (§3.1.3.1).
        const isKnown = protocolId === "MQTT" && protocolVersion === 4
        let returnCode: Connack = Connack.unacceptableProtocol
        if (isKnown) returnCode = clientId === "" && !clean ? Connack.identifierRejected : this.owner.login(packet)
        if (this.isOver) return
        this.send({ cmd: "connack", returnCode, sessionPresent: false })
        if (returnCode !== Connack.accepted) {
            this.isOver = true
            this.reason = `refused with ${returnCode}`
            this.stream.end()
            this.clock.clearTimeout(this.timer)
            this.timer = this.clock.setTimeout(() => this.stream.destroy(), lingerMs)
            return
        }
        this.isConnected = true
        this.keepAliveMs = 1500 * (keepalive === 0 ? maxKeepAliveS : Math.min(keepalive, maxKeepAliveS))
        this.watch()
    }

    private subscribe({ subscriptions, messageId }: ISubscribePacket): void {
        this.unproductive()
        if (!isCountAllowed(subscriptions)) return this.end(badFilterCount)
        const accepted: string[] = []
        const granted = subscriptions.map(({ topic, qos }) => {
            if (!this.owner.maySubscribe(topic)) return subscriptionFailed
            accepted.push(topic)
            const grant = qos === 0 ? 0 : 1
            this.subscriptions.set(topic, grant)
            return grant
        })
        this.send({ cmd: "suback", messageId: messageId!, granted } as Packet)
        for (const topic of accepted) this.owner.subscribed(topic)
    }

    /** Acknowledges an accepted PUBLISH. MQTT 3.1.1 cannot refuse one, so a refusal closes the connection (§3.3.5). */
    private async publish({ topic, payload, qos, messageId }: IPublishPacket): Promise<void> {
        if (qos === 2) return this.end("QoS 2 is not served")
        if (this.inbound >= maxInbound) return this.end("too many messages at once")
        this.inbound++
        const result = await this.owner.published(topic, Buffer.from(payload))
        this.inbound--
        if ("refused" in result) return this.end(result.refused)
        if (!result.isProductive) this.unproductive()
        if (qos === 1) this.send({ cmd: "puback", messageId: messageId! })
    }

    private sendQos1(message: MqttMessage): void {
        do this.lastId = (this.lastId % 0xffff) + 1
        while (this.inFlight.has(this.lastId))
        this.inFlight.add(this.lastId)
        this.send(publishPacket(message, this.lastId))
    }

    private send(packet: Packet): void {
        if (this.isOver) return
        this.stream.write(mqttPacket.generate(packet))
        if (this.stream.backlog > maxBacklogBytes) this.end("the peer does not read")
    }

    private grantedFor(topic: string): 0 | 1 | undefined {
        const exact = this.subscriptions.get(topic)
        const parent = this.subscriptions.get(topic.replace(/[^/]*$/, "+"))
        return exact === 1 || parent === undefined ? exact : parent
    }

    /** Counts an unproductive packet. Ends the session after more than `maxUnproductive` within a second. */
    private unproductive(): void {
        const now = this.clock.now()
        if (Math.abs(now - this.unproductiveSince) >= unproductiveWindowMs) {
            this.unproductiveSince = now
            this.unproductiveCount = 0
        }
        if (++this.unproductiveCount > maxUnproductive) this.end("too many unproductive packets")
    }

    /**
     * Restarts the timer: a peer that is silent for one and a half times its Keep Alive is disconnected (§3.1.2.10).
     */
    private watch(): void {
        // Other packets do not extend the time for CONNECT.
        if (this.timer !== undefined && !this.isConnected) return
        this.clock.clearTimeout(this.timer)
        this.timer = this.clock.setTimeout(() => this.end("the peer is silent"), this.keepAliveMs)
    }

    private streamClosed(): void {
        this.isOver = true
        this.clock.clearTimeout(this.timer)
        this.owner.closed(this.isOrderly, this.reason)
    }
}

const badFilterCount = `a packet has 1 to ${maxFilters} topic filters`

/** At least one is required, §3.8.3 and §3.10.3. */
function isCountAllowed({ length }: { length: number }): boolean {
    return length > 0 && length <= maxFilters
}

function publishPacket({ topic, payload, qos, retain }: MqttMessage, messageId: number | undefined): Packet {
    return {
        ...{ cmd: "publish", topic, payload: Buffer.from(payload), dup: false, retain },
        ...(messageId === undefined ? { qos: 0 } : { qos, messageId }),
    } as Packet
}
