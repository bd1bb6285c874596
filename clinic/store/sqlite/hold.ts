import Database from "libsql"
import { sql } from "kysely"
import { UserError } from "../../../host/errors.ts"
import { closeSqlite, lockSqlite } from "../../../host/sqlite.ts"
import type { Store } from "../store.ts"
import { databaseFormat } from "./open.ts"

/** Pages in the write-ahead log at which SQLite copies them into the file by itself. */
const usualCheckpoint = 1000

/** A database whose file does not change until it is released. */
export interface HeldFile {
    release(): Promise<void>
}

/**
 * Holds the file of an open store still, so that a copy of it is the database of this moment. What is written meanwhile is in
 * the write-ahead log, which grows. The copy must be opened with an empty log (`examine` in clinic/backup).
 */
export async function holdFile({ db }: Store): Promise<HeldFile> {
    await sql`PRAGMA wal_autocheckpoint = 0`.execute(db)
    const release = async () => void (await sql.raw(`PRAGMA wal_autocheckpoint = ${usualCheckpoint}`).execute(db))
    const { rows } = await sql<{ busy: number; log: number }>`PRAGMA wal_checkpoint(TRUNCATE)`.execute(db)
    const [{ busy, log } = { busy: 1, log: 0 }] = rows
    if (busy === 0 && log === 0) return { release }
    await release()
    throw new UserError("the database cannot be copied now: its disk is full or broken")
}

/** The same for a database that nobody has open, and nobody can open meanwhile. Throws UserError. */
export function holdClosedFile(file: string): HeldFile {
    const database: Database.Database = lockSqlite(file, databaseFormat)
    return { release: async () => closeSqlite(database) }
}
