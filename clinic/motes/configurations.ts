import type { Clock } from "../../host/clock.ts"
import { makeCommand, makeConfig } from "../../wire/config.ts"
import { checkConfig, defaultConfig, type ConfigValues } from "../../wire/tables/settings.ts"
import { isCount } from "../../wire/cbor.ts"
import type { CommandName, MoteKeys, RouterKeys, SealedCommand } from "../../wire/keys.ts"
import { refusedName, type Measurement } from "../../wire/senml.ts"
import { Conflict } from "../errors.ts"
import type { Mote, Secrets } from "./motes.ts"
import type { Sql, Store } from "../store/store.ts"

/**
 * What became of a configuration: it waits for the mote's word; the mote applies it, refused it, or applied it on trial
 * and took it back; or there was another one before the mote said anything.
 */
export type ConfigState = "pending" | "applied" | "refused" | "rolled back" | "superseded"

/** One version of a mote's configuration. Times are unix ms. */
export interface Configuration {
    version: number
    /** All of them, in the units of wire/config.ts. */
    settings: ConfigValues
    /** Who made it. */
    author: string
    madeAt: number
    state: ConfigState
    /** The mote's, where it refused it or took it back. */
    reason: string | null
    /** When the mote's word on it arrived. */
    answeredAt: number | null
}

/** A command on its way to the mote, which says nothing about it. */
export interface Command {
    version: number
    command: CommandName
    author: string
    madeAt: number
    expiresAt: number
}

/** What a mote says about its configuration. */
export interface ConfigWord {
    /** In force, on trial or for good; 0: none was ever applied. */
    version: number
    /** The version it refused or took back, 0 where it could not read it; and why. */
    refused?: { version: number; reason: string }
}

/** What a pack says about the configuration, if anything (docs/configuration.md). */
export function toConfigWord(pack: Measurement[]): ConfigWord | undefined {
    const version = pack.find(({ name }) => name === "config")?.value
    if (!isCount(version)) return undefined
    const refused = pack.find(({ name, value }) => name === refusedName && isCount(value))
    if (!refused) return { version }
    return { version, refused: { version: refused.value, reason: refused.text ?? "" } }
}

/** Somebody stands beside the mote and waits: later than this, a command would surprise. */
const commandMs = 10 * 60_000
/** What a mote says of a configuration that it had applied on trial. */
const rolledBack = /^(no receipt in |restarted on trial)/

const columns = `version, settings, author, made_at AS "madeAt", state, reason, answered_at AS "answeredAt"`

/** What motes are told: configurations, by version, and commands. Each is sealed once, for one secret. */
export class Configurations {
    private readonly store: Store
    private readonly clock: Clock
    private readonly random: (bytes: number) => Uint8Array

    constructor(store: Store, clock: Clock, random: (bytes: number) => Uint8Array) {
        this.store = store
        this.clock = clock
        this.random = random
    }

    /**
     * A new version with these settings, the others being as by default. `base` is the newest version its author knew of,
     * if that matters. Throws ConfigError for settings that cannot be, Conflict where there is a newer version than `base`.
     */
    async put(
        { mote, secrets }: { mote: Mote; secrets: Secrets },
        o: { settings: unknown; author: string; base?: number | undefined },
        sql: Sql,
    ): Promise<Configuration> {
        const settings = { ...defaultConfig, ...checkConfig(o.settings) }
        const newest = await this.newest(mote, sql)
        if (o.base !== undefined && o.base !== (newest?.version ?? 0))
            throw new Conflict("there is a newer configuration: look at it first")
        const inForce = await this.inForce(mote, sql)
        const version = Math.max(newest?.version ?? 0, inForce.version) + 1
        const seal = (keys: MoteKeys) => makeConfig(settings, version, keys, this.random)
        const sealed = seal(secrets.current)
        await sql.run(`UPDATE configuration SET state = 'superseded' WHERE mote = ? AND state = 'pending'`, mote.id)
        const [row] = await sql.all<Row>(
            `INSERT INTO configuration (mote, version, settings, author, made_at, sealed, sealed_next, state)
             VALUES (?, ?, ?, ?, ?, ?, ?, 'pending') RETURNING ${columns}`,
            ...[mote.id, version, JSON.stringify(settings), o.author, this.now(), sealed],
            secrets.next ? seal(secrets.next) : null,
        )
        return configuration(row!)
    }

