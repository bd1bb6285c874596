import { createHash, timingSafeEqual } from "node:crypto"
import type { IConnectPacket } from "mqtt-packet"
import type { Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { ByteStream } from "../../host/stream.ts"
import { Admission, type Place } from "../admission.ts"
import type { Attachment, AttachmentParts } from "../attachment.ts"
import type { Keyring } from "../keyring.ts"
import { moteTopic, MqttMotes, type MqttMessage } from "./motes.ts"
import { Connack, MqttSession, type SessionOwner } from "./session.ts"

/** MQTT connections at a time, and of one mote. */
const maxConnections = 1024
const maxOfMote = 4

/**
 * The router's own MQTT server (docs/wire.md, "MQTT"): a mote, known by its `eui` and the password derived from its secret, publishes envelopes and
 * its status and hears what is for it, and nothing else. A QoS 1 publish is acknowledged once its envelope is durable. One
 * that is refused is never acknowledged: the connection is closed.
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
    /** The newest configuration of each mote for which there is one. */
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
        if (!password || !this.isMote(username, password)) return Connack.badUserNameOrPassword
        const isOwnStatus = will?.topic === `vm/${username}/status` && String(will.payload) === "offline"
        if (will && (!isOwnStatus || will.qos === 2)) return Connack.notAuthorized
        // §3.1.4: who comes again under the same name takes over; §3.1.3.1: without a name it is nobody else.
        const before = this.byEui.get(username) ?? []
        const namesake = clientId === "" ? undefined : before.find(({ name }) => name === clientId)
        const left = before.filter(other => other !== namesake)
        const oldest = left.length >= maxOfMote ? left.shift() : undefined
        Object.assign(connection, { eui: username, name: clientId, hasWill: will !== undefined })
        this.byEui.set(username, [...left, connection])
        namesake?.session.end("taken over")
        oldest?.session.end("the mote has a newer connection")
        connection.place.login(username)
        return Connack.accepted
    }

    /** Resolves where the mote may publish this and, for an envelope, once it is durable. */
    private async published(
        topic: string,
        payload: Uint8Array,
        connection: Connection,
    ): Promise<{ isProductive: boolean } | { refused: string }> {
        const target = moteTopic(topic)
        if (target?.eui !== connection.eui) return { refused: "publishing there is not allowed" }
        if (target.purpose === "status") {
            if (!this.motes.status(connection.eui, payload)) return { refused: "not a status" }
            for (const other of this.byEui.get(connection.eui) ?? []) other.isSpeaker = other === connection
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
        const { eui, place, hasWill, isSpeaker } = connection
        this.connections.delete(connection)
        place.leave()
        this.log.debug({ mote: eui || undefined, reason }, "MQTT connection closed")
        const left = (this.byEui.get(eui) ?? []).filter(other => other !== connection)
        if (left.length > 0) this.byEui.set(eui, left)
        else this.byEui.delete(eui)
        // The last will of a connection that another one has followed says nothing about the mote.
        const isAlone = left.length === 0 || isSpeaker
        if (hasWill && !isOrderly && isAlone) this.motes.status(eui, Buffer.from("offline"))
    }

    private isMote(username: string, password: Buffer): boolean {
        return this.keyring.findAll(username).some(({ mqtt }) => {
            const expected = Buffer.from(mqtt).toString("hex")
            return timingSafeEqual(sha256(password), sha256(expected))
        })
    }
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

/** A session, and whose it is. */
class Connection implements SessionOwner {
    readonly session: MqttSession
    readonly place: Place
    /** Of the mote, once it has logged in. */
    eui = ""
    /** Its client id. */
    name = ""
    hasWill = false
    /** It published the mote's status last. */
    isSpeaker = false
    private readonly owner: ConnectionOwner

    constructor(stream: ByteStream, place: Place, clock: Clock, owner: ConnectionOwner) {
        this.place = place
        this.owner = owner
        this.session = new MqttSession({ stream, clock, owner: this })
    }

    login(connect: IConnectPacket): Connack {
        return this.owner.login(connect, this)
    }

    /** Exactly what docs/mqtt.md lists. */
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
