import type { Clock } from "../host/clock.ts"
import { LogSummary } from "../host/log-summary.ts"
import type { Log } from "../host/log.ts"
import { WireError } from "../wire/cbor.ts"
import { maxEnvelopeBytes, parseEnvelope, verifyEnvelope, type Envelope, type Purpose } from "../wire/envelope.ts"
import { eui, type RouterKeys } from "../wire/keys.ts"
import { makeReceipt } from "../wire/receipt.ts"
import type { Keyring } from "./keyring.ts"
import { RateLimit } from "./rate-limit.ts"
import { ReplayWindow } from "./replay.ts"
import type { Accepted, RouterStore, SeenStart } from "./store/store.ts"

/** Envelopes that may wait for one commit; more are told to come back. */
const maxWaiting = 4096
/** What the outbox may take by default: weeks of a ward's readings. */
export const defaultMaxOutboxBytes = 2 ** 30
/** What alarms may take on top of it, and what one mote may take of it, as a part of it; the latter at least so much. */
const alarmShare = 1 / 16
const moteShare = 1 / 16
const minMoteBytes = 256 * 1024
/**
 * What one mote may send in a minute. With everything that it has saved up in an outage it sends about a tenth of that;
 * an alarm has a few hundred bytes.
 */
export const defaultMoteBytesPerMinute = 2 ** 20
const alarmBytesPerMinute = 64 * 1024

/** Why an envelope was not taken. Only `busy` is worth a retry. */
export type Refusal =
    "tooLarge" | "malformed" | "unknownKid" | "badMac" | "olderBoot" | "otherSalt" | "belowWindow" | "busy"

/**
 * `stored`: durable since now, `duplicate`: since earlier. Both carry the mote, which of its secrets it used, and the
 * receipt.
 */
export type IngestResult =
    | { status: "stored" | "duplicate"; eui: string; generation: number; receipt: Uint8Array }
    | { status: "refused"; reason: Refusal }

export type IngestCounts = Record<"stored" | "duplicate" | Refusal, number>

/** A verified envelope that waits for the next commit. */
interface Waiting {
    purpose: Purpose
    envelope: Envelope
    keys: RouterKeys
    eui: string
    receivedAt: number
    resolve(result: IngestResult): void
}

/** What one commit will write. */
interface Batch {
    accepted: Accepted[]
    bytes: number
    /** By mote and start. */
    seen: Map<string, SeenStart>
    forgotten: SeenStart[]
}

/**
 * The way of every envelope, whatever brought it: size, shape, key, MAC, replay window, outbox, receipt. All that arrive
 * in one turn share one commit, and nobody gets a receipt before it is on disk.
 */
export class Ingest {
    readonly counts: IngestCounts = {
        stored: 0,
        duplicate: 0,
        tooLarge: 0,
        malformed: 0,
        unknownKid: 0,
        badMac: 0,
        olderBoot: 0,
        otherSalt: 0,
        belowWindow: 0,
        busy: 0,
    }
    private readonly clock: Clock
    private readonly store: RouterStore
    private readonly keyring: Keyring
    private readonly time: ReceiptTime
    private readonly maxOutboxBytes: number
    private readonly maxMoteBytes: number
    private readonly budgets: Record<Purpose, RateLimit>
    private readonly log: Log
    private readonly refused: LogSummary
    private readonly greedy: LogSummary
    private readonly onStored: () => void
    private readonly windows = new Map<string, ReplayWindow>()
    private waiting: Waiting[] = []
    private wasFull = false

    /** `onStored` is called after each commit that put something into the outbox. */
    constructor(o: {
        clock: Clock
        store: RouterStore
        keyring: Keyring
        /** The router's own clock where nothing is said. */
        time?: ReceiptTime
        maxOutboxBytes: number
        moteBytesPerMinute?: number
        log: Log
        onStored: () => void
    }) {
        this.clock = o.clock
        this.store = o.store
        this.keyring = o.keyring
        this.time = o.time ?? o.clock
        this.maxOutboxBytes = o.maxOutboxBytes
        this.maxMoteBytes = Math.max(minMoteBytes, o.maxOutboxBytes * moteShare)
        this.budgets = {
            vitals: new RateLimit(o.clock, o.moteBytesPerMinute ?? defaultMoteBytesPerMinute, 60_000),
            alarm: new RateLimit(o.clock, alarmBytesPerMinute, 60_000),
        }
        this.refused = new LogSummary("envelopes refused", o)
        this.greedy = new LogSummary("motes that used up their share: they have to wait", { ...o, level: "warn" })
        this.log = o.log
        this.onStored = o.onStored
    }

    /** Takes one envelope, where the sender is known only from that mote (its eui). Never rejects. */
    async submit(purpose: Purpose, bytes: Uint8Array, sender?: string): Promise<IngestResult> {
        const checked = this.check(purpose, bytes, sender)
        const result =
            typeof checked === "string" ? ({ status: "refused", reason: checked } as const) : await this.queue(checked)
        this.counts[result.status === "refused" ? result.reason : result.status]++
        if (result.status === "refused") this.refused.count(result.reason)
        return result
    }

