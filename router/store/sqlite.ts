import { existsSync } from "node:fs"
import { join } from "node:path"
import type Database from "libsql"
import { UserError } from "../../host/errors.ts"
import { makeFolder } from "../../host/files.ts"
import { all, closeSqlite, openSqlite } from "../../host/sqlite.ts"
import { decode, encode } from "../../wire/cbor.ts"
import type { Purpose } from "../../wire/envelope.ts"
import type { CommandName, RouterKeys, SealedCommand } from "../../wire/keys.ts"
import type { Start } from "../replay.ts"
import { Amount, Turns } from "./held.ts"
import { format } from "./schema.ts"
import { prepare } from "./statements.ts"
import type { Accepted, DeadLetter, Queued, RouterStore, SeenStart } from "./store.ts"

const fileName = "router.db"
/** The maximum number of delivered envelopes that are still in the file. */
const maxSettled = 256
/** The maximum number of envelopes per turn of a mote, about a minute of its readings. */
const turnEnvelopes = 8
/** The maximum size of a turn. A single envelope may be larger. */
const turnBytesMax = 4096

/**
 * The router's store in one SQLite file, readable by its owner only. Delivered envelopes are deleted with the commit of
 * the next received ones. After a crash before that they are delivered again, and the clinic reports them as
 * duplicates.
 */
export class SqliteStore implements RouterStore {
    private readonly db: Database.Database
    private readonly statements: ReturnType<typeof prepare>
    private readonly outbox = new Amount()
    private readonly refused = new Amount()
    private readonly turns: Record<Purpose, Turns> = { alarm: new Turns(), vitals: new Turns() }
    /** The ids of envelopes that have left the outbox but are still in the file. */
    private settled: number[] = []

    private constructor(db: Database.Database) {
        this.db = db
        this.statements = prepare(db)
        for (const { kid, purpose, rows, bytes } of all<HeldRow>(this.statements.outboxHeld))
            this.count(kid, purpose, rows, bytes)
        for (const { rows, bytes } of all<HeldRow>(this.statements.refusedHeld)) this.refused.add(rows, bytes)
    }

    /**
     * Opens `router.db` in the folder `data` and creates both if necessary. Throws UserError if that fails, or if the
     * file is damaged, in use by another router, or belongs to another program or a newer version.
     */
    static open(data: string): SqliteStore {
        makeFolder(data)
        return new SqliteStore(openSqlite(join(data, fileName), format))
    }

    /** Opens the existing store of a stopped router. Throws UserError like `open`, and if there is none. */
    static openExisting(data: string): SqliteStore {
        const file = join(data, fileName)
        if (!existsSync(file)) throw new UserError(`no router's store found: ${file}`)
        return new SqliteStore(openSqlite(file, format))
    }

    /** Creates a store in memory, for simulations. */
    static inMemory(): SqliteStore {
        return new SqliteStore(openSqlite(":memory:", format))
    }

    get outboxLength(): number {
        return this.outbox.rows
    }

    get outboxBytes(): number {
        return this.outbox.bytes
    }

    get refusedLength(): number {
        return this.refused.rows
    }

    get refusedBytes(): number {
        return this.refused.bytes
    }

    outboxBytesOf(kid: Uint8Array): number {
        return this.turns.alarm.bytesOf(kid) + this.turns.vitals.bytesOf(kid)
    }

    waitingOf(kid: Uint8Array, max: number): { newest: Uint8Array[]; others: number } {
        const parameters = [kid, JSON.stringify(this.settled), max]
        const newest = all<{ envelope: Uint8Array }>(this.statements.newest, parameters).map(row => row.envelope)
        const rows = this.turns.alarm.rowsOf(kid) + this.turns.vitals.rowsOf(kid)
        return { newest: newest.reverse(), others: rows - newest.length }
    }

    /** The settings of the open database on which durability depends. */
    get durability(): { journalMode: string; synchronous: number } {
        const get = <T>(pragma: string) => all<T>(this.db.prepare(`PRAGMA ${pragma}`))[0]!
        return {
            journalMode: get<{ journal_mode: string }>("journal_mode").journal_mode,
            synchronous: get<{ synchronous: number }>("synchronous").synchronous,
        }
    }

    append(accepted: Accepted[], seen: SeenStart[], forgotten: SeenStart[] = []): void {
        const { insertOutbox } = this.statements
        this.transaction(() => {
            for (const { kid, purpose, receivedAt, envelope } of accepted)
                insertOutbox.run([kid, purpose, Math.trunc(receivedAt), envelope])
            this.updateReplay(seen, forgotten)
            this.deleteFromFile(this.settled)
        })
        this.settled = []
        for (const { kid, purpose, envelope } of accepted) this.count(kid, purpose, 1, envelope.length)
    }

