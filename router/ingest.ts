import type { Clock } from "../host/clock.ts"
import type { Log } from "../host/log.ts"
import { WireError } from "../wire/cbor.ts"
import { maxEnvelopeBytes, parseEnvelope, verifyEnvelope, type Envelope, type Purpose } from "../wire/envelope.ts"
import { eui, type RouterKeys } from "../wire/keys.ts"
import { makeReceipt } from "../wire/receipt.ts"
import type { Keyring } from "./keyring.ts"
import { ReplayWindow } from "./replay.ts"
import type { Accepted, RouterStore, SeenStart } from "./store/store.ts"

/** Envelopes that may wait for one commit; more are told to come back. */
const maxWaiting = 4096
/** What the outbox, and what the clinic refused, may take by default: weeks of a ward's readings. */
export const defaultMaxOutboxBytes = 2 ** 30

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
    private readonly maxOutboxBytes: number
    private readonly log: Log
    private readonly onStored: () => void
    private readonly windows = new Map<string, ReplayWindow>()
    private waiting: Waiting[] = []
    private wasFull = false

    /** `onStored` is called after each commit that put something into the outbox. */
    constructor(o: {
        clock: Clock
        store: RouterStore
        keyring: Keyring
        maxOutboxBytes: number
        log: Log
        onStored: () => void
    }) {
        this.clock = o.clock
        this.store = o.store
        this.keyring = o.keyring
        this.maxOutboxBytes = o.maxOutboxBytes
        this.log = o.log
        this.onStored = o.onStored
    }

    /** Takes one envelope, where the sender is known only from that mote (its eui). Never rejects. */
    async submit(purpose: Purpose, bytes: Uint8Array, sender?: string): Promise<IngestResult> {
        const checked = this.check(purpose, bytes, sender)
        const result =
            typeof checked === "string" ? ({ status: "refused", reason: checked } as const) : await this.queue(checked)
        this.counts[result.status === "refused" ? result.reason : result.status]++
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
        const now = this.clock.now()
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
        if (this.waiting.length >= maxWaiting) return "busy"
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
        if (this.isFull(batch.bytes + bytes.length)) return "busy"
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

    /** What the clinic refused takes room too: it is kept until somebody looks into it. */
    private isFull(moreBytes: number): boolean {
        const { outboxBytes, refusedBytes } = this.store
        const isFull = outboxBytes + refusedBytes + moreBytes > this.maxOutboxBytes
        if (isFull && !this.wasFull)
            this.log.error({ outboxBytes, refusedBytes }, "the outbox is full: motes have to wait")
        this.wasFull = isFull
        return isFull
    }
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
