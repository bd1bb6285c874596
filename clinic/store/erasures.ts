import { sql, type Selectable } from "kysely"
import type { Access } from "./access.ts"
import type { Schema, TableName } from "./schema.ts"

export type StoredErasure = Selectable<Schema["erasure"]>

/** What a patient has by few rows, all of which go at once. */
const small = ["note", "bedside", "saturation_scale", "current", "association"] as const satisfies TableName[]

/** Who was erased, or is to be; and what is removed of a patient for that, in pieces. */
export class ErasureTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async get(patient: number): Promise<StoredErasure | undefined> {
        return await this.access.db.selectFrom("erasure").selectAll().where("patient", "=", patient).executeTakeFirst()
    }

    /** The newest request first. */
    async all(): Promise<StoredErasure[]> {
        return await this.access.db.selectFrom("erasure").selectAll().orderBy("asked_at", "desc").execute()
    }

    /** Confirmed, and not finished. */
    async pending(): Promise<StoredErasure[]> {
        return await this.access.db
            .selectFrom("erasure")
            .selectAll()
            .where("confirmed_at", "is not", null)
            .where("finished_at", "is", null)
            .execute()
    }

    async ask(o: { patient: number; reason: string; by: string; at: number }): Promise<void> {
        await this.access.db
            .insertInto("erasure")
            .values({ patient: o.patient, reason: o.reason, asked_by: o.by, asked_at: o.at })
            .execute()
        this.access.changed("erasure", o.patient)
    }

    async withdraw(patient: number): Promise<void> {
        await this.access.db.deleteFrom("erasure").where("patient", "=", patient).execute()
        this.access.changed("erasure", patient)
    }

    async confirm(patient: number, o: { by: string; at: number }): Promise<void> {
        await this.access.db
            .updateTable("erasure")
            .set({ confirmed_by: o.by, confirmed_at: o.at })
            .where("patient", "=", patient)
            .execute()
        this.access.changed("erasure", patient)
    }

    async finish(patient: number, at: number): Promise<void> {
        await this.access.db.updateTable("erasure").set({ finished_at: at }).where("patient", "=", patient).execute()
    }

    async count(patient: number, { readings, envelopes }: { readings: number; envelopes: number }): Promise<void> {
        await this.access.db
            .updateTable("erasure")
            .set({ readings: sql`readings + ${readings}`, envelopes: sql`envelopes + ${envelopes}` })
            .where("patient", "=", patient)
            .execute()
    }

    /** Name, birth date, number, place: the row that other rows refer to stays, without any of them. */
    async forget(patient: number, at: number): Promise<void> {
        await this.access.db
            .updateTable("patient")
            .set({
                ...{ active: 0, given: "", family: "", birth_date: null, gender: null, identifier: null },
                ...{ bed: null, ward: null, updated_at: at },
            })
            .where("id", "=", patient)
            .execute()
        await this.access.db.updateTable("break_glass").set({ reason: "" }).where("patient", "=", patient).execute()
        this.access.changed("patient")
    }

    /** The accounts that are this patient's own. */
    async accountsOf(patient: number): Promise<number[]> {
        const rows = await this.access.db.selectFrom("account").select("id").where("patient", "=", patient).execute()
        return rows.map(({ id }) => id)
    }

    /** Some readings of the patient, whatever is wrong with them, with their envelopes. Returns how many of both; none: all are gone. */
    async removeReadings(of: { patient: number; name: string }, limit: number) {
        const rows = await this.access.db
            .selectFrom("measurement")
            .select(["id", "envelope"])
            .where("patient", "=", of.patient)
            .where("name", "=", of.name)
            .where("problem", "is", null)
            .orderBy("time")
            .limit(limit)
            .execute()
        if (rows.length === 0) return { readings: 0, envelopes: 0 }
        const envelopes = [...new Set(rows.map(({ envelope }) => envelope))]
        const ids = rows.map(({ id }) => id)
        await this.access.db.deleteFrom("measurement").where("id", "in", ids).execute()
        return { readings: rows.length, envelopes: await this.removeEnvelopes(envelopes) }
    }

    /** With what was wrong in them. */
    async removeEnvelopes(ids: readonly number[]): Promise<number> {
        if (ids.length === 0) return 0
        await this.access.db
            .deleteFrom("measurement")
            .where("envelope", "in", ids)
            .where("problem", "is not", null)
            .execute()
        const { numDeletedRows } = await this.access.db.deleteFrom("envelope").where("id", "in", ids).executeTakeFirst()
        this.access.changed("envelope")
        return Number(numDeletedRows)
    }

    /** Some of the patient's alarms, with their histories and what people were told. Returns how many. */
    async removeAlarms(patient: number, limit: number): Promise<number> {
        const rows = await this.access.db
            .selectFrom("alarm")
            .select("id")
            .where("patient", "=", patient)
            .orderBy("id")
            .limit(limit)
            .execute()
        const ids = rows.map(({ id }) => id)
        if (ids.length === 0) return 0
        for (const table of ["delivery", "alarm_entry"] as const)
            await this.access.db.deleteFrom(table).where("alarm", "in", ids).execute()
        await this.access.db.deleteFrom("alarm").where("id", "in", ids).execute()
        this.access.changed("alarm", ...ids)
        return ids.length
    }

    /** Means, notes, what nurses entered, and who wore what: what a mote still brings of that time is nobody's. */
    async removeRest(patient: number): Promise<void> {
        await this.access.db.deleteFrom("mean").where("patient", "=", patient).execute()
        for (const table of small) {
            await this.access.db.deleteFrom(table).where("patient", "=", patient).execute()
            this.access.changed(table)
        }
    }
}
