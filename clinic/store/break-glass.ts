import type { Selectable } from "kysely"
import type { Access } from "./access.ts"
import type { Schema } from "./schema.ts"

export type StoredBreakGlass = Selectable<Schema["break_glass"]>
type NewBreakGlass = Omit<StoredBreakGlass, "id" | "reviewed_at" | "reviewed_by">

/** Who opened a patient of another ward: rows stay, whatever becomes of the account. */
export class BreakGlassTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(row: NewBreakGlass): Promise<StoredBreakGlass> {
        const added = await this.access.db
            .insertInto("break_glass")
            .values(row)
            .returningAll()
            .executeTakeFirstOrThrow()
        this.access.changed("break_glass")
        return added
    }

    /**
     * Those of an account that are open at `now`. One that was made later is not: the clock was set back. Nor is one of a patient who
     * was discharged.
     */
    async open(account: number, now: number): Promise<StoredBreakGlass[]> {
        return await this.access.db
            .selectFrom("break_glass")
            .innerJoin("patient", "patient.id", "break_glass.patient")
            .selectAll("break_glass")
            .where("account", "=", account)
            .where("ends_at", ">", now)
            .where("made_at", "<=", now)
            .where("patient.active", "=", 1)
            .orderBy("break_glass.id")
            .execute()
    }

    /** Those of an account end at `now`, where they have not yet: all, one, or those with a patient. */
    async end(account: number, now: number, which: { id?: number; patient?: number } = {}): Promise<void> {
        const { id, patient } = which
        await this.access.db
            .updateTable("break_glass")
            .set({ ends_at: now })
            .where("account", "=", account)
            .where("ends_at", ">", now)
            .$if(id !== undefined, query => query.where("id", "=", id!))
            .$if(patient !== undefined, query => query.where("patient", "=", patient!))
            .execute()
        this.access.changed("break_glass")
    }

    /** The newest first, older ones than `beforeId`: reviewed or not. */
    async page(o: { isReviewed: boolean; beforeId?: number | undefined; limit: number }): Promise<StoredBreakGlass[]> {
        return await this.access.db
            .selectFrom("break_glass")
            .selectAll()
            .where("reviewed_at", o.isReviewed ? "is not" : "is", null)
            .$if(o.beforeId !== undefined, query => query.where("id", "<", o.beforeId!))
            .orderBy("id", "desc")
            .limit(o.limit)
            .execute()
    }

    /** How many nobody has reviewed. */
    async unreviewed(): Promise<number> {
        const { count } = await this.access.db
            .selectFrom("break_glass")
            .select(({ fn }) => fn.countAll<number>().as("count"))
            .where("reviewed_at", "is", null)
            .executeTakeFirstOrThrow()
        return Number(count)
    }

    async get(id: number): Promise<StoredBreakGlass | undefined> {
        return await this.access.db.selectFrom("break_glass").selectAll().where("id", "=", id).executeTakeFirst()
    }

    /** The first review stays. */
    async review(id: number, by: string, at: number): Promise<void> {
        await this.access.db
            .updateTable("break_glass")
            .set({ reviewed_at: at, reviewed_by: by })
            .where("id", "=", id)
            .where("reviewed_at", "is", null)
            .execute()
        this.access.changed("break_glass")
    }
}
