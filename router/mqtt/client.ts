import type { MqttBrokerAccess } from "../../host/mqtt/access.ts"
import { MqttConnection, type ClientOwner } from "../../host/mqtt/client.ts"
import type { Puback, Publish, Suback, Version } from "../../host/mqtt/packet.ts"
import { Reason } from "../../host/mqtt/reason.ts"
import { Reconnection } from "../../host/mqtt/reconnection.ts"
import type { ByteStream } from "../../host/stream.ts"
import type { Attachment, AttachmentParts } from "../attachment.ts"
import { moteTopic, MqttMotes, type MqttMessage } from "./motes.ts"
import { maxPacketBytes } from "./session.ts"

/** The number of envelopes that a broker of MQTT 5 sends before it has an acknowledgement. */
const receiveMaximum = 1024

type Parts = AttachmentParts & {
    access: MqttBrokerAccess
    /** The group of routers that share the motes of the broker: each envelope goes to one of them. */
    share?: string
}

/**
 * The router as a client of an existing broker, such as mosquitto or EMQX. It subscribes to the motes' topics and
 * publishes their receipts, configurations and commands. The broker controls who may publish where. The MAC of an
 * envelope proves its origin. The client reconnects by itself.
 */
export class MqttClient implements Attachment {
    readonly protocol = "mqtt"
    private readonly parts: Parts
    private readonly clientId: string
    private readonly reconnection: Reconnection
    private session: Session | undefined

    constructor(parts: Parts) {
        this.parts = parts
        this.clientId = `vitalmote-${Buffer.from(parts.random(6)).toString("hex")}`
        const { clock, random, log, access } = parts
        this.reconnection = new Reconnection({
            ...{ clock, random, log, access },
            opened: (stream, version) =>
                (this.session = new Session(parts, { clientId: this.clientId, version, stream, client: this })),
        })
    }

    /** The `eui`s of the motes that are online. */
    get online(): string[] {
        return this.session?.motes.online ?? []
    }

    has(eui: string): boolean {
        return this.session?.motes.has(eui) ?? false
    }

    relayed(): undefined {
        return undefined
    }

    changed(eui: string): void {
        if (this.session?.isReady) this.session.motes.changed(eui)
    }

    /** Only the broker can end the mote's connection. */
    dismiss(eui: string): void {
        this.changed(eui)
    }

    close(): void {
        this.reconnection.close()
        this.session?.end()
    }

    ready(): void {
        this.reconnection.ready()
        const { log, access } = this.parts
        log.info({ broker: access.url }, "subscribed at the broker")
    }

    closed(reason: string, isOtherVersion: boolean): void {
        this.session = undefined
        this.reconnection.lost(reason, isOtherVersion)
    }
}

/** One connection to the broker, from CONNECT to its end. */
class Session implements ClientOwner {
    isReady = false
    readonly motes: MqttMotes
    private readonly parts: Parts
    private readonly client: MqttClient
    private readonly connection: MqttConnection

    constructor(parts: Parts, o: { clientId: string; version: Version; stream: ByteStream; client: MqttClient }) {
        this.parts = parts
        this.client = o.client
        const { clock, ingest, keyring, log, access } = parts
        const { user, password } = access
        const publish = (message: MqttMessage) => this.publish(message)
        this.motes = new MqttMotes({
            ...{ clock, ingest, keyring, log, publish },
            ...{ isNew: false, isShared: parts.share !== undefined },
        })
        this.connection = new MqttConnection({
            ...{ clock, stream: o.stream, maxPacketBytes, owner: this },
            hello: {
                ...{ version: o.version, clientId: o.clientId, clean: true },
                ...(user !== undefined && { user }),
                ...(password !== undefined && { password: Buffer.from(password) }),
                ...(o.version === 5 && { properties: { receiveMaximum } }),
            },
        })
    }

    end(): void {
        this.connection.end()
    }

    connected(): void {
        const { share } = this.parts
        const prefix = share === undefined ? "" : `$share/${share}/`
        const filters = [`${prefix}vm/+/vitals`, `${prefix}vm/+/alarms`, "vm/+/status"]
        const subscriptions = filters.map(filter => ({ filter, qos: 1 as const }))
        this.connection.send({ kind: "subscribe", id: this.connection.nextId(), subscriptions })
        this.isReady = true
    }

    received(packet: Publish | Puback | Suback): void {
        if (packet.kind === "publish") void this.published(packet)
        if (packet.kind !== "suback") return
        if (packet.codes.every(code => code === 1)) return this.client.ready()
        const isShareMissing = packet.codes.includes(Reason.sharedSubscriptionsNotSupported)
        this.connection.fail(
            isShareMissing ? "the broker has no shared subscriptions" : "the broker refuses a subscription",
        )
    }

    closed(reason: string, isOtherVersion: boolean): void {
        this.isReady = false
        this.client.closed(reason, isOtherVersion)
    }

    private publish({ topic, payload, qos, retain }: MqttMessage): void {
        const id = qos === 0 ? 0 : this.connection.nextId()
        this.connection.send({ kind: "publish", topic, payload, qos, retain, dup: false, id })
    }

    /**
     * Acknowledges an envelope once it is durable or refused for good. If the router is full, it drops the connection:
     * motes retransmit envelopes that have no receipt.
     */
    private async published({ topic, payload, qos, id }: Publish): Promise<void> {
        const from = moteTopic(topic)
        if (from?.purpose === "status") this.motes.status(from.eui, payload)
        else if (from) {
            const result = await this.motes.take(from.eui, from.purpose, payload)
            if (result.status === "refused") {
                const { reason } = result
                this.parts.log.debug({ mote: from.eui, reason }, "envelope refused")
                if (reason === "busy") return this.connection.fail("no room for envelopes")
            }
        }
        if (qos === 1) this.connection.send({ kind: "puback", id, code: Reason.success })
    }
}
