import { sql } from "kysely"
import type { Store } from "../store.ts"

/**
 * Leaves out so many ids of every table, and so many versions of what motes are told: a restored clinic must not give out again what
 * it had given out after its backup, to somebody else.
 */
export async function skipIds({ db }: Store, ids: number, versions: number): Promise<void> {
    await sql`
        INSERT INTO sqlite_sequence (name, seq)
            SELECT name, 0 FROM sqlite_schema
            WHERE sql LIKE '%AUTOINCREMENT%' AND name NOT IN (SELECT name FROM sqlite_sequence)`.execute(db)
    await sql`UPDATE sqlite_sequence SET seq = seq + ${ids}`.execute(db)
    await sql`
        UPDATE mote SET least_version = ${versions} + MAX(
            least_version,
            COALESCE((SELECT MAX(version) FROM configuration WHERE configuration.mote = mote.id), 0),
            COALESCE((SELECT MAX(version) FROM command WHERE command.mote = mote.id), 0),
            COALESCE((SELECT version FROM config_report WHERE config_report.mote = mote.id), 0)
        )`.execute(db)
}
