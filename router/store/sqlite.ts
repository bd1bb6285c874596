import { existsSync, readdirSync, rmSync } from "node:fs"
import { join } from "node:path"
import type Database from "libsql"
import { reasonOf, UserError } from "../../host/errors.ts"
import { makeFolder } from "../../host/files.ts"
import { silentLog, type Log } from "../../host/log.ts"
import { all, closeSqlite, openSqlite } from "../../host/sqlite.ts"
import { decode, encode, WireError } from "../../wire/cbor.ts"
import { parseEnvelope, type Envelope } from "../../wire/envelope.ts"
import type { CommandName, RouterKeys, SealedCommand } from "../../wire/keys.ts"
import { ReplayWindow, windowKeyOf, type Start } from "../replay.ts"
import { Outbox, type Fault, type Position, type Replay } from "./outbox/outbox.ts"
import { knownGeneration } from "./outbox/record.ts"
import { format } from "./schema.ts"
import { prepare } from "./statements.ts"
import type { Accepted, Changes, DeadLetter, OfMotes, Queued, RouterStore, SeenStart } from "./store.ts"

const fileName = "router.db"
const outboxFolder = "outbox"
/** The log's position as of which the table `replay` has everything, `segment:offset`. */
const positionMeta = "outbox position"
/** The number of envelopes that an upgrade moves at a time. */
const upgradeRows = 1000

/**
 * The router's store: the outbox is a log of its own, in a folder beside an SQLite file with keys, dead letters and replay
 * windows. All are readable by their owner only. The table of replay windows is as of some position in the log; a start reads
 * on from there. Only the one who has locked the file uses the log.
 */
export class SqliteStore implements RouterStore {
    private readonly db: Database.Database
    private readonly statements: ReturnType<typeof prepare>
    private readonly outbox: Outbox
    private readonly log: Log
    private readonly isInMemory: boolean
    /** What has changed in the replay windows since the table was written: starts by key and boot; undefined if forgotten. */
    private readonly changed = new Map<string, Map<number, SeenStart | undefined>>()
    private savedSegment = 0
    private refusedRows = 0
    private refusedSum = 0
    appending: Promise<void> | undefined

    /** @param folder the outbox's, undefined for memory */
    private constructor(db: Database.Database, folder: string | undefined, log: Log) {
        this.db = db
        this.log = log
        this.isInMemory = folder === undefined
        this.statements = prepare(db)
        this.countRefused()
        if (folder === undefined) this.outbox = Outbox.inMemory()
        else {
            const isUpgrade = this.hasOldOutbox()
            if (isUpgrade) dropLog(folder)
            this.outbox = this.openOutbox(folder)
            if (isUpgrade) this.upgrade()
        }
    }

    /**
     * Opens `router.db` and the outbox in the folder `data` and creates all if necessary. Throws UserError if that fails, or if
     * the file is damaged, in use by another router, or belongs to another program or a newer version. Damage in the outbox
     * is logged, and what is intact is used.
     */
    static open(data: string, log: Log = silentLog): SqliteStore {
        makeFolder(data)
        return SqliteStore.openFiles(data, log)
    }

    /** Opens the existing store of a stopped router. Throws UserError like `open`, and if there is none. */
    static openExisting(data: string, log: Log = silentLog): SqliteStore {
        const file = join(data, fileName)
        if (!existsSync(file)) throw new UserError(`no router's store found: ${file}`)
        return SqliteStore.openFiles(data, log)
    }

    /** Creates a store in memory, for simulations. */
    static inMemory(): SqliteStore {
        return new SqliteStore(openSqlite(":memory:", format), undefined, silentLog)
    }

    private static openFiles(data: string, log: Log): SqliteStore {
        const db = openSqlite(join(data, fileName), format)
        const folder = join(data, outboxFolder)
        try {
            return new SqliteStore(db, folder, log)
        } catch (error) {
            closeSqlite(db)
            throw error instanceof UserError
                ? error
                : new UserError(`cannot use the outbox ${folder}: ${reasonOf(error)}`)
        }
    }

    get outboxLength(): number {
        return this.outbox.rows
    }

    get outboxBytes(): number {
        return this.outbox.bytes
    }

    /** The size of the outbox's files. */
    get outboxFileBytes(): number {
        return this.outbox.fileBytes
    }

    get refusedLength(): number {
        return this.refusedRows
    }

    get refusedBytes(): number {
        return this.refusedSum
    }

    outboxBytesOf(kid: Uint8Array): number {
        return this.outbox.bytesOf(kid)
    }

    outboxOf(isOf?: OfMotes): { rows: number; bytes: number } {
        return this.outbox.ofMotes(isOf)
    }

