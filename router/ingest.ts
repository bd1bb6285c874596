import { elapsedMs, type Clock } from "../host/clock.ts"
import { LogSummary } from "../host/log-summary.ts"
import type { Log } from "../host/log.ts"
import { WireError } from "../wire/cbor.ts"
import {
    FormatError,
    maxEnvelopeBytes,
    parseEnvelope,
    verifyEnvelope,
    type Envelope,
    type Purpose,
} from "../wire/envelope.ts"
import { eui, type RouterKeys } from "../wire/keys.ts"
import { makeReceipt } from "../wire/receipt.ts"
import type { MoteKeyring, Stranger } from "./keyring.ts"
import { RateLimit } from "./rate-limit.ts"
import { Replays } from "./replays.ts"
import type { Accepted, RouterStore, SeenStart } from "./store/store.ts"

/** The maximum number of envelopes that wait for one commit. Further ones are refused as `busy`. */
const maxWaiting = 4096
/** The default limit of the outbox, enough for weeks of a ward's readings. */
export const defaultMaxOutboxBytes = 2 ** 30
/** The extra quota for alarms, as a fraction of the outbox's limit. */
const alarmShare = 1 / 16
/** The quota of one mote, as a fraction of the outbox's limit. */
const moteShare = 1 / 16
/** The minimum quota of one mote. */
const minMoteBytes = 256 * 1024
/** The default rate limit of one mote. After an outage a mote sends its saved readings at about a tenth of that. */
export const defaultMoteBytesPerMinute = 2 ** 20
/** The rate limit of one mote's alarms. An alarm has a few hundred bytes. */
const alarmBytesPerMinute = 64 * 1024

/** The reason for refusing an envelope. Only `busy`, `keysAwaited` and `clinicAway` are worth a retry. */
export type Refusal =
    | ("tooLarge" | "malformed" | "unknownFormat" | "badMac")
    | ("olderBoot" | "otherSalt" | "belowWindow" | "busy")
    | Stranger

/** The origin of an envelope: its address, and the mote's `eui` if the transport knows it. Only that mote's envelopes pass. */
export interface Sender {
    eui?: string
    address: string
}

/**
 * `stored` means that the envelope is durable now, `duplicate` that it was already. Both have the mote, the generation
 * of the secret that it used, and the receipt.
 */
export type IngestResult =
    | { status: "stored" | "duplicate"; eui: string; generation: number; receipt: Uint8Array }
    | { status: "refused"; reason: Refusal }

/** `contested` envelopes are among the `stored` ones. */
export type IngestCounts = Record<"stored" | "duplicate" | "contested" | Refusal, number>

type Outcome = Refusal | "stored" | "duplicate"

/** An authentic envelope that waits for the next commit. */
interface Waiting {
    purpose: Purpose
    envelope: Envelope
    keys: RouterKeys
    eui: string
    receivedAt: number
    resolve(result: IngestResult): void
}

/** What one commit writes. */
interface Batch {
    accepted: Accepted[]
    bytes: number
    /** The changed starts, each once. */
    seen: Map<SeenStart["start"], SeenStart>
    forgotten: SeenStart[]
    /** Undoes what the replay windows have recorded, in reverse order. */
    undo: (() => void)[]
}

/**
 * Accepts envelopes from all transports: checks size, shape, key, MAC and replay window, stores them in the outbox, and
 * makes receipts. Envelopes that arrive in the same turn of the event loop share one commit. No receipt exists before
 * its envelope is on disk.
 */
export class Ingest {
    readonly counts: IngestCounts = {
        stored: 0,
        duplicate: 0,
        contested: 0,
        tooLarge: 0,
        malformed: 0,
        unknownFormat: 0,
        unknownKid: 0,
        keysAwaited: 0,
        clinicAway: 0,
        badMac: 0,
        olderBoot: 0,
        otherSalt: 0,
        belowWindow: 0,
        busy: 0,
    }
    private readonly clock: Clock
    private readonly store: RouterStore
    private readonly keyring: MoteKeyring
    private readonly time: ReceiptTime
    private readonly maxOutboxBytes: number
    private readonly maxMoteBytes: number
    private readonly budgets: Record<Purpose, RateLimit>
    private readonly refused: LogSummary
    private readonly overQuota: LogSummary
    private readonly outboxFull: LogSummary
    private readonly storeFailures: LogSummary
    private readonly onStored: () => void
    private readonly onCommitted: (ms: number) => void
    private readonly contested: LogSummary
    private readonly replays: Replays
    private readonly isShareUsed: (kid: Uint8Array, bytes: number, part: number) => boolean
    private readonly onResult: (envelope: Uint8Array, result: IngestResult) => void
    private readonly listeners = new Set<StoredListener>()
    private waiting: Waiting[] = []
    private isCommitting = false
    /** The latest commit. */
    private committing: Promise<void> | undefined

