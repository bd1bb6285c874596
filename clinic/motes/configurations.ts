import type { Clock } from "../../host/clock.ts"
import { makeCommand, makeConfig, settingAt } from "../../wire/config.ts"
import { checkConfig } from "../../wire/settings.ts"
import { isRolledBack, type Refusal } from "../../wire/tables/refusals.ts"
import { defaultConfig, type ConfigName, type ConfigValues } from "../../wire/tables/settings.ts"
import { isCount } from "../../wire/cbor.ts"
import type { CommandName, MoteKeys, RouterKeys, SealedCommand } from "../../wire/keys.ts"
import { refusedName, type Measurement } from "../../wire/pack.ts"
import { ProblemError } from "../errors.ts"
import type { Mote, Secrets } from "./motes.ts"
import type { StoredConfiguration } from "../store/configurations.ts"
import type { Store, Tables } from "../store/store.ts"

/**
 * What became of a configuration: it waits until the mote reports; the mote applies it, refused it, or applied it on trial
 * and took it back; or there was another one before the mote said anything.
 */
export type ConfigState = "pending" | "applied" | "refused" | "rolled-back" | "superseded"

/** One version of a mote's configuration. Times are unix ms. */
export interface Configuration {
    version: number
    /** All of them, in the units of wire/config.ts. */
    settings: ConfigValues
    /** Who made it. */
    author: string
    madeAt: number
    state: ConfigState
    /** The mote's reason, where it refused it or took it back. */
    reason: Refusal | null
    /** When the mote reported on it. */
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
export interface ConfigStatement {
    /** In force, on trial or for good; 0: none was ever applied. */
    version: number
    /** The version it refused or took back, 0 where it could not read it; and why. */
    refused?: { version: number; reason: Refusal }
}

/** What a pack says about the configuration, if anything (docs/configuration.md). */
export function toConfigStatement(pack: Measurement[]): ConfigStatement | undefined {
    const version = pack.find(({ name }) => name === "config")?.value
    if (!isCount(version)) return undefined
    const refused = pack.find(({ name, value }) => name === refusedName && isCount(value))
    if (!refused) return { version }
    const { value, refusal: reason = { code: "unknown", number: 0 } } = refused
    return { version, refused: { version: value, reason } }
}

/** Settings that a doctor chooses for a patient; the others are about the mote. */
const patientSettings = ["hrLow", "hrHigh", "tempLow", "tempHigh", "spo2Low", "delay"] as const satisfies ConfigName[]

/** Somebody stands beside the mote and waits: later than this, a command would surprise. */
const commandMs = 10 * 60_000

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
     * if that matters. Throws ConfigError for settings that cannot be, ProblemError where there is a newer version than `base`.
     */
    async put(
        { mote, secrets }: { mote: Mote; secrets: Secrets },
        o: { settings: unknown; author: string; base?: number | undefined },
        t: Tables,
    ): Promise<Configuration> {
        const settings = { ...defaultConfig, ...checkConfig(o.settings) }
        const newest = await this.newest(mote, t)
        if (o.base !== undefined && o.base !== (newest?.version ?? 0)) throw new ProblemError("newer-configuration")
        const inForce = await this.inForce(mote, t)
        const version = Math.max(newest?.version ?? 0, inForce.version, mote.leastVersion) + 1
        const seal = (keys: MoteKeys) => makeConfig(settings, version, keys, this.random)
        await t.configuration.replaceState(mote.id, "pending", "superseded")
        const added = await t.configuration.add({
            ...{ mote: mote.id, version, settings: JSON.stringify(settings), author: o.author, madeAt: this.now() },
            sealed: seal(secrets.current),
            sealedNext: secrets.next ? seal(secrets.next) : null,
            state: "pending",
        })
        return configuration(added)
    }

    /** Somebody else wears the mote: a new version with the limits that are the default, unless it has or gets these already. */
    async resetLimits(known: { mote: Mote; secrets: Secrets }, author: string, t: Tables): Promise<void> {
        const { mote } = known
        const newest = await this.newest(mote, t)
        const inForce = await this.inForce(mote, t)
        const told = newest?.state === "pending" ? newest.settings : inForce.settings
        const limits = Object.fromEntries(patientSettings.map(name => [name, defaultConfig[name]]))
        if (told && patientSettings.every(name => told[name] === defaultConfig[name])) return
        await this.put(known, { settings: { ...told, ...limits }, author }, t)
    }

    async newest(mote: { id: number }, t: Tables = this.store): Promise<Configuration | undefined> {
        const [row] = await t.configuration.newest(mote.id, 1)
        return row && configuration(row)
    }

    /** The newest first. */
    async history(mote: { id: number }, limit: number): Promise<Configuration[]> {
        return (await this.store.configuration.newest(mote.id, limit)).map(configuration)
    }

    /**
     * What the mote said last that it works by, and when that arrived; version 0, never heard, for one that said nothing.
     * The settings are null where the version is none of this clinic's.
     */
    async inForce(
        mote: { id: number },
        t: Tables = this.store,
    ): Promise<{ version: number; heardAt: number | null; settings: ConfigValues | null }> {
        const { version = 0, heardAt = null } = (await t.configReport.get(mote.id)) ?? {}
        if (version === 0) return { version, heardAt, settings: { ...defaultConfig } }
        const row = await t.configuration.get(mote.id, version)
        return { version, heardAt, settings: row ? configuration(row).settings : null }
    }

