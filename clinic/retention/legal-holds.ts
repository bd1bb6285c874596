import { ProblemError } from "../errors.ts"
import type { StoredLegalHold } from "../store/legal-holds.ts"
import type { Store } from "../store/store.ts"

/** That nothing of a patient is removed, by retention or by erasure, until it is lifted: each reason by itself. */
export class LegalHolds {
    private readonly store: Store
    private readonly now: () => number

    constructor(store: Store, now: () => number) {
        this.store = store
        this.now = now
    }

    /** Throws ProblemError where there is no such patient. */
    async begin(patient: number, { reason, by }: { reason: string; by: string }): Promise<StoredLegalHold> {
        return await this.store.transaction(async t => {
            if (!(await t.patient.get(patient))) throw new ProblemError("not-found", { what: "patient" })
            return await t.legalHold.add({ patient, reason, author: by, madeAt: this.now() })
        })
    }

    /** False where that patient has no such hold that lasts. */
    async lift(id: number, patient: number, by: string): Promise<boolean> {
        return await this.store.transaction(t => t.legalHold.lift(id, patient, { at: this.now(), by }))
    }

    /** The newest first, those that last before those that were lifted. */
    async all(limit: number): Promise<StoredLegalHold[]> {
        return await this.store.legalHold.all(limit)
    }
}
