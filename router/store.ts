import { closeSync, fchmodSync, mkdirSync, openSync } from "node:fs"
import { join } from "node:path"
import Database from "libsql"
import { UserError } from "../host/errors.ts"
import type { Delivery } from "../wire/batch.ts"
import type { RouterKeys } from "../wire/keys.ts"
import type { Start } from "./replay.ts"

/** Says in the file whose it is: "VMrt". */
const applicationId = 0x564d7274
const schemaVersion = 1

/*
 * outbox: what the clinic does not have yet. refused: what the clinic did not want (the dead letters). replay: what was
 * seen of each mote. Rows go out in the order of their id, which is the order they came in.
 */
const schema = `
    CREATE TABLE keys (
        kid BLOB PRIMARY KEY, upMac BLOB NOT NULL, receipt BLOB NOT NULL, mqtt BLOB NOT NULL,
        config INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE outbox (
        id INTEGER PRIMARY KEY, purpose TEXT NOT NULL, receivedAt INTEGER NOT NULL,
        envelope BLOB NOT NULL
    ) STRICT;
    CREATE TABLE refused (
        id INTEGER PRIMARY KEY, purpose TEXT NOT NULL, receivedAt INTEGER NOT NULL,
        envelope BLOB NOT NULL, reason TEXT NOT NULL
    ) STRICT;
    CREATE TABLE replay (
        kid BLOB NOT NULL, boot INTEGER NOT NULL, salt TEXT NOT NULL, floor INTEGER NOT NULL,
        runs TEXT NOT NULL, PRIMARY KEY (kid, boot)
    ) STRICT, WITHOUT ROWID;
    PRAGMA application_id = ${applicationId};
    PRAGMA user_version = ${schemaVersion};
`

/** An envelope for the outbox. */
export type Accepted = Omit<Delivery, "id">

/** What is now known of one start of a mote. */
export interface SeenStart {
    kid: Uint8Array
    start: Start
}

/**
 * Everything a router must not forget: the outbox, replay windows and keys, in one SQLite file that only its owner can
 * read. Each method that writes is one transaction, on disk when it returns.
 */
export class RouterStore {
    private readonly db: Database.Database
    private readonly statements: ReturnType<typeof prepare>
    private rows: number
    private bytes: number

    private constructor(db: Database.Database) {
        this.db = db
        this.statements = prepare(db)
        const held = all<{ rows: number; bytes: number }>(
            db.prepare("SELECT count(*) AS rows, ifnull(sum(length(envelope)), 0) AS bytes FROM outbox"), // prettier-ignore
        )[0]!
        this.rows = held.rows
        this.bytes = held.bytes
    }

    /**
     * Opens `router.db` in the folder `data`, both made where they do not exist. Throws UserError where that cannot be
     * done, where the file is damaged, of another program or of a newer version, or in use by another router.
     */
    static open(data: string): RouterStore {
        const file = join(data, "router.db")
        try {
            mkdirSync(data, { recursive: true, mode: 0o700 })
            // SQLite gives its journal the same mode as its file.
            const fd = openSync(file, "a", 0o600)
            fchmodSync(fd, 0o600)
            closeSync(fd)
            return new RouterStore(openDatabase(file))
        } catch (error) {
            throw new UserError(`cannot use the router's store ${file}: ${reasonOf(error)}`)
        }
    }

    /** A store that lasts as long as this object, for simulations. */
    static inMemory(): RouterStore {
        return new RouterStore(openDatabase(":memory:"))
    }

    /** Envelopes that wait for the clinic. */
    get outboxLength(): number {
        return this.rows
    }

    /** Their bytes. */
    get outboxBytes(): number {
        return this.bytes
    }

    /** Envelopes the clinic refused. */
    get refusedLength(): number {
        return all<{ n: number }>(this.statements.countRefused)[0]!.n
    }