    /** A new command; one of the same name that still waits is forgotten. */
    async order(
        { mote, secrets }: { mote: Mote; secrets: Secrets },
        o: { command: CommandName; author: string },
        t: Tables,
    ): Promise<Command> {
        const now = this.now()
        await t.command.expire(mote.id, now, o.command)
        const version = Math.max(await t.command.newestVersion(mote.id), mote.leastVersion) + 1
        const seal = (keys: MoteKeys) => makeCommand(o.command, version, keys, this.random)
        const expiresAt = now + commandMs
        await t.command.add({
            ...{ mote: mote.id, version, name: o.command, author: o.author, madeAt: now, expiresAt },
            sealed: seal(secrets.current),
            sealedNext: secrets.next ? seal(secrets.next) : null,
        })
        return { version, ...o, madeAt: now, expiresAt }
    }

    /** Commands on their way, oldest first. */
    async commands(mote: { id: number }): Promise<Command[]> {
        const waiting = await this.store.command.waiting(this.now(), mote.id)
        return waiting.map(({ version, name, author, madeAt, expiresAt }) => ({
            ...{ version, command: name as CommandName, author, madeAt, expiresAt },
        }))
    }

    /** The mote was given another secret: what it has to be told is sealed for that one, too. */
    async sealForNext(mote: { id: number }, keys: MoteKeys, t: Tables): Promise<void> {
        const newest = await this.newest(mote, t)
        if (newest) {
            const sealed = makeConfig(newest.settings, newest.version, keys, this.random)
            await t.configuration.setNextSeal(mote.id, newest.version, sealed)
        }
        await t.command.expire(mote.id, this.now())
    }

    /** The mote uses its next secret: what was sealed for that counts, and its envelopes are numbered anew. */
    async takeNextSecret(mote: { id: number }, t: Tables): Promise<void> {
        await t.configuration.takeNextSeal(mote.id)
        await t.command.takeNextSeal(mote.id)
        await t.configReport.forgetEnvelope(mote.id)
    }

    /**
     * Applies what the mote states in the envelope `boot`, `seq` that arrived at `at` (unix ms). An envelope that is older
     * than the last one with such a statement changes nothing.
     */
    async applyStatement(
        mote: { id: number },
        statement: ConfigStatement,
        envelope: { boot: number; seq: number },
        at: number,
        t: Tables,
    ): Promise<void> {
        const { boot, seq } = envelope
        if (!(await t.configReport.put({ mote: mote.id, version: statement.version, heardAt: at, boot, seq }))) return
        const { refused } = statement
        const newest = await this.newest(mote, t)
        const setState = async (version: number, state: ConfigState, refusal: Refusal | null) => {
            const reason = refusal && JSON.stringify(refusal)
            await t.configuration.setState(mote.id, version, { state, reason, answeredAt: at })
        }
        await setState(statement.version, "applied", null)
        // It worked by a later one already and has lost it, with its flash: it gets it again.
        if (newest?.state === "applied" && statement.version < newest.version && !refused)
            await setState(newest.version, "pending", null)
        if (!refused) return
        const isUnread = refused.version === 0 && newest?.state === "pending"
        const version = isUnread ? newest.version : refused.version
        const reason = await this.withName(refused.reason, mote, version, t)
        await setState(version, isRolledBack(reason) ? "rolled-back" : "refused", reason)
    }

    /** A mote that does not know a setting can only say where in the map that is. */
    private async withName(refusal: Refusal, mote: { id: number }, version: number, t: Tables): Promise<Refusal> {
        const { code, index } = refusal
        const row = index === undefined ? undefined : await t.configuration.get(mote.id, version)
        const setting = row && settingAt(configuration(row).settings, index!)
        return setting === undefined ? refusal : { code, setting }
    }

    /** What waits for each mote, by its id, for the routers; under its secret of now and under its next one. */
    async waiting(): Promise<Map<number, { current: Waiting; next: Waiting }>> {
        const waiting = new Map<number, { current: Waiting; next: Waiting }>()
        const newest = await this.store.configuration.newestSealed()
        for (const { mote, version: config, state, sealed, sealedNext } of newest) {
            const isDue = state === "pending"
            waiting.set(mote, {
                current: { config, ...(isDue && { sealedConfig: sealed }) },
                next: { config, ...(isDue && sealedNext && { sealedConfig: sealedNext }) },
            })
        }
        for (const { mote, sealed, sealedNext, ...command } of await this.store.command.waiting(this.now())) {
            const name = command.name as CommandName
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

function configuration({ settings, state, reason, ...row }: StoredConfiguration): Configuration {
    return {
        ...row,
        settings: JSON.parse(settings) as ConfigValues,
        state: state as ConfigState,
        reason: reason === null ? null : (JSON.parse(reason) as Refusal),
    }
}

function add(waiting: Waiting, command: SealedCommand): void {
    waiting.commands = [...(waiting.commands ?? []), command]
}
