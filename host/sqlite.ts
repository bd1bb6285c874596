import { closeSync, existsSync, fchmodSync, openSync, readSync } from "node:fs"
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

/** By database, for what its name is needed when it is closed. */
const files = new WeakMap<Database.Database, string>()

/**
 * Opens `file`, made where it does not exist and readable to its owner only, or ":memory:". A commit survives `kill -9`
 * and power loss: WAL with synchronous=FULL. Until `closeSqlite` no other process gets in. Throws UserError where the
 * file cannot be used, is damaged, of another program or of a newer version, in use, or without the log that belongs to it.
 */
export function openSqlite(file: string, format: SqliteFormat): Database.Database {
    let db: Database.Database | undefined
    try {
        if (file !== ":memory:") {
            checkLog(file)
            makePrivate(file)
        }
        db = new Database(file)
        if (file !== ":memory:") files.set(db, file)
        db.exec("PRAGMA locking_mode = EXCLUSIVE")
        const version = check(db, format)
        db.exec("PRAGMA synchronous = FULL")
        // Before the log begins: the file alone is never less than a database of ours.
        migrate(db, format, version)
        writeAhead(db)
        db.exec("PRAGMA foreign_keys = ON")
        return db
    } catch (error) {
        if (db) release(db)
        throw new UserError(`cannot use ${format.name} ${file}: ${sqliteReason(error)}`)
    }
}

/** A full disk has no room for the log: then what is stored can be read all the same, and commits fail by themselves. */
function writeAhead(db: Database.Database): void {
    try {
        db.exec("PRAGMA journal_mode = WAL")
    } catch (error) {
        if ((error as { code?: string }).code !== "SQLITE_FULL") throw error
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
    const file = files.get(db)
    // SQLite has removed a log that it has folded in: nothing is missing.
    if (file !== undefined && expectsLog(file)) makePrivate(`${file}-wal`)
}

/** Whether the file was last used with a log beside it, which is not there. File format, §1.3.3: 2 means WAL. */
function expectsLog(file: string): boolean {
    const versions = Buffer.alloc(2)
    try {
        const fd = openSync(file, "r")
        try {
            if (readSync(fd, versions, 0, 2, 18) < 2) return false
        } finally {
            closeSync(fd)
        }
    } catch {
        return false
    }
    return versions[1] === 2 && !existsSync(`${file}-wal`)
}

/** A file that was copied from a running program without its log lacks its newest commits, up to all of them. */
function checkLog(file: string): void {
    if (expectsLog(file))
        throw new Error(
            "the file with -wal at the end of its name is missing: restore it together with this one; " +
                "if it is lost with all that was in it, put an empty file in its place",
        )
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
        throw new Error("it is damaged: restore it from a backup")
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
            return "it is damaged or not a database: restore it from a backup"
        case "SQLITE_BUSY":
            return "another process uses it"
        case "SQLITE_READONLY":
            return "no permission"
        case "SQLITE_FULL":
            return "the disk is full"
    }
    return reasonOf(error)
}
