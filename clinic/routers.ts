import type { Store } from "./store/store.ts"

/** A router's clock may be off by so much, ms, the way of a delivery included, before anything is made of it. */
export const maxSkewMs = 5_000
/** A router asks for keys every 10 s, or a little later, ms. */
export const routerAsksMs = 15_000
/** After so long without a word, ms, it is silent, and with it its motes. */
export const routerSilentMs = 25_000
/** How often a router that says nothing new is noted; each time where other processes have to know. */
const noteMs = 60_000

/** A router as the clinic last heard it; times are unix ms by the clinic's clock. */
export interface RouterState {
    name: string
    heardAt: number
    /** For so long nothing has been heard of it, ms; of one that was not heard since the clinic started, since then. */
    silentMs: number
    /** What is added to the times it gives, ms: 0 where its clock is right, null where it does not say its time. */
    clockOffsetMs: number | null
    /** When it came with a new store: what it had receipted and not delivered by then is gone. Null: never. */
    storeLostAt: number | null
    /** How old the oldest envelope of its last delivery was, ms; null where it has delivered nothing since the clinic started. */
    lagMs: number | null
}

/** What a router says about itself with a request, by its own clock, unix ms. */
export interface RouterTimes {
    sentAt?: number | undefined
    storeSince?: number | undefined
}

interface Known {
    heardAt: number
    clockOffset: number | null
    lostAt: number | null
}

/** How the routers' clocks compare with the clinic's. */
export class Routers {
    private readonly store: Store
    private readonly known = new Map<number, Known>()
    private readonly elapsed: () => number
    private readonly startedAt: number
    /** By `elapsed`. */
    private readonly heardElapsed = new Map<number, number>()
    private readonly lags = new Map<number, number>()

    /** @param elapsed milliseconds that only go forward */
    constructor(store: Store, elapsed: () => number) {
        this.store = store
        this.elapsed = elapsed
        this.startedAt = elapsed()
        store.onChanged(changes => {
            for (const account of changes.get("router") ?? []) this.heardElsewhere(account)
        })
    }

    /** It may have talked to another process on the same database. */
    private heardElsewhere(account: number): void {
        this.heardElapsed.set(account, this.elapsed())
        this.known.delete(account)
    }

    /** For how long nothing has been heard of it, ms. */
    silentMs(account: number): number {
        return this.elapsed() - (this.heardElapsed.get(account) ?? this.startedAt)
    }

    /** Takes what a router said with a request that arrived at `now`; returns what is to be added to its times, ms. */
    async heard(account: number, { sentAt, storeSince }: RouterTimes, now: number): Promise<number> {
        this.heardElapsed.set(account, this.elapsed())
        const offset = sentAt === undefined ? null : now - sentAt
        const clockOffset = offset !== null && Math.abs(offset) <= maxSkewMs ? 0 : offset
        const before = this.known.get(account) ?? (await this.store.router.get(account))
        const isNewStore = storeSince !== undefined && before && storeSince + (clockOffset ?? 0) > before.heardAt
        const lostAt = isNewStore ? now : (before?.lostAt ?? null)
        const isNoted =
            before &&
            Math.abs((before.clockOffset ?? 0) - (clockOffset ?? 0)) <= maxSkewMs &&
            (before.clockOffset === null) === (clockOffset === null) &&
            before.lostAt === lostAt &&
            Math.abs(now - before.heardAt) < (this.store.process === 0 ? noteMs : 0)
        if (!isNoted) {
            const noted = { heardAt: now, clockOffset, lostAt }
            await this.store.router.put({ account, ...noted })
            this.known.set(account, noted)
        }
        return clockOffset ?? 0
    }

    /** It has delivered envelopes of which the oldest had waited so long, ms. */
    delivered(account: number, lagMs: number): void {
        this.lags.set(account, Math.max(0, lagMs))
    }

    async all(): Promise<RouterState[]> {
        return (await this.store.router.all()).map(({ account, name, heardAt, clockOffset, lostAt }) => ({
            ...{ name, heardAt, silentMs: this.silentMs(account), clockOffsetMs: clockOffset, storeLostAt: lostAt },
            lagMs: this.lags.get(account) ?? null,
        }))
    }
}