    next(maxEnvelopes: number, maxBytes: number): Queued[] {
        const batch: Queued[] = []
        const settled = JSON.stringify(this.settled)
        let bytes = 0
        /**
         * Adds one turn of a mote. Returns its last envelope, false if it has no more, or undefined if the batch is
         * full.
         */
        const take = (purpose: Purpose, name: string, after: number): Queued | false | undefined => {
            const parameters = [purpose, Buffer.from(name, "hex"), after, settled, turnEnvelopes]
            let turnBytes = 0
            let last: Queued | false = false
            for (const queued of all<Queued>(this.statements.next, parameters)) {
                const { length } = queued.envelope
                if (last && turnBytes + length > turnBytesMax) break
                if (batch.length === maxEnvelopes || (batch.length > 0 && bytes + length > maxBytes)) return undefined
                batch.push(queued)
                bytes += length
                turnBytes += length
                last = queued
            }
            return last
        }
        for (const purpose of ["alarm", "vitals"] as const) {
            const turns = this.turns[purpose]
            const after = new Map(turns.motes.map(name => [name, 0]))
            while (after.size > 0)
                for (const [name, id] of after) {
                    const last = take(purpose, name, id)
                    if (last === undefined) return batch
                    if (last === false) after.delete(name)
                    else {
                        after.set(name, last.id)
                        turns.served(name)
                    }
                }
        }
        return batch
    }

    settle(
        safe: Queued[],
        refused: { delivery: Queued; reason: string }[],
        { seen, forgotten }: { seen: SeenStart[]; forgotten: SeenStart[] } = { seen: [], forgotten: [] },
    ): void {
        const removed = [...safe, ...refused.map(({ delivery }) => delivery)]
        const settled = [...this.settled, ...removed.map(({ id }) => id)]
        if (refused.length > 0 || settled.length > maxSettled) {
            this.transaction(() => {
                for (const { delivery, reason } of refused) this.statements.keepRefused.run([reason, delivery.id])
                this.updateReplay(seen, forgotten)
                this.deleteFromFile(settled)
            })
            this.settled = []
        } else this.settled = settled
        for (const { kid, purpose, envelope } of removed) this.count(kid, purpose, -1, -envelope.length)
        for (const { delivery } of refused) this.refused.add(1, delivery.envelope.length)
    }

    deadLetters(afterId: number, max: number): DeadLetter[] {
        return all<DeadLetter>(this.statements.deadLetters, [afterId, max])
    }

    dropDeadLetters(max: number): number {
        const [{ rows, bytes }] = all<HeldRow>(this.statements.oldestRefusedHeld, [max]) as [HeldRow]
        this.transaction(() => this.statements.dropRefused.run([max]))
        this.refused.add(-rows, -bytes)
        return rows
    }

    retryRefused(): void {
        const { retryRefused, deleteRefused, refusedHeld } = this.statements
        const returned = all<HeldRow>(refusedHeld)
        this.transaction(() => {
            retryRefused.run([])
            deleteRefused.run([])
        })
        for (const { kid, purpose, rows, bytes } of returned) {
            this.count(kid, purpose, rows, bytes)
            this.refused.add(-rows, -bytes)
        }
    }

    starts(kid: Uint8Array): Start[] {
        return all<Omit<Start, "runs"> & { runs: string }>(this.statements.starts, [kid]).map(row => ({
            ...row,
            runs: JSON.parse(row.runs) as Start["runs"],
        }))
    }

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

    changeKeys(kids: Uint8Array[], keys: RouterKeys[]): void {
        const { deleteKeys, insertKey } = this.statements
        this.transaction(() => {
            for (const kid of kids) deleteKeys.run([kid])
            for (const k of keys) {
                const commands = k.commands?.map(({ name, sealed }) => [name, sealed])
                const down = [k.generation ?? 0, k.sealedConfig ?? null, commands ? encode(commands) : null]
                insertKey.run([k.kid, k.upMac, k.receipt, k.mqtt, k.config, ...down])
            }
        })
    }

    meta(name: string): string | undefined {
        return all<{ value: string }>(this.statements.meta, [name])[0]?.value
    }

    setMeta(name: string, value: string): void {
        this.transaction(() => this.statements.setMeta.run([name, value]))
    }

    close(): void {
        try {
            this.transaction(() => this.deleteFromFile(this.settled))
        } catch {
            // They will be delivered again.
        }
        closeSqlite(this.db)
    }

    private updateReplay(seen: SeenStart[], forgotten: SeenStart[]): void {
        const { upsertReplay, forgetReplay } = this.statements
        for (const { kid, start } of seen) {
            const { boot, salt, floor, runs } = start
            upsertReplay.run([kid, boot, salt, floor, JSON.stringify(runs)])
        }
        for (const { kid, start } of forgotten) forgetReplay.run([kid, start.boot])
    }

    private count(kid: Uint8Array, purpose: Purpose, rows: number, bytes: number): void {
        this.outbox.add(rows, bytes)
        this.turns[purpose].add(kid, rows, bytes)
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

interface HeldRow {
    kid: Uint8Array
    purpose: Purpose
    rows: number
    bytes: number
}

function commandsIn(bytes: Uint8Array): SealedCommand[] {
    const rows = decode(bytes) as [CommandName, Uint8Array][]
    return rows.map(([name, sealed]) => ({ name, sealed }))
}
