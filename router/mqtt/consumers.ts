import type { Clock, Timer } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import { LogSummary } from "../../host/log-summary.ts"
import type { Connect } from "../../host/mqtt/packet.ts"
import { Reason } from "../../host/mqtt/reason.ts"
import type { Purpose } from "../../wire/envelope.ts"
import type { MoteStatus } from "../browser/messages.ts"
import { isOne } from "../clinics/configuration.ts"
import type { Consumer, ConsumerAccounts } from "./consumer-accounts.ts"
import type { MqttSession, Refused, Welcome } from "./session.ts"
import { isMatch, SessionState, type SessionLimits } from "./session-state.ts"

const maxConsumers = 64
const maxOfAccount = 4
/** How often the states of motes are compared with what consumers have. */
const tickMs = 5_000
/** How often consumers that read slowly get more. */
const pumpMs = 100
/** States wait, the newest of each mote only, while so much is written but not read. */
const maxBacklogBytes = 16 * 1024
const limits: SessionLimits = {
    ...{ inFlight: 32, queued: 256, queuedBytes: 256 * 1024 },
    ...{ overflow: "dropReadings", subscriptions: 32 },
}
const kinds = ["state", "vitals", "alarms", "+", "#"]

/** A consumer's connection. */
export interface ConsumerConnection {
    readonly session: MqttSession
    readonly peer: string
    /** Whether nobody on the way can read the password: TLS, or this machine. */
    readonly isPrivate: boolean
}

interface Subscriber {
    account: Consumer
    clientId: string
    state: SessionState
    /** The motes whose newest state it does not have yet. */
    waiting: Set<string>
}

/**
 * Consumers at the router's own broker: whoever has an account may see the states of motes, as JSON at `vm/<eui>/state`, and with the
 * right for it the sealed envelopes. Motes come first: a consumer has no safe place among the connections, and one that does
 * not read misses states and readings, then loses its connection.
 */
export class Consumers {
    private readonly clock: Clock
    private readonly accounts: ConsumerAccounts
    private readonly damaged: LogSummary
    private readonly subscribers = new Map<ConsumerConnection, Subscriber>()
    /** The newest state by mote, in JSON. */
    private readonly states = new Map<string, string>()
    /** When the last envelope of either kind came, Unix time in milliseconds by this machine's clock. */
    private readonly lastAt: Record<Purpose, Map<string, number>> = { vitals: new Map(), alarm: new Map() }
    private statusOf: () => MoteStatus[] = () => []
    private assigned = 0
    private tickTimer: Timer
    private pumpTimer: Timer

    constructor(o: { clock: Clock; accounts: ConsumerAccounts; log: Log }) {
        this.clock = o.clock
        this.accounts = o.accounts
        this.damaged = new LogSummary("an MQTT consumer's account cannot be used", { ...o, level: "error" })
    }

    get size(): number {
        return this.subscribers.size
    }

    /** From now on the states come from here. */
    watch(statusOf: () => MoteStatus[]): void {
        this.statusOf = statusOf
    }

    /** Lets somebody in who is no mote. */
    login({ user = "", password, will, clientId }: Connect, connection: ConsumerConnection): Welcome | Refused {
        const wrong = { refused: "wrong user name or password", code: Reason.badUserNameOrPassword }
        if (!password) return wrong
        if (!connection.isPrivate) return { refused: "consumers sign in over TLS only", code: Reason.notAuthorized }
        const account = this.verified(user, password)
        if (!account) return wrong
        if (will) return { refused: "consumers publish nothing, so they have no last will", code: Reason.notAuthorized }
        for (const [other, { account: theirs, clientId: id }] of this.subscribers)
            if (theirs.name === user && id === clientId && id !== "")
                other.session.end("taken over", Reason.sessionTakenOver)
        const own = [...this.subscribers.values()].filter(({ account: { name } }) => name === user)
        if (this.subscribers.size >= maxConsumers || own.length >= maxOfAccount)
            return { refused: "too many consumers", code: Reason.quotaExceeded }
        const state = new SessionState(limits)
        this.subscribers.set(connection, { account, clientId, state, waiting: new Set() })
        this.begin()
        const assigned = clientId === "" && { assignedClientId: `consumer-${user}-${++this.assigned}` }
        return { state, isResumed: false, maxExpiryS: 0, ...assigned }
    }

