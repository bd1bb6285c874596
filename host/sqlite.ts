import { closeSync, existsSync, fchmodSync, openSync, readSync, rmSync } from "node:fs"
import Database from "libsql"
import { reasonOf, UserError } from "./errors.ts"

/** The format of one of our SQLite files. */
export interface SqliteFormat {
    /** The name used in messages, such as "the router's store". */
    name: string
    /** SQLite's `application_id`, which identifies the program that owns the file. */
    applicationId: number
    /**
     * One SQL script per version. A released script never changes. Opening an older file runs those it has not had yet.
     */
    migrations: readonly string[]
}

/** Larger files are not checked at start: it would take more than about a second. */
const checkedBytes = 256 * 2 ** 20

/** The path of each open database. Closing it needs the path. */
const files = new WeakMap<Database.Database, string>()

/**
 * Opens `file` or ":memory:". A missing file is created, readable by its owner only. A commit survives `kill -9` and
 * power loss: WAL with synchronous=FULL. No other process can open the file until `closeSqlite`. Throws UserError if
 * the file cannot be used, is damaged, is in use, lacks its write-ahead log, or belongs to another program or a newer
 * version.
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
        // This precedes WAL mode, so that the file by itself is always a complete database.
        // A table that others refer to is made anew by dropping it: references hold again at the end of the script.
        db.exec("PRAGMA foreign_keys = OFF")
        migrate(db, format, version)
        // SQLite makes the log later than the file says that there is one: somebody killed in between would be refused.
        if (file !== ":memory:") {
            rmSync(mergedMark(file), { force: true })
            makePrivate(`${file}-wal`)
        }
        enableWal(db)
        db.exec("PRAGMA foreign_keys = ON")
        return db
    } catch (error) {
        if (db) release(db)
        throw new UserError(`cannot use ${format.name} ${file}: ${sqliteReason(error)}`)
    }
}

/**
 * Opens an existing database and keeps everybody else out, without changing what is in it. Until `closeSqlite` its file does not
 * change either. Throws UserError as `openSqlite` does, and where the file is missing.
 */
export function lockSqlite(file: string, format: SqliteFormat): Database.Database {
    let db: Database.Database | undefined
    try {
        checkLog(file)
        if (!existsSync(file)) throw new Error("no such file")
        db = new Database(file)
        files.set(db, file)
        db.exec("PRAGMA locking_mode = EXCLUSIVE")
        check(db, format)
        db.exec("BEGIN EXCLUSIVE; COMMIT; PRAGMA wal_checkpoint(TRUNCATE)")
        return db
    } catch (error) {
        if (db) release(db)
        throw new UserError(`cannot use ${format.name} ${file}: ${sqliteReason(error)}`)
    }
}

/** Turns on WAL. On a full disk this fails: the data can still be read, and commits report the full disk themselves. */
function enableWal(db: Database.Database): void {
    try {
        db.exec("PRAGMA journal_mode = WAL")
    } catch (error) {
        if ((error as { code?: string }).code !== "SQLITE_FULL") throw error
    }
}

/**
 * Closes the database and merges the write-ahead log into the file. libsql keeps the file open while a prepared
 * statement exists, so this leaves WAL mode first, which releases the lock.
 */
export function closeSqlite(db: Database.Database): void {
    const file = files.get(db)
    try {
        if (file !== undefined) makePrivate(mergedMark(file))
        db.exec("PRAGMA journal_mode = DELETE")
    } catch {
        // The folder is gone or the disk is broken. Each commit is either on disk already or lost in any case.
    }
    release(db)
    if (file !== undefined) rmSync(mergedMark(file), { force: true })
}

/** There while a database is closed: SQLite merges and removes its log before the file says that there is none. */
function mergedMark(file: string): string {
    return `${file}-merged`
}

function release(db: Database.Database): void {
    try {
        db.exec("PRAGMA locking_mode = NORMAL")
        db.exec("SELECT 1 FROM sqlite_schema") // SQLite releases the lock only at the next access
    } catch {
        // The file is unusable, so nobody waits for its lock.
    }
    db.close()
    const file = files.get(db)
    // SQLite has merged and removed the log. An empty one shows the next start that nothing is missing.
    if (file !== undefined && expectsLog(file)) makePrivate(`${file}-wal`)
}

/** Tells whether the file was last used in WAL mode (SQLite file format §1.3.3: 2) and its log is missing. */
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

/** Throws if the write-ahead log is missing. A copy made without it lacks the newest commits, possibly all of them. */
function checkLog(file: string): void {
    if (expectsLog(file) && !existsSync(mergedMark(file)))
        throw new Error(
            "its write-ahead log is missing, the file whose name ends in -wal: restore both files together; " +
                "if the log is lost, put an empty file in its place to go on without what was in it",
        )
}

/**
 * Returns all rows, with blobs as Uint8Array. Parameters go in one array, because libsql takes a single object for
 * named ones.
 */
export function all<Row>(statement: Database.Statement, parameters: unknown[] = []): Row[] {
    const rows = statement.all(parameters) as Record<string, unknown>[]
    for (const row of rows)
        for (const column in row) {
            const value = row[column]
            if (value instanceof ArrayBuffer) row[column] = new Uint8Array(value)
        }
    return rows as Row[]
}

/** Makes a file readable by its owner only. SQLite gives its log the mode of the database file. */
function makePrivate(file: string): void {
    const fd = openSync(file, "a", 0o600)
    fchmodSync(fd, 0o600)
    closeSync(fd)
}

/**
 * Returns the version of the database, 0 for a new one. Throws if it is damaged, another program's or a newer
 * version's.
 */
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
