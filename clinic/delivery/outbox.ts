import type { Clock, Timer } from "../../host/clock.ts"
import type { Log } from "../../host/log.ts"
import type { StoredDelivery } from "../store/deliveries.ts"
import type { Store, Tables } from "../store/store.ts"
import { isRole } from "../people/permissions.ts"
import { DeliveryError, type Channel } from "./channel.ts"
import type { Notice, Phase } from "./notice.ts"

/** A channel as the operator set it up. */
export interface Route {
    /** Stays the same over restarts: what waits in the outbox is found by it. */
    name: string
    channel: Channel
    /** Where the ward has not said otherwise, it is told only if nobody has acknowledged after so long; ms. */
    afterMs: number
}

export interface OutboxOptions {
    store: Store
    routes: readonly Route[]
    clock: Clock
    log: Log
    /** 16 random hex digits or so. */
    newId: () => string
    /** A receiver says that somebody has taken it on. */
    accepted: (alarm: number, by: string) => Promise<void>
    /** What is to be told now of that alarm; undefined where it is gone. */
    describe: (alarm: number, delivery: StoredDelivery) => Promise<Notice | undefined>
}

const attemptMs = 10_000
const firstRetryMs = 1000
const longestRetryMs = 300_000
/** After a day nobody wants to be told any more. */
const giveUpMs = 86_400_000
/** What begins again and again is told no more often. */
const repeatMs = 60_000

/**
 * What people are to be told beside the page. A notice is written in the transaction that changes its alarm, so a clinic that is killed in
 * between tells it after its next start. A channel is told one thing after the other, and never waits for another channel.
 */
export class Outbox {
    private readonly o: OutboxOptions
    private readonly running = new Map<string, Promise<void>>()
    private readonly failingSince = new Map<string, { since: number; failure: string }>()
    private timer: Timer
    private stopped = false
    private readonly ending = new AbortController()

    constructor(o: OutboxOptions) {
        this.o = o
        for (const { name, channel } of o.routes)
            if ("onAccepted" in channel)
                channel.onAccepted = (alarm, by) => o.accepted(alarm, by === "" ? name : `${by} (${name})`)
    }

    /**
     * An alarm is to be told there: that it began, or where that is known, that it still waits. One that comes and goes is told of
     * once a minute.
     */
    async tell(alarm: number, channels: readonly string[], now: number, t: Tables): Promise<void> {
        for (const channel of channels) {
            // A role is told on the page.
            if (isRole(channel)) continue
            if (!this.o.routes.some(({ name }) => name === channel)) {
                const failure = "no such channel"
                const entry = { alarm, at: now, change: "not-told", by: null, level: 0, value: null }
                await t.alarmEntry.add([{ ...entry, told: channel, failure }])
                continue
            }
            const last = await t.delivery.newest(alarm, channel)
            const isEnd = last?.phase === "end"
            if (last && isEnd && last.nextAt !== null)
                await t.delivery.save({ ...last, nextAt: null, failure: "again" })
            // It is to be told already, or nobody has heard yet that it was over.
            if (last && isWaiting(last)) continue
            const nextAt = last ? Math.max(now, last.madeAt + repeatMs) : now
            await this.add(alarm, channel, last && !isEnd ? "update" : "start", now, nextAt, t)
        }
    }

    /** Somebody sees to it: who was not told yet need not be. */
    async attended(alarm: number, t: Tables): Promise<void> {
        for (const waiting of await t.delivery.ofAlarm(alarm))
            if (isWaiting(waiting) && waiting.phase !== "end")
                await t.delivery.save({ ...waiting, nextAt: null, failure: "acknowledged" })
    }

    /** It is over: whoever was told that it began, or may have been, is told that as well. */
    async over(alarm: number, now: number, t: Tables): Promise<void> {
        const channels = new Set((await t.delivery.ofAlarm(alarm)).map(({ channel }) => channel))
        for (const channel of channels) {
            const last = await t.delivery.newest(alarm, channel)
            if (last && last.phase !== "end") await this.add(alarm, channel, "end", now, now, t)
        }
    }

    /** The channels that did not work at their last attempt, and since when. */
    failing(): { name: string; since: number; failure: string }[] {
        return [...this.failingSince].map(([name, failed]) => ({ name, ...failed }))
    }

