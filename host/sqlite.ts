import { closeSync, fchmodSync, openSync } from "node:fs"
import Database from "libsql"
import { reasonOf, UserError } from "./errors.ts"

/** What a SQLite file of ours holds. */
export interface SqliteFormat {
    /** As people call it: "the router's store". */
    name: string
    /** Says in the file whose it is. */
    applicationId: number
    /** One script a version. One that was released is never changed; a file is brought forward by those it has not seen. */
    migrations: readonly string[]
}

/** Checking a larger file would hold up the start for more than about a second. */
const checkedBytes = 256 * 2 ** 20

/**
 * Opens `file`, made where it does not exist and readable to its owner only, or ":memory:". A commit survives `kill -9`
 * and power loss: WAL with synchronous=FULL. Until `closeSqlite` no other process gets in. Throws UserError where the
 * file cannot be used, is damaged, of another program or of a newer version, or in use.
 */
export function openSqlite(file: string, format: SqliteFormat): Database.Database {
    let db: Database.Database | undefined
    try {
        if (file !== ":memory:") makePrivate(file)
        db = new Database(file)
        db.exec("PRAGMA locking_mode = EXCLUSIVE")
        const version = check(db, format)
        db.exec("PRAGMA journal_mode = WAL")
        db.exec("PRAGMA synchronous = FULL")
        db.exec("PRAGMA foreign_keys = ON")
        migrate(db, format, version)
        return db
    } catch (error) {
        if (db) release(db)
        throw new UserError(`cannot use ${format.name} ${file}: ${sqliteReason(error)}`)
    }
}

/**
 * Closes, and folds the log into the one file. libsql keeps the file open while a prepared statement lives: leaving
 * write-ahead mode first gives the lock back all the same.
 */
export function closeSqlite(db: Database.Database): void {
    try {
        db.exec("PRAGMA journal_mode = DELETE")
    } catch {
        // The folder is gone or the disk broken. Every commit was on disk already, or is lost anyway.
    }
    release(db)
}

function release(db: Database.Database): void {
    try {
        db.exec("PRAGMA locking_mode = NORMAL")
        db.exec("SELECT 1 FROM sqlite_schema") // only then the lock goes
    } catch {
        // It cannot be used, so nobody waits for it.
    }
    db.close()
}

/** All rows, bytes in them as Uint8Array. Parameters go in one array: libsql takes a lone object for named ones. */
export function all<Row>(statement: Database.Statement, parameters: unknown[] = []): Row[] {
    const rows = statement.all(parameters) as Record<string, unknown>[]
    for (const row of rows)
        for (const column in row) {
            const value = row[column]
            if (value instanceof ArrayBuffer) row[column] = new Uint8Array(value)
        }
    return rows as Row[]
}

/** SQLite gives its log the same mode as its file. */
function makePrivate(file: string): void {
    const fd = openSync(file, "a", 0o600)
    fchmodSync(fd, 0o600)
    closeSync(fd)
}

/** The version of the database, 0 for a new one; throws where it is not ours to use. */
function check(db: Database.Database, { applicationId, migrations }: SqliteFormat): number {
    const pragma = (name: string) => all<Record<string, unknown>>(db.prepare(`PRAGMA ${name}`))[0]?.[name]
    if (all(db.prepare("SELECT 1 FROM sqlite_schema LIMIT 1")).length === 0) return 0
    if (pragma("application_id") !== applicationId) throw new Error("it belongs to another program")
    const version = pragma("user_version") as number
    if (version > migrations.length) throw new Error("a newer version of VitalMote wrote it")
    const bytes = (pragma("page_count") as number) * (pragma("page_size") as number)
    if (bytes <= checkedBytes && pragma("quick_check") !== "ok")
        throw new Error("it is damaged: restore it from a copy")
    return version
}

function migrate(db: Database.Database, format: SqliteFormat, version: number): void {
    const { applicationId, migrations } = format
    if (version === migrations.length) return
    db.exec(
        `BEGIN;
         ${migrations.slice(version).join("\n")}
         PRAGMA application_id = ${applicationId};
         PRAGMA user_version = ${migrations.length};
         COMMIT`,
    )
}

function sqliteReason(error: unknown): string {
    switch ((error as { code?: string }).code) {
        case "SQLITE_NOTADB":
        case "SQLITE_CORRUPT":
            return "it is damaged or no database: restore it from a copy"
        case "SQLITE_BUSY":
            return "another process uses it"
        case "SQLITE_READONLY":
            return "no permission"
        case "SQLITE_FULL":
            return "the disk is full"
    }
    return reasonOf(error)
}
