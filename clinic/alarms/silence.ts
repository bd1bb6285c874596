import type { Log } from "../../host/log.ts"
import { defaultConfig } from "../../wire/tables/settings.ts"
import { silentMs, type Configurations } from "../motes/configurations.ts"
import { isWorn, type Mote, type Motes, type WornMote } from "../motes/motes.ts"
import { routerAsksMs, routerSilentMs, type Routers } from "../routers.ts"
import type { Store } from "../store/store.ts"
import { sourceOf, subjectOf, type Alarms } from "./alarms.ts"

const kind = "mote-silent"
/** No mote may be silent for less, whatever its settings; so that settings are looked up for few motes only. */
const leastMs = silentMs({ ...defaultConfig, sample: 2, report: 2 })

export interface SilenceOptions {
    store: Store
    alarms: Alarms
    motes: Motes
    routers: Routers
    configurations: Configurations
    /** Unix ms by the clinic's clock, for the times of alarms. */
    now: () => number
    /** Milliseconds that only go forward, for durations: a clock that somebody sets makes no mote silent. */
    elapsed: () => number
    log: Log
}

/**
 * Raises an alarm for a mote of which nothing has arrived for longer than its settings allow, and clears it when something does. What
 * counts is the arrival at the clinic. A mote that was never heard is not watched; a start of the clinic gives every mote its whole
 * time again, and keeps the alarms that are open.
 */
export class SilenceWatch {
    private readonly o: SilenceOptions
    /** By the mote's row, when something arrived last, by `elapsed`. */
    private readonly heardAt = new Map<number, number>()
    private readonly silent = new Set<number>()
    /** By the mote's row, the association that is watched. */
    private readonly associations = new Map<number, number>()
    /** By the mote's row, the router that brought its last envelope. */
    private readonly routerOf = new Map<number, number>()
    /** Of the newest envelope that was looked at; undefined before the first check. */
    private newest: number | undefined
    private checking: Promise<void> | undefined

    constructor(o: SilenceOptions) {
        this.o = o
    }

    /** How many motes are silent. */
    get count(): number {
        return this.silent.size
    }

    /** The next check begins anew, as after a start: another process has watched meanwhile. */
    restart(): void {
        this.newest = undefined
        this.silent.clear()
        for (const known of [this.heardAt, this.associations, this.routerOf]) known.clear()
    }

    /** To be called every second or two; never two at once, and never throws. */
    async check(): Promise<void> {
        this.checking ??= this.look().catch((error: Error) => {
            this.o.log.error({ reason: error.message }, "cannot look for silent motes")
        })
        await this.checking
        this.checking = undefined
    }

    private async look(): Promise<void> {
        const { elapsed, motes } = this.o
        const watched = (await motes.all()).filter(isWorn)
        if (this.newest === undefined) await this.begin(watched)
        const { newest, heard } = await this.o.store.envelope.motesSince(this.newest!)
        this.newest = newest
        for (const { mote, router } of heard) {
            this.heardAt.set(mote, elapsed())
            this.routerOf.set(mote, router)
        }
        const inUse = new Set(watched.map(({ id }) => id))
        for (const id of this.silent) if (!inUse.has(id)) this.silent.delete(id)
        for (const mote of watched) {
            this.follow(mote)
            const heardAt = this.heardAt.get(mote.id)
            if (heardAt === undefined) continue
            const routerMs = this.routerSilentMs(mote.id)
            // A router that goes is one thing to say, not one for each of its motes; their time begins when it is back.
            if (routerMs > routerSilentMs) this.heardAt.set(mote.id, elapsed())
            // Nobody knows yet whether it is the mote or its router.
            if (routerMs > routerAsksMs) continue
            const isSilent = await this.isSilent(mote, elapsed() - heardAt)
            if (isSilent !== this.silent.has(mote.id)) await this.change(mote, isSilent)
        }
    }

    private async begin(motes: WornMote[]): Promise<void> {
        const { store, elapsed } = this.o
        this.newest = await store.envelope.newestId()
        for (const { id, association } of motes) {
            this.associations.set(id, association)
            // One that was silent before stays so until it is heard.
            if ((await store.alarm.lasting(sourceOf(id, association), kind)).length > 0) this.silent.add(id)
            const newest = await store.start.newestEnvelope(id)
            if (newest === undefined) continue
            this.routerOf.set(id, (await store.envelope.routerOf(newest)) ?? 0)
            if (!this.silent.has(id)) this.heardAt.set(id, elapsed())
        }
    }

    /** Whoever is given a mote that was heard before is watched from then on; its silence in a drawer was no fault. */
    private follow({ id, association }: WornMote): void {
        if (this.associations.get(id) === association) return
        this.associations.set(id, association)
        this.silent.delete(id)
        if (this.heardAt.has(id)) this.heardAt.set(id, this.o.elapsed())
    }

    /** A router that was never heard of, as in a simulation, is not asked for keys. */
    private routerSilentMs(mote: number): number {
        const router = this.routerOf.get(mote)
        return router === undefined || router === 0 ? 0 : this.o.routers.silentMs(router)
    }

    private async isSilent(mote: Mote, ms: number): Promise<boolean> {
        if (ms <= leastMs) return false
        if (this.silent.has(mote.id)) return true
        const { settings } = await this.o.configurations.inForce(mote)
        return ms > silentMs(settings ?? defaultConfig)
    }

    private async change(mote: Mote, isSilent: boolean): Promise<void> {
        const { alarms, now, store } = this.o
        await store.transaction(async t => {
            if (isSilent) await alarms.raise(subjectOf(mote), kind, { time: now() }, t)
            else await alarms.clear(subjectOf(mote), kind, now(), t)
        })
        if (isSilent) this.silent.add(mote.id)
        else this.silent.delete(mote.id)
    }
}