    /** What durability rests on, as the open database has it. */
    get durability(): { journalMode: string; synchronous: number } {
        const get = <T>(pragma: string) => all<T>(this.db.prepare(`PRAGMA ${pragma}`))[0]!
        return {
            journalMode: get<{ journal_mode: string }>("journal_mode").journal_mode,
            synchronous: get<{ synchronous: number }>("synchronous").synchronous,
        }
    }

    /** Puts envelopes into the outbox and brings the replay windows up to date, all or nothing. */
    append(accepted: Accepted[], seen: SeenStart[], forgotten: SeenStart[] = []): void {
        const { insertOutbox, upsertReplay, forgetReplay } = this.statements
        this.transaction(() => {
            for (const { purpose, receivedAt, envelope } of accepted)
                insertOutbox.run([purpose, Math.trunc(receivedAt), envelope])
            for (const { kid, start } of seen) {
                const { boot, salt, floor, runs } = start
                upsertReplay.run([kid, boot, salt, floor, JSON.stringify(runs)])
            }
            for (const { kid, start } of forgotten) forgetReplay.run([kid, start.boot])
        })
        this.rows += accepted.length
        for (const { envelope } of accepted) this.bytes += envelope.length
    }

    /** The oldest envelopes of the outbox, `max` at most. */
    oldest(max: number): Delivery[] {
        return all<Omit<Delivery, "envelope"> & { envelope: ArrayBuffer }>(
            this.statements.oldest,
            max,
        ).map(row => ({ ...row, envelope: new Uint8Array(row.envelope) }))
    }

    /** Takes envelopes out of the outbox: those that are safe at the clinic, and the refused ones to their own table. */
    settle(safe: Delivery[], refused: { delivery: Delivery; reason: string }[]): void {
        const { keepRefused, deleteOutbox } = this.statements
        const settled = [...safe, ...refused.map(({ delivery }) => delivery)]
        this.transaction(() => {
            for (const { delivery, reason } of refused) keepRefused.run([reason, delivery.id])
            deleteOutbox.run([JSON.stringify(settled.map(({ id }) => id))])
        })
        this.rows -= settled.length
        for (const { envelope } of settled) this.bytes -= envelope.length
    }

    /** What was seen of a mote, in ascending order of its boots. */
    starts(kid: Uint8Array): Start[] {
        return all<Omit<Start, "runs"> & { runs: string }>(this.statements.starts, kid).map(
            row => ({ ...row, runs: JSON.parse(row.runs) as Start["runs"] }),
        )
    }

    keys(): RouterKeys[] {
        type Row = { [Field in keyof RouterKeys]: RouterKeys[Field] extends number ? number : ArrayBuffer } // prettier-ignore
        return all<Row>(this.statements.keys).map(row => ({
            kid: new Uint8Array(row.kid),
            upMac: new Uint8Array(row.upMac),
            receipt: new Uint8Array(row.receipt),
            mqtt: new Uint8Array(row.mqtt),
            config: row.config,
        }))
    }

    /** From now on these are the keys, and no others. */
    replaceKeys(keys: RouterKeys[]): void {
        const { deleteKeys, insertKey } = this.statements
        this.transaction(() => {
            deleteKeys.run([])
            for (const k of keys) insertKey.run([k.kid, k.upMac, k.receipt, k.mqtt, k.config])
        })
    }

    close(): void {
        release(this.db)
    }

    private transaction(change: () => void): void {
        if (!this.db.open) throw new Error("the store is closed")
        this.db.exec("BEGIN IMMEDIATE")
        try {
            change()
            this.db.exec("COMMIT")
        } catch (error) {
            if (this.db.inTransaction) this.db.exec("ROLLBACK")
            throw error
        }
    }
}

