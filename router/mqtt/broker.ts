import { createHash, timingSafeEqual } from "node:crypto"
import type { IConnectPacket } from "mqtt-packet"
import type { Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { ByteStream } from "../../host/stream.ts"
import { isEui, type RouterKeys } from "../../wire/keys.ts"
import { addressOf } from "../address.ts"
import { Admission, type Place } from "../admission.ts"
import type { Attachment, AttachmentParts } from "../attachment.ts"
import type { Keyring } from "../keyring.ts"
import { moteTopic, MqttMotes, type MqttMessage } from "./motes.ts"
import { Connack, MqttSession, type SessionOwner } from "./session.ts"

/** The maximum number of MQTT connections. */
const maxConnections = 1024
/** The maximum number of MQTT connections of one mote. */
const maxOfMote = 4

/**
 * The router's own MQTT server (docs/wire.md, "MQTT"). A mote logs in with its `eui` and the password derived from its
 * secret. It may only publish envelopes and its status, and subscribe to its own topics. A QoS 1 PUBLISH is
 * acknowledged once its envelope is durable. If the envelope is refused, the connection is closed without an
 * acknowledgement.
 */
export class MqttBroker implements Attachment {
    readonly protocol = "mqtt"
    private readonly clock: Clock
    private readonly keyring: Keyring
    private readonly motes: MqttMotes
    private readonly log: Log
    private readonly admission: Admission
    private readonly connections = new Set<Connection>()
    /** The connections of each mote, the oldest first. */
    private readonly byEui = new Map<string, Connection[]>()
    /** The newest configuration by mote. */
    private readonly configs = new Map<string, Uint8Array>()
    private isClosed = false

    constructor(parts: AttachmentParts) {
        const { clock, keyring, ingest, log } = parts
        this.clock = clock
        this.keyring = keyring
        this.log = log
        this.admission = new Admission({ clock, max: maxConnections })
        const publish = (message: MqttMessage) => this.publish(message)
        this.motes = new MqttMotes({ ingest, keyring, log, publish, isNew: true })
    }

    get size(): number {
        return this.admission.size
    }

    get online(): string[] {
        return this.motes.online
    }

    has(eui: string): boolean {
        return this.motes.has(eui)
    }

    relayed(): undefined {
        return undefined
    }

    changed(eui: string): void {
        this.motes.changed(eui)
    }

    dismiss(eui: string): void {
        this.motes.changed(eui)
        for (const { session } of [...(this.byEui.get(eui) ?? [])]) session.end("the mote is revoked")
    }

    admit(peer: string, drop: () => void): Place | undefined {
        return this.isClosed ? undefined : this.admission.admit(peer, drop)
    }

    /** Serves MQTT on a connection. */
    accept(stream: ByteStream, place = this.admit(stream.peer, () => stream.destroy())): void {
        if (!place) return stream.destroy()
        const connection = new Connection(stream, place, this.clock, {
            login: (connect, connection) => this.login(connect, connection),
            subscribed: connection => {
                const payload = this.configs.get(connection.eui)
                const topic = `vm/${connection.eui}/config`
                if (payload) connection.session.deliver({ topic, payload, qos: 1, retain: true }, true)
            },
            published: (topic, payload, connection) => this.published(topic, payload, connection),
            closed: (connection, isOrderly, reason) => this.closed(connection, isOrderly, reason),
        })
        this.connections.add(connection)
        connection.session.start()
    }

    close(): void {
        this.isClosed = true
        for (const { session } of [...this.connections]) session.end("the router stops")
    }

    private login(connect: IConnectPacket, connection: Connection): Connack {
        const { username = "", password, clientId, will } = connect
        if (!password || !isEui(username)) return Connack.badUserNameOrPassword
        const known = this.keyring.findAll(username)
        if (known.length === 0)
            return this.keyring.ask(username, addressOf(connection.peer)) === "unknownKid"
                ? Connack.badUserNameOrPassword
                : Connack.serverUnavailable
        if (!known.some(keys => isPassword(password, keys))) return Connack.badUserNameOrPassword
        const isOwnStatus = will?.topic === `vm/${username}/status` && String(will.payload) === "offline"
        if (will && (!isOwnStatus || will.qos === 2)) return Connack.notAuthorized
        // A connection with the same client id takes over (MQTT 3.1.1 §3.1.4). An empty client id is unique (§3.1.3.1).
        const existing = this.byEui.get(username) ?? []
        const replaced = clientId === "" ? undefined : existing.find(other => other.clientId === clientId)
        const others = existing.filter(other => other !== replaced)
        const oldest = others.length >= maxOfMote ? others.shift() : undefined
        Object.assign(connection, { eui: username, clientId, hasWill: will !== undefined })
        this.byEui.set(username, [...others, connection])
        replaced?.session.end("taken over")
        oldest?.session.end("the mote has a newer connection")
        connection.place.login(username)
        return Connack.accepted
    }

    /** Handles a PUBLISH. For an envelope, resolves once it is durable or refused. */
    private async published(
        topic: string,
        payload: Uint8Array,
        connection: Connection,
    ): Promise<{ isProductive: boolean } | { refused: string }> {
        const target = moteTopic(topic)
        if (target?.eui !== connection.eui) return { refused: "publishing there is not allowed" }
        if (target.purpose === "status") {
            if (!this.motes.status(connection.eui, payload)) return { refused: "not a status" }
            for (const other of this.byEui.get(connection.eui) ?? []) other.hasLatestStatus = other === connection
            return { isProductive: false }
        }
        const result = await this.motes.take(connection.eui, target.purpose, payload)
        if (result.status === "refused") return { refused: `envelope refused: ${result.reason}` }
        return { isProductive: result.status === "stored" }
    }

    private publish(message: MqttMessage): void {
        const { topic, payload, retain } = message
        const [, eui = "", kind] = topic.split("/")
        if (retain && kind === "config") {
            if (payload.length > 0) this.configs.set(eui, payload)
            else this.configs.delete(eui)
        }
        for (const { session } of this.byEui.get(eui) ?? []) session.deliver(message)
    }

    private closed(connection: Connection, isOrderly: boolean, reason: string): void {
        const { eui, place, hasWill, hasLatestStatus } = connection
        this.connections.delete(connection)
        place.leave()
        this.log.debug({ mote: eui || undefined, reason }, "MQTT connection closed")
        const others = (this.byEui.get(eui) ?? []).filter(other => other !== connection)
        if (others.length > 0) this.byEui.set(eui, others)
        else this.byEui.delete(eui)
        // If the mote has published its status over another connection since, this connection's last will is out of
        // date.
        const isCurrent = others.length === 0 || hasLatestStatus
        if (hasWill && !isOrderly && isCurrent) this.motes.status(eui, Buffer.from("offline"))
    }
}

function isPassword(password: Buffer, { mqtt }: RouterKeys): boolean {
    const expected = Buffer.from(mqtt).toString("hex")
    return timingSafeEqual(sha256(password), sha256(expected))
}

interface ConnectionOwner {
    login(connect: IConnectPacket, connection: Connection): Connack
    subscribed(connection: Connection): void
    published(
        topic: string,
        payload: Uint8Array,
        connection: Connection,
    ): Promise<{ isProductive: boolean } | { refused: string }>
    closed(connection: Connection, isOrderly: boolean, reason: string): void
}

/** A session and the mote that it belongs to. */
class Connection implements SessionOwner {
    readonly session: MqttSession
    readonly place: Place
    readonly peer: string
    /** The mote's `eui`, empty before the login. */
    eui = ""
    clientId = ""
    hasWill = false
    /** The mote published its latest status over this connection. */
    hasLatestStatus = false
    private readonly owner: ConnectionOwner

    constructor(stream: ByteStream, place: Place, clock: Clock, owner: ConnectionOwner) {
        this.peer = stream.peer
        this.place = place
        this.owner = owner
        this.session = new MqttSession({ stream, clock, owner: this })
    }

    login(connect: IConnectPacket): Connack {
        return this.owner.login(connect, this)
    }

    /** Allows exactly the topics that docs/mqtt.md lists. */
    maySubscribe(filter: string): boolean {
        const [root, eui, kind = "", name, ...more] = filter.split("/")
        if (root !== "vm" || eui !== this.eui || more.length > 0) return false
        if (kind === "command") return name === "+" || name === "identify" || name === "clear"
        return name === undefined && (kind === "receipt" || kind === "config")
    }

    subscribed(filter: string): void {
        if (filter.endsWith("/config")) this.owner.subscribed(this)
    }

    published(topic: string, payload: Uint8Array): Promise<{ isProductive: boolean } | { refused: string }> {
        return this.owner.published(topic, payload, this)
    }

    closed(isOrderly: boolean, reason: string): void {
        this.owner.closed(this, isOrderly, reason)
    }
}

function sha256(bytes: Uint8Array | string): Buffer {
    return createHash("sha256").update(bytes).digest()
}
