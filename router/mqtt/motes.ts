import type { Log } from "../../host/log.ts"
import type { Purpose } from "../../wire/envelope.ts"
import type { SealedCommand } from "../../wire/keys.ts"
import type { Ingest, IngestResult } from "../ingest.ts"
import type { Keyring } from "../keyring.ts"

/** What a mote publishes, by the last level of its topic. */
const purposes: Record<string, Purpose> = { vitals: "vitals", alarms: "alarm" }
/** Commands that are sent at once: a mote holds no more. The others follow when the clinic knows what became of these. */
const maxCommands = 3

/** A message to be published. */
export interface MqttMessage {
    topic: string
    payload: Uint8Array
    qos: 0 | 1
    retain: boolean
}

/** What a mote may publish: an envelope, or whether it is there. */
export type MoteTopic = { eui: string; purpose: Purpose | "status" }

/** The mote and the purpose of a topic; undefined where no mote publishes there. */
export function moteTopic(topic: string): MoteTopic | undefined {
    const [root, eui, kind = "", ...more] = topic.split("/")
    if (root !== "vm" || !eui || more.length > 0) return undefined
    if (kind === "status") return { eui, purpose: kind }
    return Object.hasOwn(purposes, kind) ? { eui, purpose: purposes[kind]! } : undefined
}

/**
 * The motes that a broker serves, ours or another (docs/wire.md, "MQTT"): what they publish goes the same way as what comes by
 * CoAP; what goes to them is their receipts, the newest configuration, retained, and commands.
 */
export class MqttMotes {
    private readonly ingest: Ingest
    private readonly keyring: Keyring
    private readonly log: Log
    private readonly publish: (message: MqttMessage) => void
    /** What a broker holds of a mote's configuration of which we do not know: nothing, or who knows. */
    private readonly before: "" | undefined
    /** The configurations that the broker holds, in hex; "": none. */
    private readonly retained = new Map<string, string>()
    /** Which of its secrets a mote used last, where it has been given another: only what is sealed for that is of use. */
    private readonly generations = new Map<string, number>()
    /** The motes that are on line, each with the commands in hex that it was sent since it came. */
    private readonly sent = new Map<string, Set<string>>()

    /** @param o.isNew whether the broker holds nothing of an earlier time */
    constructor(o: {
        ingest: Ingest
        keyring: Keyring
        log: Log
        publish: (message: MqttMessage) => void
        isNew: boolean
    }) {
        this.ingest = o.ingest
        this.keyring = o.keyring
        this.log = o.log
        this.publish = o.publish
        this.before = o.isNew ? "" : undefined
    }

    /** The `eui` of those that said they are on line, and of whom nobody said otherwise. */
    get online(): string[] {
        return [...this.sent.keys()]
    }

    has(eui: string): boolean {
        return this.sent.has(eui)
    }

    /** Takes an envelope; publishes its receipt once it is durable. */
    async take(eui: string, purpose: Purpose, envelope: Uint8Array): Promise<IngestResult> {
        const result = await this.ingest.submit(purpose, envelope, eui)
        if (result.status === "stored" && result.generation !== (this.generations.get(eui) ?? 0)) {
            this.generations.set(eui, result.generation)
            this.changed(eui)
        }
        if (result.status !== "refused")
            this.publish({
                ...{ topic: `vm/${eui}/receipt`, payload: result.receipt },
                ...{ qos: 0, retain: false },
            })
        return result
    }

    /** Takes a mote's status; false where it is none. A mote that comes gets what waits for it. */
    status(eui: string, payload: Uint8Array): boolean {
        const status = Buffer.from(payload).toString("latin1")
        if (status !== "offline" && status !== "online") return false
        this.sent.delete(eui)
        if (status === "online" && this.keyring.find(eui)) {
            this.sent.set(eui, new Set())
            this.changed(eui)
        }
        this.log.debug({ mote: eui, status }, "mote's status")
        return true
    }

    /** The clinic has something new for the mote, or knows it no longer. */
    changed(eui: string): void {
        const keys = this.keyring.findAll(eui)
        if (keys.length === 0) this.sent.delete(eui)
        const used = keys.find(({ generation }) => generation === this.generations.get(eui))
        const { sealedConfig, commands = [] } = used ?? keys[0] ?? {}
        this.configure(eui, sealedConfig)
        this.command(eui, commands.slice(0, maxCommands))
    }

    /** With an empty message a retained one is taken back (MQTT 3.1.1 §3.3.1.3). */
    private configure(eui: string, sealed: Uint8Array = new Uint8Array()): void {
        const hex = Buffer.from(sealed).toString("hex")
        const held = this.retained.has(eui) ? this.retained.get(eui) : this.before
        if (held === hex) return
        this.retained.set(eui, hex)
        this.publish({ topic: `vm/${eui}/config`, payload: sealed, qos: 1, retain: true })
    }

    private command(eui: string, commands: SealedCommand[]): void {
        const sent = this.sent.get(eui)
        if (!sent) return
        for (const { name, sealed } of commands) {
            const hex = Buffer.from(sealed).toString("hex")
            if (sent.has(hex)) continue
            sent.add(hex)
            const topic = `vm/${eui}/command/${name}`
            this.publish({ topic, payload: sealed, qos: 1, retain: false })
        }
    }
}
