import mqttPacket, { type IPublishPacket, type Packet, type Parser } from "mqtt-packet"
import type { Timer } from "../../host/clock.ts"
import type { ByteStream } from "../../host/stream.ts"
import type { Attachment, AttachmentParts } from "../attachment.ts"
import { PacketLimit } from "./limit.ts"
import { moteTopic, MqttMotes, type MqttMessage } from "./motes.ts"

/** The time within which CONNACK and SUBACK must arrive. */
const greetingMs = 10_000
/** The interval of PINGREQs. If nothing arrives between two of them, the connection ends. */
const pingMs = 30_000
const keepAliveS = 60
const minBackoffMs = 500
const maxBackoffMs = 30_000
/** The maximum number of bytes queued for a broker that does not read. */
const maxBacklogBytes = 4 * 2 ** 20

/** The address of a broker and the credentials for it. */
export interface MqttBrokerAccess {
    /** The URL for messages, without user and password. */
    url: string
    connect(): Promise<ByteStream>
    user?: string
    password?: string
}

type Parts = AttachmentParts & { access: MqttBrokerAccess }

/**
 * The router as a client of an existing broker, such as mosquitto or EMQX. It subscribes to the motes' topics and
 * publishes their receipts, configurations and commands. The broker controls who may publish where. The MAC of an
 * envelope proves its origin. The client reconnects by itself.
 */
export class MqttClient implements Attachment {
    readonly protocol = "mqtt"
    private readonly parts: Parts
    private readonly clientId: string
    private session: Session | undefined
    private timer: Timer
    private failures = 0
    private isClosed = false

    constructor(parts: Parts) {
        this.parts = parts
        this.clientId = `vitalmote-${Buffer.from(parts.random(6)).toString("hex")}`
        void this.open()
    }

    get isConnected(): boolean {
        return this.session?.isReady ?? false
    }

    /** The `eui`s of the motes that are online. */
    get online(): string[] {
        return this.session?.motes?.online ?? []
    }

    has(eui: string): boolean {
        return this.session?.motes?.has(eui) ?? false
    }

    relayed(): undefined {
        return undefined
    }

    changed(eui: string): void {
        this.session?.motes?.changed(eui)
    }

    /** Only the broker can end the mote's connection. */
    dismiss(eui: string): void {
        this.changed(eui)
    }

    close(): void {
        this.isClosed = true
        this.parts.clock.clearTimeout(this.timer)
        this.session?.end()
    }

    private async open(): Promise<void> {
        const { access, log } = this.parts
        try {
            const stream = await access.connect()
            if (this.isClosed) stream.destroy()
            else this.session = new Session(this.parts, this.clientId, stream, this)
        } catch (error) {
            this.closed((error as Error).message)
            return
        }
        log.debug({ broker: access.url }, "connected to the broker")
    }

    ready(): void {
        this.failures = 0
        const { log, access } = this.parts
        log.info({ broker: access.url }, "subscribed at the broker")
    }

    closed(reason: string): void {
        this.session = undefined
        if (this.isClosed) return
        const { clock, random, log, access } = this.parts
        if (this.failures++ === 0) log.warn({ broker: access.url, reason }, "no connection to the broker: retrying")
        const ms = Math.min(maxBackoffMs, minBackoffMs * 2 ** Math.min(this.failures, 10))
        const share = 0.5 + random(1)[0]! / 512
        this.timer = clock.setTimeout(() => void this.open(), ms * share)
    }
}

/** One connection to the broker, from CONNECT to its end. */
class Session {
    isReady = false
    motes: MqttMotes | undefined
    private readonly parts: Parts
    private readonly stream: ByteStream
    private readonly parser: Parser
    private readonly limit = new PacketLimit()
    private reason = "the broker closed the connection"
    private isOver = false
    private hasHeard = false
    private lastId = 0
    private timer: Timer