    async newest(mote: { id: number }, sql: Sql = this.store): Promise<Configuration | undefined> {
        const [row] = await sql.all<Row>(
            `SELECT ${columns} FROM configuration WHERE mote = ? ORDER BY version DESC LIMIT 1`,
            mote.id,
        )
        return row && configuration(row)
    }

    /** The newest first. */
    async history(mote: { id: number }, limit: number): Promise<Configuration[]> {
        const rows = await this.store.all<Row>(
            `SELECT ${columns} FROM configuration WHERE mote = ? ORDER BY version DESC LIMIT ?`,
            ...[mote.id, limit],
        )
        return rows.map(configuration)
    }

    /**
     * What the mote said last that it works by, and when that arrived; version 0, never heard, for one that said nothing.
     * The settings are null where the version is none of this clinic's.
     */
    async inForce(
        mote: { id: number },
        sql: Sql = this.store,
    ): Promise<{ version: number; heardAt: number | null; settings: ConfigValues | null }> {
        const [said] = await sql.all<{ version: number | null; heardAt: number | null }>(
            `SELECT config_version AS version, config_at AS "heardAt" FROM mote WHERE id = ?`,
            mote.id,
        )
        const version = said?.version ?? 0
        const heardAt = said?.heardAt ?? null
        if (version === 0) return { version, heardAt, settings: { ...defaultConfig } }
        const [row] = await sql.all<Row>(
            `SELECT ${columns} FROM configuration WHERE mote = ? AND version = ?`,
            ...[mote.id, version],
        )
        return { version, heardAt, settings: row ? configuration(row).settings : null }
    }