    /**
     * @param o.onStored called after each commit that added to the outbox
     * @param o.onCommitted called after each such commit with the time that the store took
     */
    constructor(o: {
        clock: Clock
        store: RouterStore
        keyring: MoteKeyring
        replays: Replays
        /** The time for receipts, by default that of `clock`. */
        time?: ReceiptTime
        maxOutboxBytes: number
        moteBytesPerMinute?: number
        /** Whether the mote's clinic has used up its share of the outbox, of which readings may use 1 and alarms a little more. */
        isShareUsed?: (kid: Uint8Array, bytes: number, part: number) => boolean
        log: Log
        onStored: () => void
        onCommitted?: ((ms: number) => void) | undefined
        /** Called with what became of each envelope. */
        onResult?: (envelope: Uint8Array, result: IngestResult) => void
    }) {
        this.clock = o.clock
        this.store = o.store
        this.keyring = o.keyring
        this.replays = o.replays
        this.time = o.time ?? o.clock
        this.maxOutboxBytes = o.maxOutboxBytes
        this.maxMoteBytes = Math.max(minMoteBytes, o.maxOutboxBytes * moteShare)
        this.budgets = {
            vitals: new RateLimit(o.clock, o.moteBytesPerMinute ?? defaultMoteBytesPerMinute, 60_000),
            alarm: new RateLimit(o.clock, alarmBytesPerMinute, 60_000),
        }
        this.refused = new LogSummary("envelopes refused", o)
        this.storeFailures = new LogSummary("the store failed: envelopes refused", { ...o, level: "error" })
        this.outboxFull = new LogSummary("the outbox is full: motes must wait", { ...o, level: "error" })
        this.overQuota = new LogSummary("motes have used up their quota: they must wait", { ...o, level: "warn" })
        this.contested = new LogSummary(
            "two envelopes with one nonce: somebody besides the mote has one of its keys. Both go to the clinic, which knows the true one",
            { ...o, level: "warn" },
        )
        this.isShareUsed = o.isShareUsed ?? (() => false)
        this.onStored = o.onStored
        this.onCommitted = o.onCommitted ?? (() => {})
        this.onResult = o.onResult ?? (() => {})
    }

    /** Tells whether the outbox may have no room for another reading. */
    get isOutboxFull(): boolean {
        return this.store.outboxBytes + maxEnvelopeBytes > this.maxOutboxBytes
    }

    /** Calls `listener` with each new envelope once it is durable. */
    subscribe(listener: StoredListener): void {
        this.listeners.add(listener)
    }

    /** Accepts one envelope. Never rejects. */
    async submit(purpose: Purpose, bytes: Uint8Array, sender: Sender): Promise<IngestResult> {
        const checked = this.check(purpose, bytes, sender)
        const result =
            typeof checked === "string" ? ({ status: "refused", reason: checked } as const) : await this.queue(checked)
        this.counts[result.status === "refused" ? result.reason : result.status]++
        if (result.status === "refused") this.refused.count(result.reason)
        this.onResult(bytes, result)
        if (result.status === "stored") for (const listener of this.listeners) listener(purpose, result.eui, bytes)
        return result
    }

    /**
     * Writes the waiting envelopes to disk and resolves their results. What arrives meanwhile is written after that, together:
     * so an envelope alone waits for one sync of the disk, and under load many share one.
     */
    private commit(): void {
        if (this.isCommitting) return
        const waiting = this.waiting
        this.waiting = []
        const batch: Batch = { accepted: [], bytes: 0, seen: new Map(), forgotten: [], undo: [] }
        let outcomes: Outcome[] = []
        const failed = (error: unknown) => {
            this.storeFailures.count((error as Error).message, waiting.length)
            for (const undo of batch.undo.reverse()) undo()
            this.finish(
                waiting,
                waiting.map(() => "busy"),
            )
        }
        try {
            outcomes = waiting.map(entry => this.admit(entry, batch))
            const start = elapsedMs(this.clock)
            const done = () => {
                if (batch.accepted.length > 0) this.onCommitted(elapsedMs(this.clock) - start)
                this.finish(waiting, outcomes)
            }
            const { accepted, seen, forgotten } = batch
            const appended =
                accepted.length > 0 ? this.store.append(accepted, [...seen.values()], forgotten) : undefined
            this.isCommitting = true
            if (appended) this.committing = appended.then(done, failed)
            else done()
        } catch (error) {
            failed(error)
        }
    }

