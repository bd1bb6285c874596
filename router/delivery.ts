import { elapsedMs, type Clock, type Timer } from "../host/clock.ts"
import { LogSummary } from "../host/log-summary.ts"
import type { Log } from "../host/log.ts"
import { maxBatch, type DeliveryResult } from "../wire/batch.ts"
import { eui } from "../wire/keys.ts"
import type { ClinicLink } from "./clinic-link.ts"
import type { Replays } from "./replays.ts"
import type { OfMotes, Queued, RouterStore } from "./store/store.ts"

/** The delay of the first retry. It doubles with each further failure. A random part of up to half is subtracted. */
export const firstRetryMs = 1_000
/** The maximum delay of a retry. */
export const maxRetryMs = 60_000
/** The maximum size of the envelopes in a batch. It bounds how long a new alarm waits for a batch in progress. */
export const maxBatchBytes = 128 * 1024
/** The default limit for dead letters. Beyond it the oldest are dropped. */
const defaultMaxDeadLetterBytes = 64 * 2 ** 20
const droppedAtOnce = 16

/**
 * Delivers the outbox to the clinic, alarms first and motes in turn, one batch at a time. It retries until the clinic
 * has stored or refused each envelope; only then does an envelope leave the outbox.
 */
export class DeliveryLoop {
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array
    private readonly store: RouterStore
    private readonly replays: Replays
    private readonly clinic: ClinicLink
    private readonly maxDeadLetterBytes: number
    /** Of the clinic, if there are several. */
    private readonly name: string | undefined
    private readonly isOf: OfMotes | undefined
    private readonly log: Log
    private readonly refused: LogSummary
    private readonly dropped: LogSummary
    private readonly closing = new AbortController()
    private failures = 0
    private busy = false
    private retry: Timer
    /** Why the last batch was not delivered; undefined if it was. */
    reason: string | undefined
    /** When the next attempt begins, by `elapsedMs`. */
    retryAt: number | undefined
    /** When the oldest envelope of the batch under way was received, Unix time in milliseconds. */
    oldestReceivedAt: number | undefined

    constructor(o: {
        clock: Clock
        random: (bytes: number) => Uint8Array
        store: RouterStore
        replays: Replays
        clinic: ClinicLink
        maxDeadLetterBytes?: number
        /** The name of the clinic, and its motes, if there are several. */
        name?: string
        isOf?: OfMotes
        log: Log
    }) {
        this.clock = o.clock
        this.random = o.random
        this.store = o.store
        this.replays = o.replays
        this.clinic = o.clinic
        this.maxDeadLetterBytes = o.maxDeadLetterBytes ?? defaultMaxDeadLetterBytes
        this.name = o.name
        this.isOf = o.isOf
        this.log = o.log
        const { clock, log } = o
        this.refused = new LogSummary("the clinic refused envelopes: kept as dead letters", {
            clock,
            log,
            level: "warn",
        })
        this.dropped = new LogSummary("too many dead letters: dropping the oldest", { clock, log, level: "warn" })
    }

    /** Starts delivery if it is idle. Call this after adding to the outbox. */
    wake(): void {
        if (!this.busy && !this.closing.signal.aborted) void this.run()
    }

    get state(): "idle" | "delivering" | "retrying" {
        if (!this.busy) return "idle"
        return this.retryAt === undefined ? "delivering" : "retrying"
    }

    close(): void {
        this.closing.abort()
        this.clock.clearTimeout(this.retry)
    }

    private async run(): Promise<void> {
        this.busy = true
        this.retryAt = undefined
        try {
            for (;;) {
                const batch = this.store.next(maxBatch, maxBatchBytes, this.isOf)
                if (batch.length === 0) break
                const settled = await this.deliver(batch)
                if (this.closing.signal.aborted) return
                if (settled === 0) throw new Error("the clinic accepted nothing of a batch")
                this.failures = 0
                this.reason = undefined
            }
            this.busy = false
            this.oldestReceivedAt = undefined
        } catch (error) {
            if (!this.closing.signal.aborted) this.retryLater(error as Error)
        }
    }

    /** Delivers a batch and returns how many of its envelopes left the outbox. */
    private async deliver(batch: Queued[]): Promise<number> {
        this.oldestReceivedAt = Math.min(...batch.map(({ receivedAt }) => receivedAt))
        const results = await this.clinic.deliver(batch, this.closing.signal)
        if (this.closing.signal.aborted) return 0
        const safe: Queued[] = []
        const refused: { delivery: Queued; reason: string }[] = []
        const byId = onlyOnce(results)
        for (const delivery of batch) {
            const result = byId.get(delivery.id)
            if (result?.status === "refused") {
                const { reason = "no reason given" } = result
                this.refused.count(`${eui(delivery.kid)}: ${reason}`)
                refused.push({ delivery, reason })
            } else if (result) safe.push(delivery)
        }
        // A commit in progress may yet be undone.
        await this.store.appending?.catch(() => {})
        this.store.settle(safe, refused, () => this.replays.settled(safe, refused))
        if (refused.length > 0) this.trimDeadLetters()
        return safe.length + refused.length
    }

    private trimDeadLetters(): void {
        let dropped = 0
        while (this.store.refusedBytes > this.maxDeadLetterBytes) dropped += this.store.dropDeadLetters(droppedAtOnce)
        if (dropped > 0) this.dropped.count("dropped", dropped)
    }

    private retryLater(error: Error): void {
        const fullMs = Math.min(maxRetryMs, firstRetryMs * 2 ** this.failures++)
        const inMs = fullMs * (0.5 + this.random(1)[0]! / 512)
        const { message: reason } = error
        this.reason = reason
        this.retryAt = elapsedMs(this.clock) + inMs
        const waiting = this.store.outboxOf(this.isOf).rows
        const named = this.name === undefined ? {} : { clinic: this.name }
        this.log.warn({ ...named, reason, inMs, waiting }, "clinic not reached")
        this.retry = this.clock.setTimeout(() => void this.run(), inMs)
    }
}

/** Returns results by id. An id with two results is left out. */
function onlyOnce(results: DeliveryResult[]): Map<number, DeliveryResult> {
    const byId = new Map<number, DeliveryResult>()
    const twice = new Set<number>()
    for (const result of results) {
        if (byId.has(result.id)) twice.add(result.id)
        byId.set(result.id, result)
    }
    for (const id of twice) byId.delete(id)
    return byId
}
