import type { Kysely } from "kysely"
import type { Access } from "./access.ts"
import { AccountTable } from "./accounts.ts"
import { AccountWardTable } from "./account-wards.ts"
import { AlarmEntryTable } from "./alarm-entries.ts"
import { AlarmTable } from "./alarms.ts"
import { AssociationTable } from "./associations.ts"
import { AuditTable } from "./audit.ts"
import { BedsideTable } from "./bedside.ts"
import { BreakGlassTable } from "./break-glass.ts"
import { CommandTable } from "./commands.ts"
import { ConfigReportTable } from "./config-reports.ts"
import { ConfigurationTable } from "./configurations.ts"
import { CurrentTable } from "./currents.ts"
import { DeliveryTable } from "./deliveries.ts"
import { ErasureTable } from "./erasures.ts"
import { ExpiryTables } from "./expiry.ts"
import { EnvelopeTable } from "./envelopes.ts"
import { StoreFailure, type StoreFailureKind } from "./failure.ts"
import { GapTable } from "./gaps.ts"
import { LegalHoldTable } from "./legal-holds.ts"
import { MeanTable } from "./means.ts"
import { MeasurementTable } from "./measurements.ts"
import { MoteAlarmTable } from "./mote-alarms.ts"
import { MoteTable } from "./motes.ts"
import { NoteTable } from "./notes.ts"
import { OpenIdLinkTable } from "./openid-links.ts"
import { PasskeyTable } from "./passkeys.ts"
import { PatientTable } from "./patients.ts"
import { PublicationTable } from "./publications.ts"
import { RetentionTable } from "./retention.ts"
import { RouterMoteTable } from "./router-motes.ts"
import { RouterTable } from "./routers.ts"
import { SaturationScaleTable } from "./saturation-scales.ts"
import type { Schema, TableName } from "./schema.ts"
import { SecondFactorTable } from "./second-factors.ts"
import { SessionTable } from "./sessions.ts"
import { SetupLinkTable } from "./setup-links.ts"
import { StartTable } from "./starts.ts"
import { TokenTable } from "./tokens.ts"
import { WardRulesTable } from "./ward-rules.ts"

/** What a probe writes after a failure: more than a log that was emptied may have left. */
const probeBytes = 256 * 1024

/** What was written, by table, with the ids of the rows for tables that are listened to row by row. */
export type Changes = ReadonlyMap<TableName, ReadonlySet<number>>

/** What an engine has to say and do where several processes may have its database open. */
export interface Engine {
    /** Runs a transaction when its turn comes, anew where another process came between. */
    inTurn<T>(attempt: () => Promise<T>): Promise<T>
    /** Tells other processes what was written: in the transaction, or after a statement of its own. */
    announce(db: Kysely<Schema>, changes: Changes): Promise<void>
    readonly isOnDuty: () => boolean
    readonly process: number
    living(): Promise<ReadonlySet<number>>
    readonly ids: Ids
    close(): Promise<void>
}

/** The numbers that new rows of a table get. */
export interface Ids {
    /** The highest one that was given out. */
    last(db: Kysely<Schema>, table: TableName): Promise<number>
    /** From now on they are higher than `last`. */
    continue(db: Kysely<Schema>, table: TableName, last: number): Promise<void>
}

/** Of a process that has its database to itself. */
export const alone: Omit<Engine, "ids"> = {
    inTurn: attempt => attempt(),
    announce: () => Promise.resolve(),
    isOnDuty: () => true,
    process: 0,
    living: () => Promise.resolve(new Set()),
    close: () => Promise.resolve(),
}

/** What can be copied. */
export type Source = Pick<Store, "db" | "lastId">

/** Tables that somebody listens to. */
const listened: readonly TableName[] = [
    ...(["measurement", "alarm", "delivery", "ward_rules"] as const),
    ...(["patient", "account", "account_ward", "break_glass", "token"] as const),
]
/** What happens to alarms while a process does not hear of it is less than this. */
const missedEntries = 1000

