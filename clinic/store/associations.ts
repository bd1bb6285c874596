import { sql } from "kysely"
import { prepare, type Access } from "./access.ts"

/** Who wore a mote, and when: from `beginsAt` on, and before `endsAt`. Times are unix ms by the clinic's clock. */
export interface StoredAssociation {
    id: number
    mote: number
    patient: number
    beginsAt: number
    /** User name; null where the clinic did it. */
    begunBy: string | null
    /** Null while it lasts. */
    endsAt: number | null
    endedBy: string | null
    /** Why it ended, as in clinic/motes/associations.ts. */
    reason: string | null
}

/** With the mote's kid. */
export type NamedAssociation = StoredAssociation & { kid: Uint8Array }

const columns = [
    ...(["association.id", "association.mote", "association.patient", "association.begins_at as beginsAt"] as const),
    ...(["association.begun_by as begunBy", "association.ends_at as endsAt"] as const),
    ...(["association.ended_by as endedBy", "association.reason"] as const),
] as const

const ofMote = prepare<{ mote: number }, StoredAssociation>((db, { mote }) =>
    db.selectFrom("association").select(columns).where("mote", "=", mote).orderBy("id"),
)

/** The only table that says whose what a mote measured is. */
export class AssociationTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async begin(o: Pick<StoredAssociation, "mote" | "patient" | "beginsAt" | "begunBy">): Promise<StoredAssociation> {
        const { mote, patient, beginsAt, begunBy } = o
        const added = await this.access.db
            .insertInto("association")
            .values({ mote, patient, begins_at: beginsAt, begun_by: begunBy })
            .returning(columns)
            .executeTakeFirstOrThrow()
        this.access.changed("association", added.id)
        return added
    }

    async end(id: number, o: { endsAt: number; endedBy: string | null; reason: string }): Promise<void> {
        const { endsAt, endedBy, reason } = o
        await this.access.db
            .updateTable("association")
            .set({ ends_at: endsAt, ended_by: endedBy, reason })
            .where("id", "=", id)
            .execute()
        this.access.changed("association", id)
    }

    /** In the order in which they began. */
    async ofMote(mote: number): Promise<StoredAssociation[]> {
        return (await ofMote(this.access, { mote })).rows
    }

    /** In the order in which they began; of anybody, of a mote, or of some patients, behind `after`. */
    async named(o: {
        mote?: number
        patients?: readonly number[]
        ids?: readonly number[]
        after?: number
        limit?: number
    }): Promise<NamedAssociation[]> {
        return await this.access.db
            .selectFrom("association")
            .innerJoin("mote", "mote.id", "association.mote")
            .select([...columns, "mote.kid"])
            .$if(o.mote !== undefined, query => query.where("association.mote", "=", o.mote!))
            .$if(o.patients !== undefined, query => query.where("association.patient", "in", o.patients!))
            .$if(o.ids !== undefined, query => query.where("association.id", "in", o.ids!))
            .$if(o.after !== undefined, query => query.where("association.id", ">", o.after!))
            .orderBy("association.id")
            .$if(o.limit !== undefined, query => query.limit(o.limit!))
            .execute()
    }

    /** Those of a patient that last. */
    async open(patient: number): Promise<StoredAssociation[]> {
        return await this.access.db
            .selectFrom("association")
            .select(columns)
            .where("patient", "=", patient)
            .where("ends_at", "is", null)
            .execute()
    }

    /** By mote, the ward of the patient who wears it, or wore it last. */
    async wards(): Promise<Map<number, string | null>> {
        const rows = await this.access.db
            .selectFrom("association")
            .innerJoin("patient", "patient.id", "association.patient")
            .select(["association.mote", "patient.ward"])
            .where("association.id", "in", db =>
                db
                    .selectFrom("association")
                    .select(sql<number>`MAX(id)`.as("id"))
                    .groupBy("mote"),
            )
            .execute()
        return new Map(rows.map(({ mote, ward }) => [mote, ward]))
    }
}
