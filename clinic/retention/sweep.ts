import type { StoredAssociation } from "../store/associations.ts"
import { nobody } from "../store/measurements.ts"
import type { StoredPatient } from "../store/patients.ts"
import type { Store, Tables } from "../store/store.ts"
import { isVitalName, maxSpanMs, vitalNames } from "../../wire/tables/quantities.ts"
import { fold, hourMs, minuteMs } from "./fold.ts"
import { delayMs, type Periods } from "./periods.ts"
import type { RetentionRules } from "./rules.ts"

/** Rows of one transaction, for which everybody else waits. */
const pieceRows = 1000
const pieceEnvelopes = 500
const patientsAtOnce = 200
const dayMs = 86_400_000

export interface SweepOptions {
    store: Store
    rules: RetentionRules
    /** Between two pieces, so that envelopes are stored meanwhile; false: to be ended. */
    pause: () => Promise<boolean>
}

/** It was to be ended; whatever is left is removed by the next one. */
export class Ended extends Error {}

/**
 * One walk through everything: readings become means of minutes, these means of hours, and these go, each when its time is over; envelopes
 * go without a trace. Every piece is a transaction of its own, so that a walk may end at any time: what is stored is whole, and the
 * next walk begins anew.
 */
export class Sweep {
    private readonly o: SweepOptions

    constructor(o: SweepOptions) {
        this.o = o
    }

    /** @param at retention's time, unix ms. Throws Ended. */
    async run(at: number): Promise<void> {
        const { store, rules } = this.o
        const periodsOf = await rules.at(at)
        const held = await store.legalHold.held()
        // Somebody who was moved a moment ago may be on the wrong ward.
        const isLeft = ({ id, updated_at }: StoredPatient) => held.has(id) || updated_at > at - delayMs
        await this.ofPatient(nobody, periodsOf(null), at)
        for (let after = 0; ;) {
            const page = await store.patient.page(after, patientsAtOnce)
            for (const patient of page)
                if (!isLeft(patient)) await this.ofPatient(patient.id, periodsOf(patient.ward), at)
            if (page.length < patientsAtOnce) break
            after = page.at(-1)!.id
        }
        const daysOf = (patient: StoredPatient | undefined) =>
            patient && isLeft(patient) ? Infinity : (periodsOf(patient?.ward ?? null).envelopes ?? Infinity)
        for (const { id } of await store.mote.all()) await this.ofMote(id, daysOf, at)
    }

    private async ofPatient(patient: number, periods: Periods, at: number): Promise<void> {
        const { expiry } = this.o.store
        const edge = (days: number | null, step: number) =>
            days === null ? 0 : Math.max(0, at - days * dayMs - ((at - days * dayMs) % step))
        const before = {
            readings: edge(periods.readings, minuteMs),
            minutes: edge(periods.minutes, hourMs),
            hours: edge(periods.hours, hourMs),
        }
        if (before.readings === 0) return
        for (const name of await expiry.names(patient)) {
            const isKept = isVitalName(name) && patient !== nobody
            // A summary of minutes is as coarse as a mean of a minute, and as long kept.
            const short = { patient, name, before: before.readings, maxSpanMs: isKept ? minuteMs : maxSpanMs }
            await this.readings(short, isKept ? minuteMs : undefined)
            if (isKept && before.minutes > 0)
                await this.readings({ patient, name, before: before.minutes, maxSpanMs }, hourMs)
        }
        if (patient === nobody) return
        for (const name of vitalNames) {
            if (before.minutes > 0) await this.means({ patient, name, step: minuteMs, before: before.minutes }, hourMs)
            if (before.hours > 0) await this.means({ patient, name, step: hourMs, before: before.hours }, undefined)
        }
    }

    /** @param step of the means that they become; undefined: nothing */
    private async readings(
        of: { patient: number; name: string; before: number; maxSpanMs: number },
        step: number | undefined,
    ): Promise<void> {
        const { patient, name } = of
        if ((await this.o.store.expiry.readings(of, 1)).length === 0) return
        await this.pieces(patient, async t => {
            const some = await t.expiry.readings(of, pieceRows)
            const last = some.at(-1)
            if (!last) return false
            if (step !== undefined) await t.mean.join(fold({ patient, name, step }, some))
            await t.retention.count({ readings: await t.expiry.removeReadings(of, last) })
            return some.length === pieceRows
        })
    }

    /** @param step of those that they become; undefined: nothing */
    private async means(
        of: { patient: number; name: string; step: number; before: number },
        step: number | undefined,
    ): Promise<void> {
        const { patient, name } = of
        if ((await this.o.store.expiry.means(of, 1)).length === 0) return
        await this.pieces(patient, async t => {
            const some = await t.expiry.means(of, pieceRows)
            const last = some.at(-1)
            if (!last) return false
            if (step !== undefined) await t.mean.join(fold({ patient, name, step }, some))
            const removed = await t.expiry.removeMeans(of, last)
            await t.retention.count(of.step === minuteMs ? { minutes: removed } : { hours: removed })
            return some.length === pieceRows
        })
    }

    /** A mote's envelopes; each is kept as long as the ward of anybody says whose readings may be in it. */
    private async ofMote(
        mote: number,
        daysOf: (patient: StoredPatient | undefined) => number,
        at: number,
    ): Promise<void> {
        const { store, pause } = this.o
        const wearers = await store.association.ofMote(mote)
        const patients = await store.patient.byIds(wearers.map(({ patient }) => patient))
        const known = new Map(patients.map(patient => [patient.id, daysOf(patient)]))
        const general = daysOf(undefined)
        const before = at - Math.min(general, ...known.values()) * dayMs
        if (before < 0) return
        const days = (receivedAt: number) => {
            const worn = wearers.filter(wearing => mayHave(wearing, receivedAt))
            return worn.length === 0 ? general : Math.max(...worn.map(({ patient }) => known.get(patient) ?? Infinity))
        }
        for (let after = 0; ;) {
            const some = await store.expiry.envelopes({ mote, before, after }, pieceEnvelopes)
            const over = some.filter(({ receivedAt, storedAt }) => storedAt < at - days(receivedAt) * dayMs)
            if (over.length > 0) {
                await store.transaction(async t => {
                    const held = await t.legalHold.held()
                    if (wearers.some(({ patient }) => held.has(patient) && known.get(patient) !== Infinity)) return
                    await t.expiry.removeEnvelopes(over)
                    await t.retention.count({ envelopes: over.length })
                })
                if (!(await pause())) throw new Ended()
            }
            if (some.length < pieceEnvelopes) return
            after = some.at(-1)!.id
        }
    }

    /** @param patient of whom something is removed: unless a hold has begun meanwhile */
    private async pieces(patient: number, work: (t: Tables) => Promise<boolean>): Promise<void> {
        for (;;) {
            const isMore = await this.o.store.transaction(async t => {
                if (await t.legalHold.isHeld(patient)) return false
                return await work(t)
            })
            if (!(await this.o.pause())) throw new Ended()
            if (!isMore) return
        }
    }
}

/** Whether something that was measured on that patient may be in an envelope that arrived then. */
function mayHave({ beginsAt, endsAt }: StoredAssociation, receivedAt: number): boolean {
    return beginsAt <= receivedAt && receivedAt - maxSpanMs <= (endsAt ?? Infinity)
}
