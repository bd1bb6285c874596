import type { Selectable } from "kysely"
import type { Access } from "./access.ts"
import type { Schema } from "./schema.ts"
import { isSeen, type Seen } from "./seen.ts"

export type StoredPatient = Selectable<Schema["patient"]>
export type PatientColumns = Omit<StoredPatient, "id" | "active" | "updated_at">

export class PatientTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(data: PatientColumns, updatedAt: number): Promise<StoredPatient> {
        const added = await this.access.db
            .insertInto("patient")
            .values({ ...data, active: 1, updated_at: updatedAt })
            .returningAll()
            .executeTakeFirstOrThrow()
        this.access.changed("patient")
        return added
    }

    async update(
        id: number,
        data: Partial<PatientColumns & { active: number }>,
        updatedAt: number,
    ): Promise<StoredPatient | undefined> {
        const updated = await this.access.db
            .updateTable("patient")
            .set({ ...data, updated_at: updatedAt })
            .where("id", "=", id)
            .returningAll()
            .executeTakeFirst()
        this.access.changed("patient")
        return updated
    }

    async get(id: number): Promise<StoredPatient | undefined> {
        return await this.access.db.selectFrom("patient").selectAll().where("id", "=", id).executeTakeFirst()
    }

    /** In the order of their ids, from the one after `after`; `of` names the only ones that count. Without those who were erased. */
    async page(after: number, limit: number, of: "all" | readonly number[] = "all"): Promise<StoredPatient[]> {
        if (of.length === 0) return []
        return await this.access.db
            .selectFrom("patient")
            .selectAll()
            .where("id", ">", after)
            .where("family", "<>", "")
            .$if(of !== "all", query => query.where("id", "in", of as readonly number[]))
            .orderBy("id")
            .limit(limit)
            .execute()
    }

    /** Everybody who is or was on a ward, or anywhere, of those who are seen. */
    async ofWard(ward: string | undefined, seen: Seen): Promise<number[]> {
        const rows = await this.access.db
            .selectFrom("patient")
            .select("id")
            .where(isSeen("patient.id", seen))
            .$if(ward !== undefined, query => query.where("ward", "=", ward!))
            .orderBy("id")
            .execute()
        return rows.map(({ id }) => id)
    }

    /** Who is on one of these wards now. */
    async onWards(wards: readonly string[]): Promise<number[]> {
        if (wards.length === 0) return []
        const rows = await this.access.db
            .selectFrom("patient")
            .select("id")
            .where("active", "=", 1)
            .where("ward", "in", wards)
            .execute()
        return rows.map(({ id }) => id)
    }

    /** Those of these patients who are known, discharged or not, by bed and name. */
    async byIds(ids: readonly number[]): Promise<StoredPatient[]> {
        if (ids.length === 0) return []
        return await this.access.db
            .selectFrom("patient")
            .selectAll()
            .where("id", "in", ids)
            .orderBy("bed")
            .orderBy("family")
            .orderBy("given")
            .orderBy("id")
            .execute()
    }

    /** Those who are not discharged, by bed and name. */
    async active(): Promise<StoredPatient[]> {
        return await this.access.db
            .selectFrom("patient")
            .selectAll()
            .where("active", "=", 1)
            .orderBy("bed", order => order.asc().nullsFirst())
            .orderBy("family")
            .orderBy("given")
            .orderBy("id")
            .execute()
    }
}
