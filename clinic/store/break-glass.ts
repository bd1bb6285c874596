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

    /** Those of an account that are open at `now`. One that was made later is not: the clock was set back. */
    async open(account: number, now: number): Promise<StoredBreakGlass[]> {
        return await this.access.db
            .selectFrom("break_glass")
            .selectAll()
            .where("account", "=", account)
            .where("ends_at", ">", now)
            .where("made_at", "<=", now)
            .orderBy("id")
            .execute()
    }

    /** Those of an account with a patient end at `now`, where they have not yet. Returns how many. */
    async end(account: number, now: number, patient?: number): Promise<number> {
        const ended = await this.access.db
            .updateTable("break_glass")
            .set({ ends_at: now })
            .where("account", "=", account)
            .where("ends_at", ">", now)
            .$if(patient !== undefined, query => query.where("patient", "=", patient!))
            .returning("id")
            .execute()
        this.access.changed("break_glass")
        return ended.length
    }

    /** The newest first, older ones than `beforeId`. */
    async page(o: {
        beforeId?: number | undefined
        isUnreviewed: boolean
        limit: number
    }): Promise<StoredBreakGlass[]> {
        return await this.access.db
            .selectFrom("break_glass")
            .selectAll()
            .$if(o.beforeId !== undefined, query => query.where("id", "<", o.beforeId!))
            .$if(o.isUnreviewed, query => query.where("reviewed_at", "is", null))
            .orderBy("id", "desc")
            .limit(o.limit)
            .execute()
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