function openDatabase(file: string): Database.Database {
    const db = new Database(file)
    try {
        db.exec("PRAGMA locking_mode = EXCLUSIVE") // one router a store
        const isNew = check(db)
        db.exec("PRAGMA journal_mode = WAL")
        db.exec("PRAGMA synchronous = FULL") // a commit is on disk: power loss, too
        if (isNew) db.exec(`BEGIN; ${schema} COMMIT`)
        return db
    } catch (error) {
        db.close()
        throw error
    }
}

/** Whether the database is new; throws where it is not ours to use. */
function check(db: Database.Database): boolean {
    const pragma = (name: string) =>
        all<Record<string, unknown>>(db.prepare(`PRAGMA ${name}`))[0]?.[name]
    if (pragma("quick_check") !== "ok") throw new Error("it is damaged")
    if (all(db.prepare("SELECT 1 FROM sqlite_schema")).length === 0) return true
    if (pragma("application_id") !== applicationId) throw new Error("it belongs to another program")
    if ((pragma("user_version") as number) > schemaVersion)
        throw new Error("a newer version of VitalMote wrote it")
    return false
}

/**
 * Closes. libsql keeps the file open, and locked, while a prepared statement lives; leaving write-ahead mode first gives
 * the lock back and folds the log into the one file.
 */
function release(db: Database.Database): void {
    try {
        db.exec("PRAGMA journal_mode = DELETE")
        db.exec("PRAGMA locking_mode = NORMAL")
        db.exec("SELECT 1 FROM sqlite_schema")
    } catch {
        // The folder is gone or the disk broken. Every commit was on disk already, or is lost anyway.
    }
    db.close()
}

function prepare(db: Database.Database) {
    return {
        keys: db.prepare("SELECT kid, upMac, receipt, mqtt, config FROM keys"),
        deleteKeys: db.prepare("DELETE FROM keys"),
        insertKey: db.prepare("INSERT INTO keys (kid, upMac, receipt, mqtt, config) VALUES (?, ?, ?, ?, ?)"), // prettier-ignore
        insertOutbox: db.prepare("INSERT INTO outbox (purpose, receivedAt, envelope) VALUES (?, ?, ?)"), // prettier-ignore
        oldest: db.prepare("SELECT id, purpose, receivedAt, envelope FROM outbox ORDER BY id LIMIT ?"), // prettier-ignore
        deleteOutbox: db.prepare("DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?))"),
        keepRefused: db.prepare(
            `INSERT INTO refused (purpose, receivedAt, envelope, reason)
             SELECT purpose, receivedAt, envelope, ? FROM outbox WHERE id = ?`,
        ),
        countRefused: db.prepare("SELECT count(*) AS n FROM refused"),
        starts: db.prepare("SELECT boot, salt, floor, runs FROM replay WHERE kid = ? ORDER BY boot"), // prettier-ignore
        upsertReplay: db.prepare(
            `INSERT INTO replay (kid, boot, salt, floor, runs) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (kid, boot) DO UPDATE SET floor = excluded.floor, runs = excluded.runs`,
        ),
        forgetReplay: db.prepare("DELETE FROM replay WHERE kid = ? AND boot = ?"),
    }
}

/** Parameters always go in one array: libsql takes a lone object for named ones. */
function all<Row>(statement: Database.Statement, ...parameters: unknown[]): Row[] {
    return statement.all(parameters) as Row[]
}

function reasonOf(error: unknown): string {
    const { code, message } = error as { code?: string; message: string }
    switch (code) {
        case "SQLITE_NOTADB":
        case "SQLITE_CORRUPT":
            return "it is damaged or no database"
        case "SQLITE_BUSY":
            return "another router uses it"
        case "EACCES":
        case "EPERM":
        case "EROFS":
        case "SQLITE_READONLY":
            return "no permission to write there"
        case "EEXIST":
        case "ENOTDIR":
        case "EISDIR":
            return "a file is where a folder should be, or the other way round"
        case "ENOSPC":
        case "SQLITE_FULL":
            return "the disk is full"
    }
    return message.split("\n")[0]!
}
