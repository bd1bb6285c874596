import type { Audit } from "../audit/audit.ts"
import { ProblemError } from "../errors.ts"
import type { Accounts } from "../people/accounts.ts"
import type { StoredErasure } from "../store/erasures.ts"
import type { Store, Tables } from "../store/store.ts"

/** Rows of one transaction. */
const pieceRows = 500
const pieceAlarms = 100

export interface ErasuresOptions {
    store: Store
    accounts: Accounts
    audit: Audit
    now: () => number
}

/**
 * Patients who are erased: one person asks, another one confirms. From the confirmation on nobody sees the patient; what there is of the
 * patient is removed in pieces by the process on duty, which goes on after a start.
 */
export class Erasures {
    private readonly o: ErasuresOptions

    constructor(o: ErasuresOptions) {
        this.o = o
    }

    async all(): Promise<StoredErasure[]> {
        return await this.o.store.erasure.all()
    }

    /** Throws ProblemError where there is no such patient, where the patient is on the ward, or a hold lasts. */
    async ask(patient: number, { reason, by }: { reason: string; by: string }): Promise<void> {
        await this.o.store.transaction(async t => {
            await refuse(patient, t)
            if (await t.erasure.get(patient)) throw new ProblemError("erasure-asked")
            await t.erasure.ask({ patient, reason, by, at: this.o.now() })
        })
    }

    /** Throws ProblemError where nobody has asked, or the clinic has begun. */
    async withdraw(patient: number): Promise<void> {
        await this.o.store.transaction(async t => {
            const asked = await t.erasure.get(patient)
            if (asked?.confirmed_at !== null) throw new ProblemError("not-found", { what: "erasure" })
            await t.erasure.withdraw(patient)
        })
    }

    /** From now on there is no such patient. Throws ProblemError, as above, and where the same person had asked. */
    async confirm(patient: number, by: string): Promise<void> {
        await this.o.store.transaction(async t => {
            const asked = await t.erasure.get(patient)
            if (asked?.confirmed_at !== null) throw new ProblemError("not-found", { what: "erasure" })
            if (asked.asked_by === by) throw new ProblemError("two-people")
            await refuse(patient, t)
            await this.begin(patient, by, t)
        })
    }

    /** A restored clinic knows patients again who were erased after its backup: these of the list are erased once more. Returns them. */
    async repeat(patients: readonly number[], by: string): Promise<number[]> {
        return await this.o.store.transaction(async t => {
            const again: number[] = []
            for (const patient of new Set(patients)) {
                const asked = await t.erasure.get(patient)
                if (!(await t.patient.get(patient)) || (asked && asked.confirmed_at !== null)) continue
                for (const { id, beginsAt } of await t.association.open(patient))
                    await t.association.end(id, {
                        ...{ endsAt: Math.max(this.o.now(), beginsAt), endedBy: by, reason: "discharged" },
                    })
                if (!asked) await t.erasure.ask({ patient, reason: "restored", by, at: this.o.now() })
                await this.begin(patient, by, t)
                again.push(patient)
            }
            return again
        })
    }

    /**
     * Removes what is left of patients whose erasure was confirmed.
     * @param pause between two pieces; false: to be ended
     */
    async work(pause: () => Promise<boolean>): Promise<void> {
        const { store, audit, now } = this.o
        for (const { patient } of await store.erasure.pending()) {
            if (!(await this.remove(patient, pause))) return
            await store.transaction(async t => {
                await t.erasure.removeRest(patient)
                await t.erasure.finish(patient, now())
            })
            const { readings, envelopes } = (await store.erasure.get(patient))!
            const event = audit.own("remove", { what: "patient", readings, envelopes })
            await audit.record([{ ...event, subject: "retention", patients: [patient] }])
        }
    }

    private async begin(patient: number, by: string, t: Tables): Promise<void> {
        const { accounts, now } = this.o
        for (const account of await t.erasure.accountsOf(patient)) await accounts.removeAccount(account, t)
        await t.erasure.forget(patient, now())
        await t.erasure.confirm(patient, { by, at: now() })
    }

    /** False where it was ended before all was removed. */
    private async remove(patient: number, pause: () => Promise<boolean>): Promise<boolean> {
        const { store } = this.o
        const pieces = async (work: (t: Tables) => Promise<boolean>) => {
            while (await store.transaction(work)) if (!(await pause())) return false
            return true
        }
        for (const { mote, beginsAt, endsAt } of await store.association.named({ patients: [patient] })) {
            let after = 0
            const isDone = await pieces(async t => {
                const some = await t.expiry.envelopes({ mote, before: Number.MAX_SAFE_INTEGER, after }, pieceRows)
                const own = some.filter(({ receivedAt: at }) => beginsAt <= at && at <= (endsAt ?? Infinity))
                const envelopes = await t.erasure.removeEnvelopes(own.map(({ id }) => id))
                await t.erasure.count(patient, { readings: 0, envelopes })
                after = some.at(-1)?.id ?? after
                return some.length === pieceRows
            })
            if (!isDone) return false
        }
        for (const name of await store.expiry.names(patient)) {
            const isDone = await pieces(async t => {
                const removed = await t.erasure.removeReadings({ patient, name }, pieceRows)
                await t.erasure.count(patient, removed)
                return removed.readings > 0
            })
            if (!isDone) return false
        }
        return await pieces(async t => (await t.erasure.removeAlarms(patient, pieceAlarms)) > 0)
    }
}

async function refuse(patient: number, t: Tables): Promise<void> {
    const found = await t.patient.get(patient)
    if (!found) throw new ProblemError("not-found", { what: "patient" })
    if (found.active === 1 || (await t.association.open(patient)).length > 0) throw new ProblemError("on-the-ward")
    if (await t.legalHold.isHeld(patient)) throw new ProblemError("held")
}
