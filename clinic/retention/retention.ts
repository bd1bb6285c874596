import { elapsedMs, type Clock, type Timer } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { Audit } from "../audit/audit.ts"
import type { RemovedCounts, StoredRetentionState } from "../store/retention.ts"
import type { Store } from "../store/store.ts"
import type { Erasures } from "./erasures.ts"
import type { RetentionRules } from "./rules.ts"
import { Ended, Sweep } from "./sweep.ts"
import { RetentionTime } from "./time.ts"

const beatMs = 60_000
/** From the end of a walk to the beginning of the next. */
const everyMs = 3_600_000
/** Of the time, retention has a fifth at most; a piece takes some milliseconds. */
const idleShare = 4
const leastPauseMs = 20

export interface RetentionOptions {
    store: Store
    rules: RetentionRules
    erasures: Erasures
    audit: Audit
    clock: Clock
    log: Log
}

/** Removes what is kept no longer, hour by hour, in the one process that is on duty. */
export class Retention {
    private readonly o: RetentionOptions
    private readonly time: RetentionTime
    /** By this process, since its start. */
    readonly removed: RemovedCounts = { envelopes: 0, readings: 0, minutes: 0, hours: 0 }
    private timer: Timer
    private working: Promise<void> = Promise.resolve()
    private walkedAt: number | undefined
    private isStopped = false

    constructor(o: RetentionOptions) {
        this.o = o
        this.time = new RetentionTime(
            () => Math.trunc(o.clock.now()),
            () => elapsedMs(o.clock),
        )
    }

    start(): void {
        const { clock } = this.o
        this.timer = clock.setTimeout(() => {
            this.working = this.beat().finally(() => {
                if (!this.isStopped) this.start()
            })
        }, beatMs)
    }

    /** Undefined before the first walk. */
    async state(): Promise<StoredRetentionState | undefined> {
        return await this.o.store.retention.state()
    }

    /** One walk through everything, now. */
    async walk(): Promise<void> {
        const { store, rules } = this.o
        const at = await store.transaction(async t => {
            const next = this.time.next((await t.retention.state())?.at)
            await t.retention.setTime(next)
            return next
        })
        await new Sweep({ store, rules, pause: this.pauses() }).run(at)
        await store.retention.finish(at)
        await this.report()
    }

    /** Removes what is left of patients who are to be erased, now. */
    async erase(): Promise<void> {
        await this.o.erasures.work(this.pauses())
    }

    async stop(): Promise<void> {
        this.isStopped = true
        this.o.clock.clearTimeout(this.timer)
        await this.working
    }

    /** After each piece, so long that others have most of the time; false where it was the last one. */
    private pauses(): () => Promise<boolean> {
        const { clock, store } = this.o
        let pieceAt = elapsedMs(clock)
        return async () => {
            const took = elapsedMs(clock) - pieceAt
            await new Promise<void>(resolve => {
                clock.setTimeout(() => resolve(), Math.max(leastPauseMs, took * idleShare))
            })
            pieceAt = elapsedMs(clock)
            return !this.isStopped && store.isOnDuty
        }
    }

    /** Never throws: what failed is tried again. */
    private async beat(): Promise<void> {
        const { store, clock, log } = this.o
        if (!store.isOnDuty) {
            this.time.restart()
            this.walkedAt = undefined
            return
        }
        await this.erase().catch((error: Error) => log.error({ reason: error.message }, "an erasure failed"))
        if (this.walkedAt !== undefined && elapsedMs(clock) - this.walkedAt < everyMs) return
        try {
            await this.walk()
            this.walkedAt = elapsedMs(clock)
        } catch (error) {
            if (!(error instanceof Ended)) log.error({ reason: (error as Error).message }, "retention failed")
        }
    }

    /** What a killed process has removed and not reported is in the next report. */
    private async report(): Promise<void> {
        const { store, audit, log } = this.o
        const { removed } = (await store.retention.state())!
        if (Object.values(removed).every(count => count === 0)) return
        log.info({ ...removed }, "retention has removed what is kept no longer")
        await audit.record([{ ...audit.own("remove", { ...removed }), subject: "retention" }])
        await store.retention.reported(removed)
        for (const kind of Object.keys(removed) as (keyof RemovedCounts)[]) this.removed[kind] += removed[kind]
    }
}