    waitingOf(kid: Uint8Array, max: number): { newest: Uint8Array[]; others: number } {
        const newest = this.outbox.newestOf(kid, max)
        return { newest, others: this.outbox.rowsOf(kid) - newest.length }
    }

    /** The settings of the open database on which durability depends. */
    get durability(): { journalMode: string; synchronous: number } {
        const get = <T>(pragma: string) => all<T>(this.db.prepare(`PRAGMA ${pragma}`))[0]!
        return {
            journalMode: get<{ journal_mode: string }>("journal_mode").journal_mode,
            synchronous: get<{ synchronous: number }>("synchronous").synchronous,
        }
    }

    append(accepted: Accepted[], seen: SeenStart[], forgotten: SeenStart[] = []): Promise<void> | void {
        if (!this.db.open) throw new Error("the store is closed")
        const appended = this.outbox.append(accepted.map(envelope => ({ generation: 0, ...envelope })))
        const done = () => {
            this.appending = undefined
            this.change(seen, forgotten)
            if (this.outbox.position.segment !== this.savedSegment) this.saveReplay()
        }
        if (!appended) return done()
        this.appending = appended.then(done, (error: unknown) => {
            this.appending = undefined
            throw error
        })
        return this.appending
    }

    next(maxEnvelopes: number, maxBytes: number, isOf?: OfMotes): Queued[] {
        return this.outbox.next(maxEnvelopes, maxBytes, isOf)
    }

    settle(
        safe: Queued[],
        refused: { delivery: Queued; reason: string }[],
        change: () => Changes = () => ({ seen: [], forgotten: [], released: [] }),
    ): void {
        if (refused.length > 0)
            this.transaction(() => {
                for (const { delivery, reason } of refused) {
                    const { kid, purpose, receivedAt, envelope } = delivery
                    this.statements.keepRefused.run([kid, purpose, receivedAt, envelope, reason])
                }
            })
        const { seen, forgotten, released } = change()
        this.change(seen, forgotten)
        this.outbox.settle([...safe, ...refused.map(({ delivery }) => delivery)], released)
        for (const { delivery } of refused) this.refusedSum += delivery.envelope.length
        this.refusedRows += refused.length
    }

    deadLetters(afterId: number, max: number): DeadLetter[] {
        return all<DeadLetter>(this.statements.deadLetters, [afterId, max])
    }

    dropDeadLetters(max: number): number {
        const before = this.refusedRows
        this.transaction(() => this.statements.dropRefused.run([max]))
        this.countRefused()
        return before - this.refusedRows
    }

    retryRefused(): void {
        for (
            let letters = this.deadLetters(0, upgradeRows);
            letters.length > 0;
            letters = this.deadLetters(0, upgradeRows)
        ) {
            this.outbox.appendNow(letters.map(letter => ({ ...letter, generation: knownGeneration })))
            this.transaction(() => this.statements.dropRefused.run([letters.length]))
        }
        this.countRefused()
    }

    starts(kid: Uint8Array): Start[] {
        const byBoot = new Map(this.savedStarts(kid).map(start => [start.boot, start]))
        for (const [boot, change] of this.changed.get(hex(kid)) ?? [])
            if (change) byBoot.set(boot, structuredClone(change.start))
            else byBoot.delete(boot)
        return [...byBoot.values()].sort((a, b) => a.boot - b.boot)
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
        this.outbox.flush()
        this.saveReplay()
        this.outbox.close()
        closeSqlite(this.db)
    }

    private countRefused(): void {
        const [held] = all<{ rows: number; bytes: number }>(this.statements.refusedHeld)
        this.refusedRows = held!.rows
        this.refusedSum = held!.bytes
    }

    private change(seen: SeenStart[], forgotten: SeenStart[]): void {
        const of = ({ kid }: SeenStart) => {
            const key = hex(kid)
            let starts = this.changed.get(key)
            if (!starts) this.changed.set(key, (starts = new Map()))
            return starts
        }
        for (const change of forgotten) of(change).set(change.start.boot, undefined)
        for (const change of seen) of(change).set(change.start.boot, change)
    }

    private savedStarts(kid: Uint8Array): Start[] {
        return all<Omit<Start, "runs"> & { runs: string }>(this.statements.starts, [kid]).map(row => ({
            ...row,
            runs: JSON.parse(row.runs) as Start["runs"],
        }))
    }

