import type { AlarmKindName } from "../../wire/tables/alarm-kinds.ts"
import { isWorn, type Motes, type WornMote } from "../motes/motes.ts"
import type { Store } from "../store/store.ts"
import { sourceOf, subjectOf, type Alarms } from "./alarms.ts"

/** So many of a mote's last envelopes are looked at, and so many with a problem are too many. */
const lastEnvelopes = 10
const flawedEnvelopes = 3
/** What is missing may be on its way for so long. */
const missingMs = 10 * 60_000
/** Gaps that are older were told of, or are not worth it any more. */
const toldMs = 86_400_000
/** After so many envelopes without another gap, what is missing is not going to come. */
const completeEnvelopes = 100
const atOnce = 5000

const kinds = ["readings-flawed", "readings-missing"] as const satisfies AlarmKindName[]
type Kind = (typeof kinds)[number]

interface Missing {
    /** How many envelopes have arrived since the last gap, which opened at `openedAt`. */
    complete: number
    openedAt: number
    /** Gaps that opened before were told of. */
    after: number
}

export interface ArrivalOptions {
    store: Store
    alarms: Alarms
    motes: Motes
    /** Unix ms. */
    now: () => number
}

/**
 * Raises an alarm where the envelopes of a mote have problems, or are incomplete for long. Only what arrives ends one: everything is
 * counted in envelopes, so that a mote that falls silent keeps its alarms. After a restart of the clinic the counts begin anew.
 */
export class ArrivalWatch {
    private readonly o: ArrivalOptions
    /** Of the newest envelope that was looked at; undefined before the first check. */
    private newest: number | undefined
    private readonly raised = new Set<string>()
    /** By the mote's row, the association that is watched. */
    private readonly associations = new Map<number, number>()
    /** By the mote's row, whether its last envelopes had a problem. */
    private readonly flaws = new Map<number, boolean[]>()
    /** By the mote's row, what is counted while something is missing. */
    private readonly missing = new Map<number, Missing>()

    constructor(o: ArrivalOptions) {
        this.o = o
    }

    /** The next check begins anew, as after a start: another process has watched meanwhile. */
    restart(): void {
        this.newest = undefined
        this.raised.clear()
        for (const known of [this.associations, this.flaws, this.missing]) known.clear()
    }

    /** To be called every few seconds, never two at once. */
    async check(): Promise<void> {
        const motes = (await this.o.motes.all()).filter(isWorn)
        if (this.newest === undefined) await this.begin(motes)
        const heard = await this.read()
        const now = this.o.now()
        const gaps = new Map(
            (await this.o.store.gap.lasting(now - toldMs, now - missingMs)).map(gap => [gap.mote, gap]),
        )
        for (const mote of motes) {
            this.follow(mote)
            await this.followFlaws(mote)
            if (gaps.has(mote.id) || this.isRaised(mote, "readings-missing"))
                await this.followGaps(mote, gaps.get(mote.id), heard.has(mote.id))
        }
    }

    /** What is known of a mote while somebody else wore it says nothing about who wears it now. */
    private follow({ id, association }: WornMote): void {
        if (this.associations.get(id) === association) return
        if (this.associations.has(id)) {
            for (const kind of kinds) this.raised.delete(`${id} ${kind}`)
            this.flaws.delete(id)
            this.missing.delete(id)
        }
        this.associations.set(id, association)
    }

    private async begin(motes: readonly WornMote[]): Promise<void> {
        const { store } = this.o
        const newest = await store.envelope.newestId()
        for (const { id, association } of motes) {
            this.associations.set(id, association)
            for (const kind of kinds)
                if ((await store.alarm.lasting(sourceOf(id, association), kind)).length > 0)
                    this.raised.add(`${id} ${kind}`)
        }
        this.newest = newest
    }

    /** Takes what has arrived since; returns whose that was. */
    private async read(): Promise<Set<number>> {
        const heard = new Set<number>()
        for (let isMore = true; isMore;) {
            const rows = await this.o.store.envelope.since(this.newest!, atOnce)
            for (const { id, mote, isFlawed } of rows) {
                this.newest = id
                heard.add(mote)
                this.flaws.set(mote, [...(this.flaws.get(mote) ?? []), isFlawed].slice(-lastEnvelopes))
                const missing = this.missing.get(mote)
                if (missing) missing.complete++
            }
            isMore = rows.length === atOnce
        }
        return heard
    }

    private async followFlaws(mote: WornMote): Promise<void> {
        const kind = "readings-flawed"
        const flaws = this.flaws.get(mote.id) ?? []
        const count = flaws.filter(Boolean).length
        if (count >= flawedEnvelopes) await this.raise(mote, kind, null)
        else if (count === 0 && flaws.length === lastEnvelopes) await this.clear(mote, kind)
    }

    /** `gap`: what is missing for long, if anything is. */
    private async followGaps(
        mote: WornMote,
        gap: { missing: number; openedAt: number } | undefined,
        isHeard: boolean,
    ): Promise<void> {
        const kind = "readings-missing"
        const { store } = this.o
        if (!this.isRaised(mote, kind)) {
            const told = await store.alarm.newestRaised(sourceOf(mote.id, mote.association), kind)
            const after = told?.clearedAt ?? mote.wornSince - 1
            if (!gap || gap.openedAt <= after) return
            this.missing.set(mote.id, { complete: 0, openedAt: gap.openedAt, after })
            return await this.raise(mote, kind, gap.missing)
        }
        let known = this.missing.get(mote.id)
        if (!known || (gap && gap.openedAt > known.openedAt)) {
            known = { complete: 0, openedAt: gap?.openedAt ?? 0, after: known?.after ?? 0 }
            this.missing.set(mote.id, known)
        }
        if (!isHeard) return
        const isClosed = (await store.gap.missing(mote.id, known.after)) === 0
        if (isClosed || known.complete >= completeEnvelopes) await this.clear(mote, kind)
    }

    private isRaised({ id }: WornMote, kind: Kind): boolean {
        return this.raised.has(`${id} ${kind}`)
    }

    private async raise(mote: WornMote, kind: Kind, count: number | null): Promise<void> {
        if (this.isRaised(mote, kind)) return
        const { alarms, now, store } = this.o
        const what = { time: now(), value: count, unit: count === null ? null : "count" }
        await store.transaction(t => alarms.raise(subjectOf(mote), kind, what, t))
        this.raised.add(`${mote.id} ${kind}`)
    }

    private async clear(mote: WornMote, kind: Kind): Promise<void> {
        if (!this.isRaised(mote, kind)) return
        const { alarms, now, store } = this.o
        await store.transaction(t => alarms.clear(subjectOf(mote), kind, now(), t))
        this.raised.delete(`${mote.id} ${kind}`)
    }
}
