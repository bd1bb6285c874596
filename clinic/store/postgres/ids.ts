import { sql } from "kysely"
import type { Ids } from "../store.ts"

/** Of identity columns. */
export const postgresIds: Ids = {
    last: async (db, table) => {
        const { rows } = await sql<{ last: number | null }>`
            SELECT pg_sequence_last_value(pg_get_serial_sequence(quote_ident(${table}::text), 'id')::regclass) AS last
        `.execute(db)
        return rows[0]?.last ?? 0
    },
    continue: async (db, table, last) => {
        if (last === 0) return
        await sql`SELECT setval(pg_get_serial_sequence(quote_ident(${table}::text), 'id')::regclass, ${last}::bigint)`.execute(
            db,
        )
    },
}