/** One repository for each table. Only the room that a table belongs to writes it. */
export class Tables {
    readonly account: AccountTable
    readonly openIdLink: OpenIdLinkTable
    readonly passkey: PasskeyTable
    readonly token: TokenTable
    readonly session: SessionTable
    readonly setupLink: SetupLinkTable
    readonly secondFactor: SecondFactorTable
    readonly patient: PatientTable
    readonly mote: MoteTable
    readonly association: AssociationTable
    readonly moteAlarm: MoteAlarmTable
    readonly envelope: EnvelopeTable
    readonly start: StartTable
    readonly gap: GapTable
    readonly measurement: MeasurementTable
    readonly configuration: ConfigurationTable
    readonly configReport: ConfigReportTable
    readonly command: CommandTable
    readonly alarm: AlarmTable
    readonly alarmEntry: AlarmEntryTable
    readonly wardRules: WardRulesTable
    readonly current: CurrentTable
    readonly router: RouterTable
    readonly delivery: DeliveryTable
    readonly accountWard: AccountWardTable
    readonly breakGlass: BreakGlassTable
    readonly bedside: BedsideTable
    readonly saturationScale: SaturationScaleTable
    readonly routerMote: RouterMoteTable
    readonly note: NoteTable
    readonly audit: AuditTable
    readonly publication: PublicationTable
    readonly retention: RetentionTable
    readonly mean: MeanTable
    readonly legalHold: LegalHoldTable
    readonly erasure: ErasureTable
    /** What of measurements, means and envelopes is removed, and in which pieces. */
    readonly expiry: ExpiryTables

    constructor(access: Access) {
        this.account = new AccountTable(access)
        this.openIdLink = new OpenIdLinkTable(access)
        this.passkey = new PasskeyTable(access)
        this.token = new TokenTable(access)
        this.session = new SessionTable(access)
        this.setupLink = new SetupLinkTable(access)
        this.secondFactor = new SecondFactorTable(access)
        this.patient = new PatientTable(access)
        this.mote = new MoteTable(access)
        this.association = new AssociationTable(access)
        this.moteAlarm = new MoteAlarmTable(access)
        this.envelope = new EnvelopeTable(access)
        this.start = new StartTable(access)
        this.gap = new GapTable(access)
        this.measurement = new MeasurementTable(access)
        this.configuration = new ConfigurationTable(access)
        this.configReport = new ConfigReportTable(access)
        this.command = new CommandTable(access)
        this.alarm = new AlarmTable(access)
        this.alarmEntry = new AlarmEntryTable(access)
        this.wardRules = new WardRulesTable(access)
        this.current = new CurrentTable(access)
        this.router = new RouterTable(access)
        this.delivery = new DeliveryTable(access)
        this.accountWard = new AccountWardTable(access)
        this.breakGlass = new BreakGlassTable(access)
        this.bedside = new BedsideTable(access)
        this.saturationScale = new SaturationScaleTable(access)
        this.routerMote = new RouterMoteTable(access)
        this.note = new NoteTable(access)
        this.audit = new AuditTable(access)
        this.publication = new PublicationTable(access)
        this.retention = new RetentionTable(access)
        this.mean = new MeanTable(access)
        this.legalHold = new LegalHoldTable(access)
        this.erasure = new ErasureTable(access)
        this.expiry = new ExpiryTables(access)
    }
}

/** The clinic's database, whatever its engine: each engine is a folder that opens one. */
export class Store extends Tables {
    /** For plain SQL, by tests and engines; the rooms use repositories. */
    readonly db: Kysely<Schema>
    private readonly engine: Engine
    private failed: StoreFailureKind | undefined
    private readonly listeners = new Set<(changes: Changes) => void>()

    constructor(db: Kysely<Schema>, engine: Engine) {
        super({
            ...{ db, root: db },
            changed: (table, ...ids) => {
                const changes = new Map([[table, new Set(ids)]])
                this.hear(changes)
                void engine.announce(db, changes).catch(() => {})
            },
        })
        this.db = db
        this.engine = engine
    }