    /** Tells what waits from the last start, and from now on what comes. A channel that had failed has not worked meanwhile. */
    async start(): Promise<void> {
        for (const { channel, ...failed } of await this.o.store.delivery.failing())
            if (this.o.routes.some(({ name }) => name === channel)) this.failingSince.set(channel, failed)
        this.o.store.onChanged(changes => {
            if (changes.has("delivery")) this.wake()
        })
        this.wake()
    }

    /** Lets go of attempts that are under way: they are made again after the next start. */
    async stop(): Promise<void> {
        this.stopped = true
        this.o.clock.clearTimeout(this.timer)
        this.ending.abort()
        await Promise.all(this.running.values())
    }

    private async add(
        alarm: number,
        channel: string,
        phase: Phase,
        madeAt: number,
        nextAt: number,
        t: Tables,
    ): Promise<void> {
        await t.delivery.add({ notice: this.o.newId(), channel, alarm, phase, madeAt, nextAt })
    }

    /** Tells what waits, where this process is the one that tells. */
    wake(): void {
        if (this.stopped || !this.o.store.isOnDuty) return
        for (const route of this.o.routes) {
            if (this.running.has(route.name)) continue
            const run = this.work(route)
                .catch((error: Error) =>
                    this.o.log.error({ channel: route.name, reason: error.message }, "cannot deliver"),
                )
                .finally(() => this.running.delete(route.name))
                .then(() => this.sleep())
            this.running.set(route.name, run)
        }
    }

    /** Until the next attempt is due. */
    private async sleep(): Promise<void> {
        const { clock, store } = this.o
        if (this.stopped) return
        const nextAt = await store.delivery.nextDue().catch(() => undefined)
        if (this.stopped || nextAt === undefined) return
        clock.clearTimeout(this.timer)
        // A channel that is gone from the configuration leaves what waits for it: at least a second between two looks.
        this.timer = clock.setTimeout(() => this.wake(), Math.max(1000, nextAt - clock.now()))
    }

    private async work(route: Route): Promise<void> {
        const { clock, store } = this.o
        while (!this.stopped && this.o.store.isOnDuty) {
            const due = await store.delivery.nextOf(route.name, Math.trunc(clock.now()))
            const begun = due && (await store.delivery.begin(due.id))
            if (begun) await this.attempt(route, begun)
            else if (!due) return
        }
    }

    private async attempt({ name, channel }: Route, delivery: StoredDelivery): Promise<void> {
        const { clock, describe, log, store } = this.o
        const { attempts } = delivery
        const notice = await describe(delivery.alarm, delivery)
        if (!notice) return await store.delivery.save({ ...delivery, nextAt: null, failure: "gone" })
        const signal = AbortSignal.any([AbortSignal.timeout(attemptMs), this.ending.signal])
        try {
            await channel.deliver(notice, signal)
            this.failingSince.delete(name)
            const deliveredAt = Math.trunc(clock.now())
            await this.note(name, delivery, deliveredAt, null)
            await store.delivery.save({ ...delivery, nextAt: null, deliveredAt, failure: null })
        } catch (error) {
            if (this.stopped) return
            if (!(error instanceof DeliveryError)) throw error
            const now = Math.trunc(clock.now())
            const failure = error.message
            if (!this.failingSince.has(name)) {
                this.failingSince.set(name, { since: now, failure })
                log.warn({ channel: name, failure }, "an alarm could not be delivered; it is tried again")
            }
            const waitMs = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempts - 1, 20))
            const nextAt = now - delivery.madeAt < giveUpMs ? now + waitMs : null
            await this.note(name, delivery, now, failure)
            await store.delivery.save({ ...delivery, nextAt, failure })
        }
    }

    /** For the history of the alarm, whose place another one may have taken meanwhile. */
    private async note(told: string, { id }: StoredDelivery, at: number, failure: string | null): Promise<void> {
        const { delivery, alarmEntry } = this.o.store
        const change = failure === null ? "told" : "not-told"
        const alarm = await delivery.alarmOf(id)
        await alarmEntry.add([{ alarm, at, change, by: null, level: 0, value: null, told, failure }])
    }
}

/** Not tried yet. */
function isWaiting({ attempts, nextAt }: StoredDelivery): boolean {
    return attempts === 0 && nextAt !== null
}