    /** Stores what waits. Resolves when nothing is being written. */
    async flush(): Promise<void> {
        do {
            this.commit()
            await this.committing
        } while (this.waiting.length > 0)
    }

    private finish(waiting: Waiting[], outcomes: Outcome[]): void {
        this.isCommitting = false
        if (this.waiting.length > 0) this.commitSoon()
        const now = this.time.now() ?? this.clock.now()
        waiting.forEach(({ envelope: { nonce }, keys, eui, resolve }, i) => {
            const outcome = outcomes[i]!
            if (outcome === "stored" || outcome === "duplicate") {
                const receipt = makeReceipt({ now, config: keys.config }, nonce, keys.receipt)
                resolve({ status: outcome, eui, generation: keys.generation ?? 0, receipt })
            } else resolve({ status: "refused", reason: outcome })
        })
        if (outcomes.includes("stored")) this.onStored()
    }

    /** Commits what this turn of the event loop brings. */
    private commitSoon(): void {
        const { clock } = this
        if (clock.setImmediate) clock.setImmediate(() => this.commit())
        else clock.setTimeout(() => this.commit(), 0)
    }

    /** Does all checks that need no store. */
    private check(purpose: Purpose, bytes: Uint8Array, sender: Sender): Refusal | Omit<Waiting, "resolve"> {
        if (bytes.length > maxEnvelopeBytes) return "tooLarge"
        let envelope: Envelope
        try {
            envelope = parseEnvelope(bytes)
        } catch (error) {
            if (error instanceof FormatError) return "unknownFormat"
            if (error instanceof WireError) return "malformed"
            throw error
        }
        const name = eui(envelope.kid)
        if (sender.eui !== undefined && sender.eui !== name) return "unknownKid"
        const known = this.keyring.findAll(name)
        if (known.length === 0) return this.keyring.ask(name, sender.address)
        const keys = known.find(({ upMac }) => verifyEnvelope(envelope, purpose, upMac))
        if (!keys) return "badMac"
        // A receipt sets the mote's clock, so the time must be known.
        if (this.waiting.length >= maxWaiting || this.time.now() === undefined) return "busy"
        return { purpose, envelope, keys, eui: name, receivedAt: this.clock.now() }
    }

    private queue(entry: Omit<Waiting, "resolve">): Promise<IngestResult> {
        if (this.waiting.length === 0 && !this.isCommitting) this.commitSoon()
        return new Promise(resolve => this.waiting.push({ ...entry, resolve }))
    }

    private admit(entry: Waiting, batch: Batch): Outcome {
        const { kid, bytes } = entry.envelope
        const verdict = this.replays.judge(entry)
        if (verdict === "undecided") return "busy"
        if (verdict !== "fresh" && verdict !== "contested") return verdict
        if (this.isFull(entry, batch.bytes + bytes.length)) return "busy"
        if (verdict === "contested") {
            this.counts.contested++
            this.contested.count(entry.eui)
        }
        const { purpose, receivedAt, keys } = entry
        batch.accepted.push({ kid, purpose, receivedAt, envelope: bytes, generation: keys.generation ?? 0 })
        batch.bytes += bytes.length
        const { seen, forgotten, undo } = this.replays.record(entry)
        batch.undo.push(undo)
        if (seen) batch.seen.set(seen.start, seen)
        if (forgotten) batch.forgotten.push(forgotten)
        return "stored"
    }

    /**
     * Tells whether the envelope exceeds a quota. A mote cannot use up that of the others, nor readings that of alarms.
     */
    private isFull({ purpose, envelope, eui }: Waiting, moreBytes: number): boolean {
        const { outboxBytes } = this.store
        const part = purpose === "alarm" ? 1 + alarmShare : 1
        const isFull =
            outboxBytes + moreBytes > this.maxOutboxBytes * part ||
            this.isShareUsed(envelope.kid, envelope.bytes.length, part)
        if (isFull) this.outboxFull.count(purpose)
        if (isFull) return true
        const { length } = envelope.bytes
        const isOver =
            this.store.outboxBytesOf(envelope.kid) + length > this.maxMoteBytes ||
            !this.budgets[purpose].take(eui, length)
        if (isOver) this.overQuota.count(eui)
        return isOver
    }
}

type StoredListener = (purpose: Purpose, eui: string, envelope: Uint8Array) => void

/** The source of the time in receipts. */
export interface ReceiptTime {
    /** Unix time in milliseconds, or undefined if it is not known well enough to set a mote's clock. */
    now(): number | undefined
}