    /** Of the topics of motes that the account has; states are QoS 0, because only the newest counts. */
    maySubscribe(filter: string, connection: ConsumerConnection): 0 | 1 | undefined {
        const subscriber = this.subscribers.get(connection)
        const [root, eui = "", kind = eui === "#" ? "#" : "", ...more] = filter.split("/")
        if (!subscriber || root !== "vm" || more.length > 0 || !kinds.includes(kind)) return undefined
        const { account } = subscriber
        if (eui !== "+" && eui !== "#" && !isOne(account.motes, eui)) return undefined
        if (kind === "state") return 0
        return account.envelopes || kind === "+" || kind === "#" ? 1 : undefined
    }

    /** What is retained follows, as fast as it is read. */
    subscribed(filter: string, connection: ConsumerConnection): void {
        const subscriber = this.subscribers.get(connection)
        if (!subscriber) return
        this.compare()
        for (const eui of this.states.keys())
            if (isMatch(filter, topicOf(eui)) && isOne(subscriber.account.motes, eui)) subscriber.waiting.add(eui)
        this.pump()
    }

    /** An authentic envelope is stored. */
    stored(purpose: Purpose, eui: string, payload: Uint8Array): void {
        this.lastAt[purpose].set(eui, this.clock.now())
        const topic = `vm/${eui}/${purpose === "alarm" ? "alarms" : "vitals"}`
        for (const [{ session }, { account }] of this.subscribers)
            if (account.envelopes && isOne(account.motes, eui))
                session.deliver({ topic, payload, qos: 1, retain: false })
    }

    /** A mote is revoked. */
    forget(eui: string): void {
        for (const times of Object.values(this.lastAt)) times.delete(eui)
    }

    closed(connection: ConsumerConnection): void {
        this.subscribers.delete(connection)
        if (this.subscribers.size === 0) this.stop()
    }

    stop(): void {
        this.clock.clearTimeout(this.tickTimer)
        this.clock.clearTimeout(this.pumpTimer)
        this.tickTimer = this.pumpTimer = undefined
        this.states.clear()
    }

    private begin(): void {
        if (this.tickTimer === undefined) this.tick()
    }

    private tick(): void {
        this.tickTimer = this.clock.setTimeout(() => this.tick(), tickMs)
        for (const [{ session }, { account }] of [...this.subscribers])
            if (!isSame(this.find(account.name), account)) session.end("the account is removed", Reason.notAuthorized)
        this.compare()
        this.pump()
    }

    /** Finds the motes whose state has changed. */
    private compare(): void {
        const now = new Map(this.statusOf().map(mote => [mote.eui, JSON.stringify(this.stateOf(mote))]))
        for (const eui of new Set([...this.states.keys(), ...now.keys()])) {
            const state = now.get(eui)
            if (state === this.states.get(eui)) continue
            if (state === undefined) this.states.delete(eui)
            else this.states.set(eui, state)
            for (const { account, state: session, waiting } of this.subscribers.values())
                if (isOne(account.motes, eui) && session.match(topicOf(eui))) waiting.add(eui)
        }
    }

    private stateOf({
        eui,
        transport,
        perMinute,
        stored,
        duplicate,
        refused,
        outboxBytes,
        waiting,
    }: MoteStatus): object {
        const at = (purpose: Purpose) => this.lastAt[purpose].get(eui) ?? null
        return {
            ...{
                transport,
                lastReadings: at("vitals"),
                lastAlarms: at("alarm"),
                perMinute,
                stored,
                duplicate,
                refused,
            },
            ...{ outboxBytes, waiting: waiting.map(({ what }) => what) },
        }
    }

    /** Sends the states that wait, to each consumer as fast as it reads. An empty one means that the mote is gone. */
    private pump(): void {
        let isWaiting = false
        for (const [{ session }, { waiting }] of this.subscribers) {
            for (const eui of waiting) {
                if (session.backlog > maxBacklogBytes) break
                waiting.delete(eui)
                const payload = Buffer.from(this.states.get(eui) ?? "")
                session.deliver({ topic: topicOf(eui), payload, qos: 0, retain: true }, true)
            }
            isWaiting ||= waiting.size > 0
        }
        this.clock.clearTimeout(this.pumpTimer)
        this.pumpTimer = isWaiting ? this.clock.setTimeout(() => this.pump(), pumpMs) : undefined
    }

    private verified(name: string, password: Uint8Array): Consumer | undefined {
        try {
            return this.accounts.verified(name, password)
        } catch (error) {
            this.damaged.count((error as Error).message)
            return undefined
        }
    }

    private find(name: string): Consumer | undefined {
        try {
            return this.accounts.find(name)
        } catch (error) {
            this.damaged.count((error as Error).message)
            return undefined
        }
    }
}

function topicOf(eui: string): string {
    return `vm/${eui}/state`
}

function isSame(one: Consumer | undefined, other: Consumer): boolean {
    return JSON.stringify(one) === JSON.stringify(other)
}
