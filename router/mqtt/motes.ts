import { elapsedMs, type Clock } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { Purpose } from "../../wire/envelope.ts"
import { isEui, type SealedCommand } from "../../wire/keys.ts"
import type { Ingest, IngestResult } from "../ingest.ts"
import type { MoteKeyring } from "../keyring.ts"

/** The purposes of envelopes, by the last level of the topic. */
const purposes: Record<string, Purpose> = { vitals: "vitals", alarms: "alarm" }
/**
 * The maximum number of commands sent at once, because a mote holds no more. The others follow once the clinic has the
 * results.
 */
const maxCommands = 3
/** How long a router of several waits for the outcome of a command before it publishes it again. */
const commandMs = 60_000
/** The address of all motes behind a broker, which alone knows their own. */
const brokerAddress = "mqtt"
/** The maximum number of online motes that are remembered before their keys are there. */
const maxStrangers = 4096

/** A message to be published. */
export interface MqttMessage {
    topic: string
    payload: Uint8Array
    qos: 0 | 1
    retain: boolean
}

/** A topic to which a mote publishes envelopes or its status. */
export type MoteTopic = { eui: string; purpose: Purpose | "status" }

/** Parses a topic. Returns undefined if it is not one to which motes publish. */
export function moteTopic(topic: string): MoteTopic | undefined {
    const [root, eui, kind = "", ...more] = topic.split("/")
    if (root !== "vm" || !eui || more.length > 0) return undefined
    if (kind === "status") return { eui, purpose: kind }
    return Object.hasOwn(purposes, kind) ? { eui, purpose: purposes[kind]! } : undefined
}

/**
 * The motes of a broker, the router's own or another (docs/wire.md, "MQTT"). Envelopes go to the same `Ingest` as those
 * over CoAP. Motes receive their receipts, their commands, and the newest configuration as a retained message.
 */
export class MqttMotes {
    private readonly ingest: Ingest
    private readonly keyring: MoteKeyring
    private readonly log: Log
    private readonly publish: (message: MqttMessage) => void
    /** The configuration that the broker retained for each mote at the start: "" for none, undefined if unknown. */
    private readonly initialConfig: "" | undefined
    /** The configurations that the broker retains, in hex, "" for none. */
    private readonly retained = new Map<string, string>()
    /**
     * The secret's generation that a mote used last, unless it is 0. A configuration sealed for another one is useless.
     */
    private readonly generations = new Map<string, number>()
    /** The online motes, each with the commands in hex sent since it came online, and when. */
    private readonly sent = new Map<string, Map<string, number>>()
    private readonly clock: Clock
    /**
     * Other routers serve the same motes. A mote's commands come from the router that has just had an envelope of it, so
     * that it does not get them from all at once.
     */
    private readonly isShared: boolean
    /** The motes that said so before their keys were there. */
    private readonly strangers = new Set<string>()

    /**
     * @param o.isNew true if the broker retains nothing from earlier
     * @param o.isShared true if other routers serve the same motes
     */
    constructor(o: {
        clock: Clock
        ingest: Ingest
        keyring: MoteKeyring
        log: Log
        publish: (message: MqttMessage) => void
        isNew: boolean
        isShared: boolean
    }) {
        this.clock = o.clock
        this.isShared = o.isShared
        this.ingest = o.ingest
        this.keyring = o.keyring
        this.log = o.log
        this.publish = o.publish
        this.initialConfig = o.isNew ? "" : undefined
    }

    /** The `eui`s of the motes whose last status is "online". */
    get online(): string[] {
        return [...this.sent.keys()]
    }

    has(eui: string): boolean {
        return this.sent.has(eui)
    }

    /** Handles an envelope and publishes its receipt once it is durable. */
    async take(eui: string, purpose: Purpose, envelope: Uint8Array): Promise<IngestResult> {
        const result = await this.ingest.submit(purpose, envelope, { eui, address: brokerAddress })
        if (result.status === "stored" && result.generation !== (this.generations.get(eui) ?? 0)) {
            this.generations.set(eui, result.generation)
            this.changed(eui)
        }
        if (result.status !== "refused")
            this.publish({
                ...{ topic: `vm/${eui}/receipt`, payload: result.receipt },
                ...{ qos: 0, retain: false },
            })
        if (result.status === "stored" && this.isShared) this.sendCommands(eui)
        return result
    }

    /**
     * Handles a mote's status. Returns false if it is malformed. A mote that comes online receives what waits for it.
     */
    status(eui: string, payload: Uint8Array): boolean {
        const status = Buffer.from(payload).toString("latin1")
        if (status !== "offline" && status !== "online") return false
        this.sent.delete(eui)
        this.strangers.delete(eui)
        if (status === "online" && this.keyring.find(eui)) {
            this.sent.set(eui, new Map())
            this.changed(eui)
        } else if (status === "online" && isEui(eui)) {
            this.keyring.ask(eui, brokerAddress)
            if (this.strangers.size < maxStrangers) this.strangers.add(eui)
        }
        this.log.debug({ mote: eui, status }, "mote's status")
        return true
    }

    /** Publishes what is new for the mote after the clinic changed or removed it. */
    changed(eui: string): void {
        const keys = this.keyring.findAll(eui)
        if (keys.length === 0) this.sent.delete(eui)
        else if (this.strangers.delete(eui)) this.sent.set(eui, new Map())
        this.configure(eui, this.waiting(eui).sealedConfig)
        if (!this.isShared) this.sendCommands(eui)
    }

    /** What waits for the mote: that which is sealed for the secret that it uses. */
    private waiting(eui: string): { sealedConfig?: Uint8Array; commands?: SealedCommand[] } {
        const keys = this.keyring.findAll(eui)
        const used = keys.find(({ generation }) => generation === this.generations.get(eui))
        return used ?? keys[0] ?? {}
    }

    /** Publishes a configuration as a retained message. An empty message removes it (MQTT 3.1.1 §3.3.1.3). */
    private configure(eui: string, sealed: Uint8Array = new Uint8Array()): void {
        const hex = Buffer.from(sealed).toString("hex")
        const held = this.retained.has(eui) ? this.retained.get(eui) : this.initialConfig
        if (held === hex) return
        this.retained.set(eui, hex)
        this.publish({ topic: `vm/${eui}/config`, payload: sealed, qos: 1, retain: true })
    }

    private sendCommands(eui: string): void {
        const sent = this.sent.get(eui)
        if (!sent) return
        const now = elapsedMs(this.clock)
        for (const { name, sealed } of (this.waiting(eui).commands ?? []).slice(0, maxCommands)) {
            const hex = Buffer.from(sealed).toString("hex")
            const sentAt = sent.get(hex)
            if (sentAt !== undefined && (!this.isShared || now - sentAt < commandMs)) continue
            sent.set(hex, now)
            const topic = `vm/${eui}/command/${name}`
            this.publish({ topic, payload: sealed, qos: 1, retain: false })
        }
    }
}