    /** Puts what waits on disk and hands out the receipts. */
    commit(): void {
        const waiting = this.waiting
        this.waiting = []
        const batch: Batch = { accepted: [], bytes: 0, seen: new Map(), forgotten: [] }
        let outcomes: (Refusal | "stored" | "duplicate")[]
        try {
            outcomes = waiting.map(entry => this.admit(entry, batch))
            if (batch.accepted.length > 0) this.store.append(batch.accepted, [...batch.seen.values()], batch.forgotten)
        } catch (error) {
            this.log.error({ reason: (error as Error).message }, "the store failed: nothing taken")
            // They hold what was not stored.
            for (const entry of waiting) this.windows.delete(windowOf(entry).name)
            outcomes = waiting.map(() => "busy")
        }
        const now = this.time.now() ?? this.clock.now()
        waiting.forEach(({ envelope: { kid, nonce }, keys, eui, resolve }, i) => {
            const outcome = outcomes[i]!
            if (outcome === "stored" || outcome === "duplicate") {
                const receipt = makeReceipt({ kid, nonce, now, config: keys.config }, keys.receipt)
                resolve({ status: outcome, eui, generation: keys.generation ?? 0, receipt })
            } else resolve({ status: "refused", reason: outcome })
        })
        if (outcomes.includes("stored")) this.onStored()
    }

    /** Everything that can be said without the store. */
    private check(purpose: Purpose, bytes: Uint8Array, sender?: string): Refusal | Omit<Waiting, "resolve"> {
        if (bytes.length > maxEnvelopeBytes) return "tooLarge"
        let envelope: Envelope
        try {
            envelope = parseEnvelope(bytes)
        } catch (error) {
            if (error instanceof WireError) return "malformed"
            throw error
        }
        const name = eui(envelope.kid)
        const known = this.keyring.findAll(name)
        if (known.length === 0 || (sender !== undefined && sender !== name)) return "unknownKid"
        const keys = known.find(({ upMac }) => verifyEnvelope(envelope, purpose, upMac))
        if (!keys) return "badMac"
        // A receipt sets the mote's clock.
        if (this.waiting.length >= maxWaiting || this.time.now() === undefined) return "busy"
        return { purpose, envelope, keys, eui: name, receivedAt: this.clock.now() }
    }

    private queue(entry: Omit<Waiting, "resolve">): Promise<IngestResult> {
        if (this.waiting.length === 0) this.clock.setTimeout(() => this.commit(), 0)
        return new Promise(resolve => this.waiting.push({ ...entry, resolve }))
    }

    private admit(entry: Waiting, batch: Batch): Refusal | "stored" | "duplicate" {
        const { boot, salt, seq, bytes } = entry.envelope
        const { name, kid } = windowOf(entry)
        let window = this.windows.get(name)
        if (!window) {
            window = new ReplayWindow(this.store.starts(kid))
            this.windows.set(name, window)
        }
        const saltHex = Buffer.from(salt).toString("hex")
        const verdict = window.judge(boot, saltHex, seq)
        if (verdict !== "fresh") return verdict
        if (this.isFull(entry, batch.bytes + bytes.length)) return "busy"
        batch.accepted.push({
            kid: entry.envelope.kid,
            purpose: entry.purpose,
            receivedAt: entry.receivedAt,
            envelope: bytes,
        })
        batch.bytes += bytes.length
        const { start, forgotten } = window.record(boot, saltHex, seq)
        batch.seen.set(`${name} ${boot}`, { kid, start })
        if (forgotten) batch.forgotten.push({ kid, start: forgotten })
        return "stored"
    }

    /** One mote does not take the room of the others, and readings not that of alarms. */
    private isFull({ purpose, envelope, eui }: Waiting, moreBytes: number): boolean {
        const { outboxBytes } = this.store
        const max = this.maxOutboxBytes * (purpose === "alarm" ? 1 + alarmShare : 1)
        const isFull = outboxBytes + moreBytes > max
        if (isFull && !this.wasFull) this.log.error({ outboxBytes }, "the outbox is full: motes have to wait")
        this.wasFull = isFull
        if (isFull) return true
        const { length } = envelope.bytes
        const isOver =
            this.store.outboxBytesOf(envelope.kid) + length > this.maxMoteBytes ||
            !this.budgets[purpose].take(eui, length)
        if (isOver) this.greedy.count(eui)
        return isOver
    }
}

/** Where the time of receipts comes from; undefined: it is not known well enough to tell it to a mote. */
export interface ReceiptTime {
    now(): number | undefined
}

/**
 * The replay window that an envelope belongs to, and what it is stored under: the mote's kid, and for a later secret its
 * generation behind that. A new secret comes with new starts: with it a board may count from the beginning.
 */
function windowOf({ eui, envelope, keys }: Waiting): { name: string; kid: Uint8Array } {
    const { generation = 0 } = keys
    if (generation === 0) return { name: eui, kid: envelope.kid }
    const kid = Buffer.concat([envelope.kid, Buffer.alloc(4)])
    kid.writeUInt32BE(generation >>> 0, envelope.kid.length)
    return { name: kid.toString("hex"), kid }
}