    /**
     * Brings the table of replay windows up to the end of the log. If that fails, the next start has more to read, and no
     * segment is deleted.
     */
    private saveReplay(): void {
        if (this.isInMemory) return
        const { upsertReplay, forgetReplay, setMeta } = this.statements
        const position = this.outbox.position
        try {
            this.transaction(() => {
                for (const [key, starts] of this.changed) {
                    const kid = Buffer.from(key, "hex")
                    for (const [boot, change] of starts) {
                        if (!change) forgetReplay.run([kid, boot])
                        else {
                            const { salt, floor, runs } = change.start
                            upsertReplay.run([kid, boot, salt, floor, JSON.stringify(runs)])
                        }
                    }
                }
                setMeta.run([positionMeta, `${position.segment}:${position.at}`])
            })
        } catch (error) {
            this.log.debug({ reason: reasonOf(error) }, "the replay windows are not saved yet")
            return
        }
        this.changed.clear()
        this.savedSegment = position.segment
        this.outbox.cover(position)
    }

    private openOutbox(folder: string): Outbox {
        const [segment = 0, at = 0] = (this.meta(positionMeta) ?? "0:0").split(":").map(Number)
        const since: Position = { segment, at }
        const windows = new Map<string, ReplayWindow>()
        const outbox = Outbox.open(folder, {
            since,
            replayed: change => this.replay(change, windows),
            report: fault => this.report(fault),
        })
        if (outbox.isIncomplete)
            this.log.error(
                { folder, missing: segment },
                "files of the outbox are missing: envelopes with a receipt that the clinic does not have are lost; " +
                    "the clinic shows which are missing",
            )
        this.savedSegment = segment
        return outbox
    }

    /** Does to the windows what the log says. */
    private replay(change: Replay, windows: Map<string, ReplayWindow>): void {
        const { kid, generation } = "record" in change ? change.record : change.release
        const key = windowKeyOf(kid, generation)
        const name = hex(key)
        let window = windows.get(name)
        if (!window) windows.set(name, (window = new ReplayWindow(this.savedStarts(key))))
        const saved = (start: Start) => ({ kid: key, start })
        if ("release" in change) {
            const { boot, salt, seq } = change.release
            const start = window.release(boot, salt, seq)
            if (!start) return
            if (start.runs.length > 0 || start.floor > 0) this.change([saved(start)], [])
            else this.change([], [saved(start)])
            return
        }
        const envelope = parsed(change.record.envelope)
        if (!envelope) return
        const { boot, salt, seq } = envelope
        if (window.judge(boot, hex(salt), seq) !== "fresh") return
        const { start, forgotten } = window.record(boot, hex(salt), seq)
        this.change([saved(start)], forgotten ? [saved(forgotten)] : [])
    }

    private report({ file, at, bytes, isTail }: Fault): void {
        const where = { file, at, bytes }
        if (isTail) this.log.warn(where, "the outbox ends with an incomplete write: nobody has a receipt for that")
        else
            this.log.error(
                where,
                "the outbox is damaged: envelopes with a receipt may be lost, and the clinic shows which. " +
                    "Everything else is used; the file is kept with .damaged at its end. Is the disk failing?",
            )
    }

    private hasOldOutbox(): boolean {
        return all(this.db.prepare("SELECT 1 FROM outbox LIMIT 1")).length > 0
    }

    /** Moves the outbox of an earlier version from its table into the log. */
    private upgrade(): void {
        const rows = this.db.prepare(
            "SELECT id, kid, purpose, receivedAt, envelope FROM outbox WHERE id > ? ORDER BY id LIMIT ?",
        )
        for (let after = 0; ;) {
            const some = all<Queued>(rows, [after, upgradeRows])
            if (some.length === 0) break
            this.outbox.appendNow(some.map(row => ({ ...row, generation: knownGeneration })))
            after = some.at(-1)!.id
        }
        this.transaction(() => {
            this.db.exec("DELETE FROM outbox")
            const { segment, at } = this.outbox.position
            this.statements.setMeta.run([positionMeta, `${segment}:${at}`])
        })
        this.savedSegment = this.outbox.position.segment
        this.outbox.cover(this.outbox.position)
        this.db.exec("VACUUM")
        this.log.info({ envelopes: this.outbox.rows }, "the outbox is a log of its own now")
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

/** Returns undefined for an envelope of another format, which has no window. */
function parsed(bytes: Uint8Array): Envelope | undefined {
    try {
        return parseEnvelope(bytes)
    } catch (error) {
        if (error instanceof WireError) return undefined
        throw error
    }
}

function hex(bytes: Uint8Array): string {
    return Buffer.from(bytes).toString("hex")
}

/** Deletes a log that an upgrade did not complete. */
function dropLog(folder: string): void {
    if (existsSync(folder)) for (const name of readdirSync(folder)) rmSync(join(folder, name))
}

function commandsIn(bytes: Uint8Array): SealedCommand[] {
    const rows = decode(bytes) as [CommandName, Uint8Array][]
    return rows.map(([name, sealed]) => ({ name, sealed }))
}
