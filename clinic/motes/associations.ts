import type { Clock } from "../../host/clock.ts"
import { ProblemError } from "../errors.ts"
import type { AssociationEnd } from "./association-end.ts"
import type { NamedAssociation, StoredAssociation } from "../store/associations.ts"
import type { Store, Tables } from "../store/store.ts"

/** Who wore a mote, and when. */
export type Association = NamedAssociation

/**
 * Clocks that are off by 5 s are not corrected: what a mote measured so soon after the last patient might be that one's.
 * A mote belongs to nobody for so long.
 */
const leastGapMs = 10_000

/** The associations of motes with patients: every beginning and every end of one is made here. */
export class Associations {
    private readonly store: Store
    private readonly clock: Clock

    constructor(store: Store, clock: Clock) {
        this.store = store
        this.clock = clock
    }

    /**
     * From now on that patient wears the mote, which nobody may wear. Throws ProblemError where there is no such patient on the ward.
     * @param o.by who says so; null: the clinic
     * @param o.at when the mote was registered, for its first patient: not a millisecond before that is anybody else's
     */
    async begin(
        o: { mote: number; patient: number; by: string | null; at?: number },
        t: Tables,
    ): Promise<StoredAssociation> {
        const { mote, patient, by: begunBy } = o
        if ((await t.patient.get(patient))?.active !== 1) throw new ProblemError("not-on-the-ward")
        const endedAt = (await t.association.ofMote(mote)).at(-1)?.endsAt ?? -Infinity
        const beginsAt = Math.max(o.at ?? this.now(), endedAt + leastGapMs)
        return await t.association.begin({ mote, patient, beginsAt, begunBy })
    }

    /** From now on nobody wears that mote. */
    async end(
        association: { id: number; beginsAt: number },
        o: { reason: AssociationEnd; by: string | null },
        t: Tables,
    ): Promise<void> {
        const endsAt = Math.max(this.now(), association.beginsAt)
        await t.association.end(association.id, { endsAt, endedBy: o.by, reason: o.reason })
    }

    /** All of a mote, in the order in which they began. */
    async ofMote(mote: { id: number }): Promise<Association[]> {
        return await this.store.association.named({ mote: mote.id })
    }

    /** Those of some patients, of a mote, or with these ids, in the order in which they began, behind `after`. */
    async search(o: {
        patients?: readonly number[]
        mote?: number
        ids?: readonly number[]
        after?: number
        limit?: number
    }): Promise<Association[]> {
        if (o.patients?.length === 0 || o.ids?.length === 0) return []
        return await this.store.association.named(o)
    }

    private now(): number {
        return Math.trunc(this.clock.now())
    }
}
