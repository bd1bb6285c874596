import { createHash, timingSafeEqual } from "node:crypto"
import type { Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { Connect } from "../../host/mqtt/packet.ts"
import { Reason } from "../../host/mqtt/reason.ts"
import type { ByteStream } from "../../host/stream.ts"
import { isEui, type RouterKeys } from "../../wire/keys.ts"
import { addressOf } from "../address.ts"
import { Admission, type Place } from "../admission.ts"
import type { Attachment, AttachmentParts } from "../attachment.ts"
import type { MoteStatus } from "../browser/messages.ts"
import type { MoteKeyring } from "../keyring.ts"
import type { Refusal } from "../ingest.ts"
import type { ConsumerAccounts } from "./consumer-accounts.ts"
import { Consumers } from "./consumers.ts"
import { HeldSessions } from "./held-sessions.ts"
import { moteTopic, MqttMotes, type MqttMessage } from "./motes.ts"
import { MqttSession, type Ending, type Refused, type SessionOwner, type Welcome } from "./session.ts"
import { moteLimits, SessionState } from "./session-state.ts"

/** The maximum number of MQTT connections. */
const maxConnections = 1024
/** The maximum number of MQTT connections of one mote. */
const maxOfMote = 4

const offline = Buffer.from("offline")
/** What a refused envelope is for a client of MQTT 5. All others are of no use to send again as they are. */
const refusalCodes: Partial<Record<Refusal, Reason>> = {
    tooLarge: Reason.payloadFormatInvalid,
    malformed: Reason.payloadFormatInvalid,
    unknownFormat: Reason.payloadFormatInvalid,
    badMac: Reason.notAuthorized,
    unknownKid: Reason.notAuthorized,
    busy: Reason.quotaExceeded,
    keysAwaited: Reason.unspecified,
    clinicAway: Reason.unspecified,
}

/**
 * The router's own MQTT server (docs/wire.md, "MQTT"). A mote logs in with its `eui` and the password derived from its
 * secret. It may only publish envelopes and its status, and subscribe to its own topics. A QoS 1 PUBLISH is
 * acknowledged once its envelope is durable. A refused envelope has a reason code in MQTT 5; in MQTT 3.1.1 the connection
 * is closed without an acknowledgement.
 */
export class MqttBroker implements Attachment {
    readonly protocol = "mqtt"
    private readonly clock: Clock
    private readonly keyring: MoteKeyring
    private readonly motes: MqttMotes
    private readonly log: Log
    private readonly admission: Admission
    private readonly random: (bytes: number) => Uint8Array
    private readonly held: HeldSessions
    private readonly connections = new Set<Connection>()
    /** The connections of each mote, the oldest first. */
    private readonly byEui = new Map<string, Connection[]>()
    /** The newest configuration by mote. */
    private readonly configs = new Map<string, Uint8Array>()
    private isClosed = false

    private readonly consumers: Consumers | undefined

    /** @param accounts of consumers, who are no motes; without them there are none */
    constructor(parts: AttachmentParts, accounts?: ConsumerAccounts) {
        const { clock, keyring, ingest, log } = parts
        this.clock = clock
        this.random = parts.random
        this.held = new HeldSessions(clock)
        this.keyring = keyring
        this.log = log
        this.admission = new Admission({ clock, max: maxConnections })
        this.consumers = accounts && new Consumers({ clock, accounts, log })
        if (this.consumers) ingest.subscribe((purpose, eui, envelope) => this.consumers!.stored(purpose, eui, envelope))
        const publish = (message: MqttMessage) => this.publish(message)
        this.motes = new MqttMotes({ clock, ingest, keyring, log, publish, isNew: true, isShared: false })
    }

    get size(): number {
        return this.admission.size
    }

    /** The states of motes for consumers come from here. */
    watch(statusOf: () => MoteStatus[]): void {
        this.consumers?.watch(statusOf)
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
        for (const { session } of [...(this.byEui.get(eui) ?? [])])
            session.end("the mote is revoked", Reason.administrativeAction)
        this.held.forget(eui)
        this.consumers?.forget(eui)
    }

    admit(peer: string, drop: () => void): Place | undefined {
        return this.isClosed ? undefined : this.admission.admit(peer, drop)
    }

    /** Serves MQTT on a connection. */
    accept(stream: ByteStream, place = this.admit(stream.peer, () => stream.destroy())): void {
        if (!place) return stream.destroy()
        const connection = new Connection(stream, place, this.clock, {
            login: (connect, connection) => this.login(connect, connection),
            maySubscribe: (filter, connection) => this.consumers?.maySubscribe(filter, connection),
            subscribed: (filter, connection) => {
                if (connection.isConsumer) return this.consumers!.subscribed(filter, connection)
                if (!filter.endsWith("/config")) return
                const payload = this.configs.get(connection.eui)
                const topic = `vm/${connection.eui}/config`
                if (payload) connection.session.deliver({ topic, payload, qos: 1, retain: true }, true)
            },
            published: (topic, payload, connection) => this.published(topic, payload, connection),
            closed: (connection, ending) => this.closed(connection, ending),
        })
        this.connections.add(connection)
        connection.session.start()
    }

    close(): void {
        this.isClosed = true
        for (const { session } of [...this.connections]) session.end("the router stops", Reason.shuttingDown)
        this.held.close()
        this.consumers?.stop()
    }

    private login(connect: Connect, connection: Connection): Welcome | Refused {
        if (this.consumers && !isEui(connect.user ?? "")) {
            const answer = this.consumers.login(connect, connection)
            if (!("refused" in answer)) {
                connection.isConsumer = true
                connection.place.protocolConfirmed()
            }
            return answer
        }
        const { user = "", password, will } = connect
        const wrong = { refused: "wrong user name or password", code: Reason.badUserNameOrPassword }
        if (!password || !isEui(user)) return wrong
        const known = this.keyring.findAll(user)
        if (known.length === 0)
            return this.keyring.ask(user, addressOf(connection.peer)) === "unknownKid"
                ? wrong
                : { refused: "the clinic is being asked for the mote's keys", code: Reason.serverUnavailable }
        if (!known.some(keys => isPassword(password, keys))) return wrong
        const isOwnStatus = will?.topic === `vm/${user}/status` && String(will.payload) === "offline"
        if (will && !isOwnStatus) return { refused: "the last will is not its own", code: Reason.notAuthorized }
        if (will?.qos === 2) return { refused: "QoS 2 is not served", code: Reason.qosNotSupported }
        return this.welcome(connect, user, connection)
    }

    /** Gives a mote its session: a new one, or in MQTT 5 without Clean Start that of before. */
    private welcome(connect: Connect, user: string, connection: Connection): Welcome {
        const { clientId: named, clean, will } = connect
        const clientId = named === "" ? `auto-${Buffer.from(this.random(12)).toString("hex")}` : named
        // A connection with the same client id takes over (§3.1.4).
        const existing = this.byEui.get(user) ?? []
        const replaced = existing.find(other => other.clientId === clientId)
        const others = existing.filter(other => other !== replaced)
        const oldest = others.length >= maxOfMote ? others.shift() : undefined
        const before = replaced?.takeState() ?? this.held.take(user, clientId)
        const kept = clean ? undefined : before
        const state = kept ?? new SessionState(moteLimits)
        const willDelayS = will?.properties?.willDelay ?? 0
        Object.assign(connection, { eui: user, clientId, hasWill: will !== undefined, willDelayS, state })
        this.byEui.set(user, [...others, connection])
        replaced?.session.end("taken over", Reason.sessionTakenOver)
        oldest?.session.end("the mote has a newer connection", Reason.quotaExceeded)
        connection.place.login(user)
        return { state, isResumed: kept !== undefined, ...(named === "" && { assignedClientId: clientId }) }
    }

    /** Handles a PUBLISH. For an envelope, resolves once it is durable or refused. */
    private async published(
        topic: string,
        payload: Uint8Array,
        connection: Connection,
    ): Promise<{ isProductive: boolean } | Refused> {
        const target = connection.isConsumer ? undefined : moteTopic(topic)
        if (target?.eui !== connection.eui)
            return { refused: "publishing there is not allowed", code: Reason.notAuthorized }
        if (target.purpose === "status") {
            if (!this.motes.status(connection.eui, payload))
                return { refused: "not a status", code: Reason.payloadFormatInvalid }
            for (const other of this.byEui.get(connection.eui) ?? []) other.hasLatestStatus = other === connection
            return { isProductive: false }
        }
        const result = await this.motes.take(connection.eui, target.purpose, payload)
        if (result.status !== "refused") return { isProductive: result.status === "stored" }
        const code = refusalCodes[result.reason] ?? Reason.implementationSpecific
        return { refused: `envelope refused: ${result.reason}`, code }
    }

    private publish(message: MqttMessage): void {
        const { topic, payload, retain } = message
        const [, eui = "", kind] = topic.split("/")
        if (retain && kind === "config") {
            if (payload.length > 0) this.configs.set(eui, payload)
            else this.configs.delete(eui)
        }
        for (const { session } of this.byEui.get(eui) ?? []) session.deliver(message)
        if (message.qos === 0) return
        for (const state of this.held.of(eui))
            if (state.match(topic)?.qos === 1 && state.add(message, false) === "full") this.held.forget(eui)
    }

    private closed(connection: Connection, { hasWill, expiryS, reason }: Ending): void {
        const { eui, clientId, place, state, willDelayS } = connection
        this.connections.delete(connection)
        place.leave()
        if (connection.isConsumer) this.consumers!.closed(connection)
        this.log.debug({ mote: eui || undefined, reason }, "MQTT connection closed")
        const others = (this.byEui.get(eui) ?? []).filter(other => other !== connection)
        if (others.length > 0) this.byEui.set(eui, others)
        else this.byEui.delete(eui)
        const will = () => {
            // If the mote has published its status over another connection since, this connection's last will is out
            // of date.
            const isCurrent = !this.byEui.has(eui) || connection.hasLatestStatus
            if (isCurrent) this.motes.status(eui, offline)
        }
        const isContinued = state === undefined && eui !== ""
        const isWillDue = connection.hasWill && hasWill && !(isContinued && willDelayS > 0)
        const isHeld = state !== undefined && expiryS > 0 && !this.isClosed && this.keyring.find(eui) !== undefined
        const isDelayed = isHeld && isWillDue && willDelayS > 0
        if (isWillDue && !isDelayed) will()
        if (isHeld)
            this.held.hold({ user: eui, clientId }, state, { expiryS, willDelayS, will: isDelayed ? will : undefined })
    }
}

function isPassword(password: Uint8Array, { mqtt }: RouterKeys): boolean {
    const expected = Buffer.from(mqtt).toString("hex")
    return timingSafeEqual(sha256(password), sha256(expected))
}

interface ConnectionOwner {
    login(connect: Connect, connection: Connection): Welcome | Refused
    maySubscribe(filter: string, connection: Connection): 0 | 1 | undefined
    subscribed(filter: string, connection: Connection): void
    published(topic: string, payload: Uint8Array, connection: Connection): Promise<{ isProductive: boolean } | Refused>
    closed(connection: Connection, ending: Ending): void
}

/** A session and the mote that it belongs to. */
class Connection implements SessionOwner {
    readonly session: MqttSession
    readonly place: Place
    readonly peer: string
    readonly isPrivate: boolean
    isConsumer = false
    /** The mote's `eui`, empty before the login. */
    eui = ""
    clientId = ""
    hasWill = false
    willDelayS = 0
    /** Undefined before the login, and after another connection has taken the session over. */
    state: SessionState | undefined
    /** The mote published its latest status over this connection. */
    hasLatestStatus = false
    private readonly owner: ConnectionOwner

    constructor(stream: ByteStream, place: Place, clock: Clock, owner: ConnectionOwner) {
        this.peer = stream.peer
        this.isPrivate = stream.isEncrypted === true || isOfThisMachine(stream.peer)
        this.place = place
        this.owner = owner
        this.session = new MqttSession({ stream, clock, owner: this })
    }

    /** Another connection continues the session. */
    takeState(): SessionState | undefined {
        const { state } = this
        this.state = undefined
        return state
    }

    login(connect: Connect): Welcome | Refused {
        return this.owner.login(connect, this)
    }

    /** Allows exactly the topics that docs/mqtt.md lists. */
    maySubscribe(filter: string): 0 | 1 | undefined {
        if (this.isConsumer) return this.owner.maySubscribe(filter, this)
        const [root, eui, kind = "", name, ...more] = filter.split("/")
        if (root !== "vm" || eui !== this.eui || more.length > 0) return undefined
        if (kind === "command") return name === "+" || name === "identify" || name === "clear" ? 1 : undefined
        return name === undefined && (kind === "receipt" || kind === "config") ? 1 : undefined
    }

    subscribed(filter: string): void {
        this.owner.subscribed(filter, this)
    }

    published(topic: string, payload: Uint8Array): Promise<{ isProductive: boolean } | Refused> {
        return this.owner.published(topic, payload, this)
    }

    closed(ending: Ending): void {
        this.owner.closed(this, ending)
    }
}

function isOfThisMachine(peer: string): boolean {
    return /^(127\.[\d.]+|::1|::ffff:127\.[\d.]+):\d+$/.test(peer)
}

function sha256(bytes: Uint8Array | string): Buffer {
    return createHash("sha256").update(bytes).digest()
}
