import { join } from "node:path"
import type Database from "libsql"
import { makeFolder } from "../host/files.ts"
import { all, closeSqlite, openSqlite } from "../host/sqlite.ts"
import type { Delivery } from "../wire/batch.ts"
import { decode, encode } from "../wire/cbor.ts"
import type { CommandName, RouterKeys, SealedCommand } from "../wire/keys.ts"
import type { Start } from "./replay.ts"

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
`

/** Several keys of one mote, each with what waits for it; `commands` is CBOR. */
const severalKeys = `
    ALTER TABLE keys RENAME TO oldKeys;
    CREATE TABLE keys (
        kid BLOB NOT NULL, generation INTEGER NOT NULL, upMac BLOB NOT NULL, receipt BLOB NOT NULL,
        mqtt BLOB NOT NULL, config INTEGER NOT NULL, sealedConfig BLOB, commands BLOB,
        PRIMARY KEY (kid, generation)
    ) STRICT;
    INSERT INTO keys (kid, generation, upMac, receipt, mqtt, config)
        SELECT kid, 0, upMac, receipt, mqtt, config FROM oldKeys;
    DROP TABLE oldKeys;
`

const format = {
    name: "the router's store",
    applicationId: 0x564d7274, // "VMrt"
    migrations: [schema, severalKeys],
}

/** An envelope for the outbox. */
export type Accepted = Omit<Delivery, "id">

/** What is now known of one start of a mote. */
export interface SeenStart {
    kid: Uint8Array
    start: Start
}

/** Envelopes that are safe at the clinic and may still lie in the file. */
const maxSettled = 256

/**
 * Everything a router must not forget: the outbox, replay windows and keys, in one SQLite file that only its owner can
 * read. Each method that writes is one transaction, on disk when it returns; only what is safe at the clinic leaves the
 * file with the commit of what comes next. A crash before that makes it go out again, and the clinic calls it a duplicate.
 */
export class RouterStore {
    private readonly db: Database.Database
    private readonly statements: ReturnType<typeof prepare>
    private readonly outbox: Held
    private readonly refused: Held
    /** Ids of what is no longer in the outbox, but in the file. */
    private settled: number[] = []

    private constructor(db: Database.Database) {
        this.db = db
        this.statements = prepare(db)
        this.outbox = heldIn(db, "outbox")
        this.refused = heldIn(db, "refused")
    }

    /**
     * Opens `router.db` in the folder `data`, both made where they do not exist. Throws UserError where that cannot be
     * done, where the file is damaged, of another program or of a newer version, or in use by another router.
     */
    static open(data: string): RouterStore {
        makeFolder(data)
        return new RouterStore(openSqlite(join(data, "router.db"), format))
    }

    /** A store that lasts as long as this object, for simulations. */
    static inMemory(): RouterStore {
        return new RouterStore(openSqlite(":memory:", format))
    }

    /** Envelopes that wait for the clinic. */
    get outboxLength(): number {
        return this.outbox.rows
    }

    /** Their bytes. */
    get outboxBytes(): number {
        return this.outbox.bytes
    }

    /** Envelopes the clinic refused. */
    get refusedLength(): number {
        return this.refused.rows
    }

    /** Their bytes. */
    get refusedBytes(): number {
        return this.refused.bytes
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
            this.deleteFromFile(this.settled)
        })
        this.settled = []
        add(this.outbox, accepted)
    }

    /** The oldest envelopes of the outbox, `max` at most. */
    oldest(max: number): Delivery[] {
        return all<Delivery>(this.statements.oldest, [JSON.stringify(this.settled), max])
    }

    /** Takes envelopes out of the outbox: those that are safe at the clinic, and the refused ones to their own table. */
    settle(safe: Delivery[], refused: { delivery: Delivery; reason: string }[]): void {
        const unwanted = refused.map(({ delivery }) => delivery)
        const gone = [...safe, ...unwanted]
        const settled = [...this.settled, ...gone.map(({ id }) => id)]
        if (unwanted.length > 0 || settled.length > maxSettled) {
            this.transaction(() => {
                for (const { delivery, reason } of refused) this.statements.keepRefused.run([reason, delivery.id])
                this.deleteFromFile(settled)
            })
            this.settled = []
        } else this.settled = settled
        remove(this.outbox, gone)
        add(this.refused, unwanted)
    }

    /** Puts what the clinic refused back into the outbox, behind what waits there. */
    retryRefused(): void {
        const { retryRefused, deleteRefused } = this.statements
        this.transaction(() => {
            retryRefused.run([])
            deleteRefused.run([])
        })
        this.outbox.rows += this.refused.rows
        this.outbox.bytes += this.refused.bytes
        Object.assign(this.refused, { rows: 0, bytes: 0 })
    }

    /** What was seen of a mote, in ascending order of its boots. */
    starts(kid: Uint8Array): Start[] {
        return all<Omit<Start, "runs"> & { runs: string }>(this.statements.starts, [kid]).map(row => ({
            ...row,
            runs: JSON.parse(row.runs) as Start["runs"],
        }))
    }

    /** In the order in which they were given. */
    keys(): RouterKeys[] {
        return all<KeysRow>(this.statements.keys).map(row => {
            const { sealedConfig, commands, generation, ...keys } = row
            return {
                ...keys,
                ...(sealedConfig && { sealedConfig }),
                ...(commands && { commands: commandsIn(commands) }),
                ...(generation > 0 && { generation }),
            }
        })
    }

    /** From now on these are the keys, and no others. */
    replaceKeys(keys: RouterKeys[]): void {
        const { deleteKeys, insertKey } = this.statements
        this.transaction(() => {
            deleteKeys.run([])
            for (const k of keys) {
                const commands = k.commands?.map(({ name, sealed }) => [name, sealed])
                const down = [k.generation ?? 0, k.sealedConfig ?? null, commands ? encode(commands) : null]
                insertKey.run([k.kid, k.upMac, k.receipt, k.mqtt, k.config, ...down])
            }
        })
    }

    close(): void {
        try {
            this.transaction(() => this.deleteFromFile(this.settled))
        } catch {
            // Then they go out again.
        }
        closeSqlite(this.db)
    }

    private deleteFromFile(settled: number[]): void {
        if (settled.length > 0) this.statements.deleteOutbox.run([JSON.stringify(settled)])
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

type KeysRow = Omit<RouterKeys, "commands"> & { generation: number; commands: Uint8Array | null }

function commandsIn(bytes: Uint8Array): SealedCommand[] {
    const rows = decode(bytes) as [CommandName, Uint8Array][]
    return rows.map(([name, sealed]) => ({ name, sealed }))
}

/** What a table of envelopes holds. */
interface Held {
    rows: number
    bytes: number
}

function heldIn(db: Database.Database, table: "outbox" | "refused"): Held {
    const sum = "count(*) AS rows, ifnull(sum(length(envelope)), 0) AS bytes"
    return all<Held>(db.prepare(`SELECT ${sum} FROM ${table}`))[0]!
}

function add(held: Held, envelopes: { envelope: Uint8Array }[]): void {
    held.rows += envelopes.length
    for (const { envelope } of envelopes) held.bytes += envelope.length
}

function remove(held: Held, envelopes: { envelope: Uint8Array }[]): void {
    held.rows -= envelopes.length
    for (const { envelope } of envelopes) held.bytes -= envelope.length
}

function prepare(db: Database.Database) {
    return {
        keys: db.prepare(
            `SELECT kid, upMac, receipt, mqtt, config, generation, sealedConfig, commands FROM keys
             ORDER BY rowid`,
        ),
        deleteKeys: db.prepare("DELETE FROM keys"),
        insertKey: db.prepare(
            `INSERT OR IGNORE INTO keys
             (kid, upMac, receipt, mqtt, config, generation, sealedConfig, commands)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
        ),
        insertOutbox: db.prepare("INSERT INTO outbox (purpose, receivedAt, envelope) VALUES (?, ?, ?)"),
        oldest: db.prepare(
            `SELECT id, purpose, receivedAt, envelope FROM outbox
             WHERE id NOT IN (SELECT value FROM json_each(?)) ORDER BY id LIMIT ?`,
        ),
        deleteOutbox: db.prepare("DELETE FROM outbox WHERE id IN (SELECT value FROM json_each(?))"),
        keepRefused: db.prepare(
            `INSERT INTO refused (purpose, receivedAt, envelope, reason)
             SELECT purpose, receivedAt, envelope, ? FROM outbox WHERE id = ?`,
        ),
        retryRefused: db.prepare(
            `INSERT INTO outbox (purpose, receivedAt, envelope)
             SELECT purpose, receivedAt, envelope FROM refused ORDER BY id`,
        ),
        deleteRefused: db.prepare("DELETE FROM refused"),
        starts: db.prepare("SELECT boot, salt, floor, runs FROM replay WHERE kid = ? ORDER BY boot"),
        upsertReplay: db.prepare(
            `INSERT INTO replay (kid, boot, salt, floor, runs) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (kid, boot) DO UPDATE SET floor = excluded.floor, runs = excluded.runs`,
        ),
        forgetReplay: db.prepare("DELETE FROM replay WHERE kid = ? AND boot = ?"),
    }
}