    /** A new command; one of the same name that still waits is forgotten. */
    async order(
        { mote, secrets }: { mote: Mote; secrets: Secrets },
        o: { command: CommandName; author: string },
        sql: Sql,
    ): Promise<Command> {
        const now = this.now()
        await sql.run(
            "UPDATE command SET expires_at = ? WHERE mote = ? AND name = ? AND expires_at > ?",
            ...[now, mote.id, o.command, now],
        )
        const [last] = await sql.all<{ version: number | null }>(
            "SELECT MAX(version) AS version FROM command WHERE mote = ?",
            mote.id,
        )
        const version = (last?.version ?? 0) + 1
        const seal = (keys: MoteKeys) => makeCommand(o.command, version, keys, this.random)
        const expiresAt = now + commandMs
        await sql.run(
            `INSERT INTO command (mote, version, name, author, made_at, expires_at, sealed, sealed_next)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
            ...[mote.id, version, o.command, o.author, now, expiresAt, seal(secrets.current)],
            secrets.next ? seal(secrets.next) : null,
        )
        return { version, ...o, madeAt: now, expiresAt }
    }

    /** Commands on their way, oldest first. */
    async commands(mote: { id: number }): Promise<Command[]> {
        return await this.store.all<Command>(
            `SELECT version, name AS command, author, made_at AS "madeAt", expires_at AS "expiresAt"
             FROM command WHERE mote = ? AND expires_at > ? ORDER BY version`,
            ...[mote.id, this.now()],
        )
    }

    /** The mote was given another secret: what it has to be told is sealed for that one, too. */
    async sealForNext(mote: { id: number }, keys: MoteKeys, sql: Sql): Promise<void> {
        const newest = await this.newest(mote, sql)
        if (newest)
            await sql.run(
                "UPDATE configuration SET sealed_next = ? WHERE mote = ? AND version = ?",
                makeConfig(newest.settings, newest.version, keys, this.random),
                ...[mote.id, newest.version],
            )
        await sql.run(
            "UPDATE command SET expires_at = ? WHERE mote = ? AND expires_at > ?",
            ...[this.now(), mote.id, this.now()],
        )
    }

    /**
     * Takes the mote's word, out of the envelope `boot`, `seq` that arrived at `at` (unix ms). An envelope that is older
     * than the last one with such a word changes nothing.
     */
    async heard(
        mote: { id: number },
        word: ConfigWord,
        envelope: { boot: number; seq: number },
        at: number,
        sql: Sql,
    ): Promise<void> {
        const { boot, seq } = envelope
        const changes = await sql.run(
            `UPDATE mote SET config_version = ?, config_at = ?, config_boot = ?, config_seq = ?
             WHERE id = ? AND (config_boot IS NULL OR config_boot < ? OR (config_boot = ? AND config_seq < ?))`,
            ...[word.version, at, boot, seq, mote.id, boot, boot, seq],
        )
        if (changes === 0) return
        const { refused } = word
        const newest = await this.newest(mote, sql)
        const became = async (version: number, state: ConfigState, reason: string | null) =>
            await sql.run(
                `UPDATE configuration SET state = ?, reason = ?, answered_at = ?
                 WHERE mote = ? AND version = ? AND state != ?`,
                ...[state, reason, at, mote.id, version, state],
            )
        await became(word.version, "applied", null)
        // It worked by a later one already and has lost it, with its flash: it gets it again.
        if (newest?.state === "applied" && word.version < newest.version && !refused)
            await became(newest.version, "pending", null)
        if (!refused) return
        const isUnread = refused.version === 0 && newest?.state === "pending"
        const version = isUnread ? newest.version : refused.version
        const { reason } = refused
        await became(version, rolledBack.test(reason) ? "rolled back" : "refused", reason)
    }

    /** What waits for each mote, by its id, for the routers; under its secret of now and under its next one. */
    async waiting(): Promise<Map<number, { current: Waiting; next: Waiting }>> {
        const waiting = new Map<number, { current: Waiting; next: Waiting }>()
        const newest = await this.store.all<SealedRow & { mote: number; version: number; state: ConfigState }>(
            `SELECT mote, version, state, sealed, sealed_next AS "sealedNext" FROM configuration AS c
             WHERE version = (SELECT MAX(version) FROM configuration WHERE mote = c.mote)`,
        )
        for (const { mote, version: config, state, sealed, sealedNext } of newest) {
            const isDue = state === "pending"
            waiting.set(mote, {
                current: { config, ...(isDue && { sealedConfig: sealed }) },
                next: { config, ...(isDue && sealedNext && { sealedConfig: sealedNext }) },
            })
        }
        const commands = await this.store.all<SealedRow & { mote: number; name: CommandName }>(
            `SELECT mote, name, sealed, sealed_next AS "sealedNext" FROM command
             WHERE expires_at > ? ORDER BY mote, version`,
            this.now(),
        )
        for (const { mote, name, sealed, sealedNext } of commands) {
            const entry = waiting.get(mote) ?? { current: { config: 0 }, next: { config: 0 } }
            waiting.set(mote, entry)
            add(entry.current, { name, sealed })
            if (sealedNext) add(entry.next, { name, sealed: sealedNext })
        }
        return waiting
    }

    private now(): number {
        return Math.trunc(this.clock.now())
    }
}

/** After so long without a value, in ms, a mote with these settings does not say what it should. */
export function silentMs({ power, every, sample, report }: ConfigValues): number {
    const [slackS, measurementS] = [20, 60]
    if (power === 0) return 1000 * (Math.max(sample, report) + slackS)
    return 1000 * (every + measurementS + slackS)
}

type Waiting = Pick<RouterKeys, "config" | "sealedConfig" | "commands">
type Row = Omit<Configuration, "settings"> & { settings: string }
interface SealedRow {
    sealed: Uint8Array
    sealedNext: Uint8Array | null
}

function configuration(row: Row): Configuration {
    return { ...row, settings: JSON.parse(row.settings) as ConfigValues }
}

function add(waiting: Waiting, command: SealedCommand): void {
    waiting.commands = [...(waiting.commands ?? []), command]
}