    /**
     * Runs `work` as one transaction, committed durably before this returns, or not at all where `work` throws. Transactions run one
     * after the other, and where somebody else changed what one had read, it runs again from its beginning. Inside, use the given
     * `tables` only: the store itself may wait until the transaction is over.
     */
    async transaction<T>(work: (tables: Tables) => Promise<T>): Promise<T> {
        let changes = new Map<TableName, Set<number>>()
        const attempt = async () => {
            changes = new Map()
            const changed = (table: TableName, ...ids: number[]) => {
                let known = changes.get(table)
                if (!known) changes.set(table, (known = new Set()))
                for (const id of ids) known.add(id)
            }
            return await this.db.transaction().execute(async db => {
                const result = await work(new Tables({ db, root: this.db, changed }))
                if (changes.size > 0) await this.engine.announce(db, changes)
                return result
            })
        }
        const result = await this.noting(
            () => this.engine.inTurn(attempt),
            () => changes.size > 0,
        )
        if (changes.size > 0) this.hear(changes)
        return result
    }

    /**
     * Whether this process does what one process on a database has to do: watch the time for alarms, and tell people. Another one
     * does it where this one has ended or lost its connection.
     */
    get isOnDuty(): boolean {
        return this.engine.isOnDuty()
    }

    /** The number of this process, and which others have the database open; 0 and none where it has it to itself. */
    get process(): number {
        return this.engine.process
    }

    async living(): Promise<ReadonlySet<number>> {
        return await this.engine.living()
    }

    /** Calls `listener` after each commit with what was written, before whoever wrote hears of it. Returns how to stop it. */
    onChanged(listener: (changes: Changes) => void): () => void {
        this.listeners.add(listener)
        return () => void this.listeners.delete(listener)
    }

    /** Of a table whose rows are numbered. */
    async lastId(table: TableName): Promise<number> {
        return await this.engine.ids.last(this.db, table)
    }

    /** @param db within a transaction */
    async continueIds(db: Kysely<Schema>, table: TableName, last: number): Promise<void> {
        await this.engine.ids.continue(db, table, last)
    }

    /** Others have written: whoever listens hears of it as of our own. */
    hear(changes: Changes): void {
        for (const listener of this.listeners) listener(changes)
    }

    /** What others wrote was not told for a while: everything may have changed. */
    async missed(): Promise<void> {
        const changed = await this.alarmEntry.newestAlarms(missedEntries).catch(() => [])
        const open = await this.alarm.open("all").catch(() => [])
        const ids = new Set([...changed, ...open.map(({ id }) => id)])
        this.hear(new Map(listened.map(table => [table, table === "alarm" ? ids : new Set<number>()])))
    }

    /**
     * Writes something, as much as an envelope takes where the last commit failed: throws where nothing can be stored.
     * @param at unix ms
     */
    async probe(at: number): Promise<void> {
        const room = new Uint8Array(this.failed ? probeBytes : 0)
        await this.noting(async () => {
            await this.db
                .insertInto("probe")
                .values({ id: 1, at, room })
                .onConflict(conflict => conflict.column("id").doUpdateSet({ at, room }))
                .execute()
        })
    }

    /** Why the last commit or probe failed; undefined where it did not. */
    get failure(): StoreFailureKind | undefined {
        return this.failed
    }

    async close(): Promise<void> {
        await this.engine.close()
        await this.db.destroy()
    }

    /** Remembers whether it failed for want of a working store. What has written nothing shows nothing. */
    private async noting<T>(work: () => Promise<T>, hasWritten = () => true): Promise<T> {
        try {
            const result = await work()
            if (hasWritten()) this.failed = undefined
            return result
        } catch (error) {
            if (error instanceof StoreFailure) this.failed = error.kind
            throw error
        }
    }
}