    constructor(parts: Parts, clientId: string, stream: ByteStream, client: MqttClient) {
        this.parts = parts
        this.stream = stream
        this.parser = mqttPacket.parser({ protocolVersion: 4 })
        this.parser.on("packet", packet => this.received(packet, client))
        this.parser.on("error", error => this.fail(error.message))
        stream.listen({
            data: bytes => {
                if (!this.limit.allows(bytes)) this.fail("packet too large")
                else if (!this.isOver) this.parser.parse(Buffer.from(bytes))
            },
            closed: () => {
                this.isOver = true
                parts.clock.clearTimeout(this.timer)
                client.closed(this.reason)
            },
        })
        this.timer = parts.clock.setTimeout(() => this.fail("the broker is silent"), greetingMs)
        const { user, password } = parts.access
        this.send({
            ...{ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clientId },
            ...{ clean: true, keepalive: keepAliveS },
            ...(user !== undefined && { username: user }),
            ...(password !== undefined && { password: Buffer.from(password) }),
        })
    }

    end(): void {
        this.send({ cmd: "disconnect" })
        this.stream.end()
    }

    private send(packet: Packet): void {
        if (this.isOver) return
        this.stream.write(mqttPacket.generate(packet))
        if (this.stream.backlog > maxBacklogBytes) this.fail("the broker does not read")
    }

    private fail(reason: string): void {
        if (this.isOver) return
        this.isOver = true
        this.reason = reason
        this.stream.destroy()
    }

    private received(packet: Packet, client: MqttClient): void {
        if (this.isOver) return
        this.hasHeard = true
        switch (packet.cmd) {
            case "connack":
                if (packet.returnCode === 0) this.subscribe()
                else this.fail(`the broker refuses: ${packet.returnCode}`)
                return
            case "suback":
                if (packet.granted.some(granted => granted !== 1)) return this.fail("the broker refuses a subscription")
                this.isReady = true
                client.ready()
                return this.ping()
            case "publish":
                void this.published(packet)
        }
    }

    private subscribe(): void {
        const { ingest, keyring, log } = this.parts
        const publish = (message: MqttMessage) => this.publish(message)
        this.motes ??= new MqttMotes({ ingest, keyring, log, publish, isNew: false })
        const topics = ["vm/+/vitals", "vm/+/alarms", "vm/+/status"]
        this.send({
            ...{ cmd: "subscribe", messageId: this.nextId() },
            subscriptions: topics.map(topic => ({ topic, qos: 1 })),
        })
    }

    private ping(): void {
        this.parts.clock.clearTimeout(this.timer)
        this.hasHeard = false
        this.send({ cmd: "pingreq" })
        this.timer = this.parts.clock.setTimeout(
            () => (this.hasHeard ? this.ping() : this.fail("the broker is silent")),
            pingMs,
        )
    }

    private publish({ topic, payload, qos, retain }: MqttMessage): void {
        this.send({
            ...{ cmd: "publish", topic, payload: Buffer.from(payload), qos, retain, dup: false },
            ...(qos === 1 && { messageId: this.nextId() }),
        })
    }

    /**
     * Acknowledges an envelope once it is durable or refused for good. If the router is full, it drops the connection:
     * motes retransmit envelopes that have no receipt.
     */
    private async published({ topic, payload, qos, messageId }: IPublishPacket): Promise<void> {
        const from = moteTopic(topic)
        if (from?.purpose === "status") this.motes?.status(from.eui, Buffer.from(payload))
        else if (from && this.motes) {
            const result = await this.motes.take(from.eui, from.purpose, Buffer.from(payload))
            if (result.status === "refused") {
                const { reason } = result
                this.parts.log.debug({ mote: from.eui, reason }, "envelope refused")
                if (reason === "busy") return this.fail("no room for envelopes")
            }
        }
        if (qos === 1) this.send({ cmd: "puback", messageId: messageId! })
    }

    private nextId(): number {
        this.lastId = (this.lastId % 0xffff) + 1
        return this.lastId
    }
}
