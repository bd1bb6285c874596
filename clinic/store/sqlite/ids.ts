import { sql } from "kysely"
import type { Ids } from "../store.ts"

/** Of AUTOINCREMENT. */
export const sqliteIds: Ids = {
    last: async (db, table) => {
        const { rows } = await sql<{ seq: number }>`SELECT seq FROM sqlite_sequence WHERE name = ${table}`.execute(db)
        return rows[0]?.seq ?? 0
    },
    continue: async (db, table, last) => {
        await sql`DELETE FROM sqlite_sequence WHERE name = ${table}`.execute(db)
        await sql`INSERT INTO sqlite_sequence (name, seq) VALUES (${table}, ${last})`.execute(db)
    },
}
