import { UserError } from "../host/errors.ts"
import { elapsedMs, type Clock } from "../host/clock.ts"
import type { Log } from "../host/log.ts"
import { LogSummary } from "../host/log-summary.ts"
import type { Delivery, DeliveryResult } from "../wire/batch.ts"
import type { CommandName, RouterKeys } from "../wire/keys.ts"
import { Accounts } from "./people/accounts.ts"
import { Audit } from "./audit/audit.ts"
import { chainPage } from "./audit/chain.ts"
import type { ChainPage } from "./audit/verify.ts"
import { Alarms } from "./alarms/alarms.ts"
import { ArrivalWatch } from "./alarms/arrivals.ts"
import { BatteryWatch } from "./alarms/batteries.ts"
import { defaultRules, type AlarmRules } from "./alarms/rules.ts"
import { limitOf } from "./alarms/urgency.ts"
import { WardRules } from "./alarms/ward-rules.ts"
import { SilenceWatch } from "./alarms/silence.ts"
import { Burden } from "./burden/burden.ts"
import { Deliveries } from "./delivery/deliveries.ts"
import { ProblemError } from "./errors.ts"
import { conditionsOf, type Condition } from "./conditions.ts"
import { completeness, type Completeness } from "./motes/completeness.ts"
import { Configurations, type Command, type Configuration } from "./motes/configurations.ts"
import { Grants } from "./motes/grants.ts"
import { ingest } from "./ingest/ingest.ts"
import { LiveAlarms, LiveObservations } from "./live.ts"
import type { AssociationEnd } from "./motes/association-end.ts"
import { Associations } from "./motes/associations.ts"
import { isWorn, Motes, type Mote, type Secrets, type WornMote } from "./motes/motes.ts"
import { News2, type PatientScore } from "./news2/news2.ts"
import type { SaturationScale } from "./news2/score.ts"
import { News2Watch } from "./news2/watch.ts"
import { Erasures } from "./retention/erasures.ts"
import { LegalHolds } from "./retention/legal-holds.ts"
import { Retention } from "./retention/retention.ts"
import { RetentionRules } from "./retention/rules.ts"
import { Bedside, type BedsideEntry } from "./readings/bedside.ts"
import { Observations, type Observation } from "./readings/observations.ts"
import { Notes } from "./people/notes.ts"
import { SecondFactors } from "./people/second-factors.ts"
import { Identities } from "./sign-in/identities.ts"
import { Passkeys } from "./sign-in/passkeys.ts"
import { Sealed } from "./sign-in/sealed.ts"
import { BreakGlass } from "./people/break-glass.ts"
import { Patients, type NewPatient } from "./people/patients.ts"
import { roles, scopeOf } from "./people/permissions.ts"
import { Routers, type RouterTimes } from "./routers.ts"
import type { Store, Tables } from "./store/store.ts"
import { ownTimeZone } from "./time-zone.ts"
import { Vault } from "./motes/vault.ts"

export interface ClinicOptions {
    store: Store
    clock: Clock
    random: (bytes: number) => Uint8Array
    /** 32 bytes; wraps the motes' secrets. */
    key: Uint8Array
    log: Log
    /** What is done about alarms where a ward has not said otherwise. */
    alarmRules?: AlarmRules
    /** Names of the ways to tell people beside the page. */
    channels?: readonly string[]
    /** Of the wards (IANA); that of this machine where it is left out. */
    timeZone?: string
    /** Lets others have their turn between the pieces of a large batch; a simulation does that in its own time. */
    turn?: () => Promise<void>
}

const nextTurn = () => new Promise<void>(resolve => setImmediate(resolve))

/** A check writes to the disk, and anybody may ask for it: not more often than this. */
const checkMs = 5_000

/** What the first start makes. It is shown once: the clinic keeps hashes only. */
export interface Credentials {
    doctor: { user: string; password: string; token: string }
    router: { token: string }
}

/** The clinic without its sockets: everything that HTTP, the command line and the simulator ask of it. */
export class Clinic {
    /** Of the wards (IANA). */
    readonly timeZone: string
    readonly accounts: Accounts
    readonly secondFactors: SecondFactors
    readonly identities: Identities
    readonly passkeys: Passkeys
    /** What browsers keep between two steps of a sign-in. */
    readonly sealed: Sealed
    readonly patients: Patients
    readonly breakGlass: BreakGlass
    readonly notes: Notes
    readonly audit: Audit
    readonly motes: Motes
    readonly associations: Associations
    readonly configurations: Configurations
    readonly observations: Observations
    readonly bedside: Bedside
    readonly news2: News2
    readonly news2Watch: News2Watch
    readonly alarms: Alarms
    readonly burden: Burden
    readonly deliveries: Deliveries
    readonly wardRules: WardRules
    readonly silence: SilenceWatch
    readonly arrivals: ArrivalWatch
    readonly batteries: BatteryWatch
    readonly retentionRules: RetentionRules
    readonly retention: Retention
    readonly legalHolds: LegalHolds
    readonly erasures: Erasures
    readonly routers: Routers
    readonly grants: Grants
    readonly live: LiveObservations
    readonly liveAlarms: LiveAlarms
    private readonly o: ClinicOptions
    private checked: { at: number; result: Promise<void> } | undefined
    private readonly refused: LogSummary
    private readonly altered: LogSummary
    private readonly flawed: LogSummary
    private readonly storedListeners: ((lagMs: number) => void)[] = []
    private readonly counters = { stored: 0, duplicate: 0, refused: 0 }

    private constructor(o: ClinicOptions, newest: number) {
        this.o = o
        const timeZone = (this.timeZone = o.timeZone ?? ownTimeZone())
        this.wardRules = new WardRules({
            ...{ store: o.store, defaults: o.alarmRules ?? defaultRules, timeZone },
            receivers: [...(o.channels ?? []), ...roles.filter(role => scopeOf({ role }, "acknowledge") !== undefined)],
            now: () => this.now(),
        })
        this.refused = new LogSummary("envelopes refused", o)
        this.altered = new LogSummary("envelopes altered with the keys of these routers", { ...o, level: "error" })
        this.flawed = new LogSummary("envelopes kept with a problem, by mote", o)
        const vault = new Vault(o.key, o.random)
        this.secondFactors = new SecondFactors({ store: o.store, clock: o.clock, random: o.random, vault })
        this.patients = new Patients(o.store, o.clock)
        this.breakGlass = new BreakGlass(o.store, o.clock, this.patients)
        this.accounts = new Accounts({ ...o, secondFactors: this.secondFactors, breakGlass: this.breakGlass })
        this.passkeys = new Passkeys(o)
        this.identities = new Identities(o.store, this.accounts, o.clock)
        this.sealed = new Sealed(vault.derived("sign-in"), o.clock)
        this.notes = new Notes(o.store, o.clock)
        this.associations = new Associations(o.store, o.clock)
        this.motes = new Motes({ ...o, vault, associations: this.associations })
        this.audit = new Audit(o)
        this.retentionRules = new RetentionRules(o.store, () => this.now())
        this.legalHolds = new LegalHolds(o.store, () => this.now())
        const { accounts: ownAccounts, audit } = this
        this.erasures = new Erasures({ store: o.store, accounts: ownAccounts, audit, now: () => this.now() })
        this.retention = new Retention({ ...o, rules: this.retentionRules, erasures: this.erasures, audit })
        this.observations = new Observations(o.store)
        this.configurations = new Configurations(o.store, o.clock, o.random)
        this.alarms = new Alarms({
            ...{ store: o.store, clock: o.clock, rules: (ward, at) => this.wardRules.of(ward, at) },
            limitOf: (mote, kind, t) => this.limitOf(mote, kind, t),
            newest: async (patient, name) => presentOf(await this.observations.newest(patient, name)),
        })
        this.routers = new Routers(o.store, () => elapsedMs(o.clock))
        const { store, clock, log } = o
        const { accounts, motes, configurations, alarms } = this
        this.grants = new Grants({ store, accounts, motes, configurations })
        this.silence = new SilenceWatch({
            ...{
                store: o.store,
                alarms: this.alarms,
                motes: this.motes,
                routers: this.routers,
                configurations: this.configurations,
                log: o.log,
            },
            now: () => this.now(),
            elapsed: () => elapsedMs(o.clock),
        })
        const watched = { store, alarms, motes, now: () => this.now() }
        this.arrivals = new ArrivalWatch(watched)
        this.batteries = new BatteryWatch({ ...watched, timeZone, elapsed: () => elapsedMs(clock) })
        this.deliveries = new Deliveries(store)
        this.burden = new Burden(store, configurations)
        this.bedside = new Bedside(store, clock)
        this.news2 = new News2({ store, clock, bedside: this.bedside, motes, configurations })
        this.news2Watch = new News2Watch({
            ...{ store, alarms, news2: this.news2, log },
            now: () => this.now(),
            elapsed: () => elapsedMs(clock),
        })
        this.liveAlarms = new LiveAlarms(this.alarms, o.store, o.log)
        this.live = new LiveObservations(this.observations, newest, o.store, o.log)
    }

    /** Throws UserError where `key` is not the one that the store's secrets were wrapped with. */
    static async open(o: ClinicOptions): Promise<Clinic> {
        const clinic = new Clinic(o, await new Observations(o.store).newestId())
        if (!(await clinic.motes.opens()))
            throw new UserError("the clinic's key is not the one its database was written with")
        await clinic.wardRules.load(o.log)
        return clinic
    }

    /**
     * Verifies, decrypts and stores a batch, in as many transactions as it takes that nobody else waits long; the results are in
     * its order. What is reported as `stored` or `duplicate` is durable. Rejects where the store fails: delivered again, what had
     * been stored by then is a `duplicate`. `router` is the account that delivers, and what it says of its clock.
     */
    async ingest(
        batch: Delivery[],
        router: { account: number } & RouterTimes = { account: 0 },
    ): Promise<DeliveryResult[]> {
        const { store, turn = nextTurn } = this.o
        const { refused, altered, flawed } = this
        const { motes, configurations, alarms } = this
        const { account } = router
        const clockOffset = account === 0 ? 0 : await this.routers.heard(account, router, this.now())
        const results: DeliveryResult[] = []
        while (results.length < batch.length) {
            if (results.length > 0) await turn()
            const now = this.now()
            const some = await store.transaction(tables =>
                ingest(batch.slice(results.length), {
                    ...{ router: account, clockOffset, now, motes, configurations, alarms, tables },
                    ...{ refused, altered, flawed },
                }),
            )
            for (const { status } of some) this.counters[status]++
            this.tellLags(batch.slice(results.length, results.length + some.length), clockOffset, now)
            results.push(...some)
        }
        const oldest = Math.min(...batch.map(({ receivedAt }) => receivedAt))
        if (account !== 0 && batch.length > 0) this.routers.delivered(account, this.now() - oldest - clockOffset)
        return results
    }

    private tellLags(stored: readonly Delivery[], clockOffset: number, now: number): void {
        for (const listener of this.storedListeners)
            for (const { receivedAt } of stored) listener(now - receivedAt - clockOffset)
    }

    /** Calls `listener` for each envelope that a router has delivered, with how long ago the router received it, ms. */
    onStored(listener: (lagMs: number) => void): void {
        this.storedListeners.push(listener)
    }

    /** Returns the keys that a router may hold and the pending messages; those of every mote if no router is given. */
    async keys(router?: number): Promise<RouterKeys[]> {
        return router === undefined ? await this.grants.all() : await this.grants.of(router)
    }

    /** Returns the keys of those of these motes that a router may serve, now that they have appeared at it. */
    async keysOf(kids: readonly Uint8Array[], router: number): Promise<RouterKeys[]> {
        return await this.grants.give(router, kids)
    }

    /**
     * A new configuration for a mote, as `Configurations.put` says, which throws what this throws; undefined where there is
     * no such mote.
     */
    async configure(
        kid: Uint8Array,
        o: { settings: unknown; author: string; base?: number | undefined },
    ): Promise<Configuration | undefined> {
        return await this.told(kid, (known, tables) => this.configurations.put(known, o, tables))
    }

    /** A command for a mote; undefined where there is no such mote. Throws ProblemError for a revoked one. */
    async command(kid: Uint8Array, o: { command: CommandName; author: string }): Promise<Command | undefined> {
        return await this.told(kid, (known, tables) => this.configurations.order(known, o, tables))
    }

    /** A new secret for a mote, as `Motes.rotate` says; what it is to be told is sealed for it as well. */
    async rotate(kid: Uint8Array): Promise<{ mote: Mote; secret: Uint8Array } | undefined> {
        return await this.o.store.transaction(async tables => {
            const rotated = await this.motes.rotate(kid, tables)
            if (!rotated) return undefined
            const { mote, secret, keys } = rotated
            await this.configurations.sealForNext(mote, keys, tables)
            return { mote, secret }
        })
    }

    /** A new identity, as `Motes.register` says. */
    async register(patient: number | null, by: string | null): Promise<{ mote: Mote; secret: Uint8Array }> {
        return await this.o.store.transaction(tables => this.motes.register(patient, tables, by))
    }

    /**
     * From now on that patient wears this mote, by the limits that are the default. The mote comes from nobody, or, where that is
     * `confirmed`, from another patient. Throws ProblemError; undefined where there is no such mote.
     */
    async pair(
        kid: Uint8Array,
        o: { patient: number; by: string | null; isConfirmed?: boolean },
    ): Promise<Mote | undefined> {
        const { patient, by } = o
        return await this.told(kid, async ({ mote, secrets }, tables) => {
            if (mote.patient === patient) return mote
            if (isWorn(mote)) {
                if (!o.isConfirmed) throw new ProblemError("mote-in-use", { patient: mote.patient })
                await this.dissociate(mote, { reason: "taken-off", by }, tables)
            }
            await this.associations.begin({ mote: mote.id, patient, by }, tables)
            const paired = (await this.motes.get(kid, tables))!
            await this.alarms.handOver(paired, tables)
            await this.configurations.resetLimits({ mote, secrets }, by ?? "clinic", tables)
            return paired
        })
    }

    /** From now on nobody wears this mote: its alarms are over. False where nobody did; undefined where there is no such mote. */
    async takeOff(kid: Uint8Array, by: string | null = null): Promise<boolean | undefined> {
        return await this.o.store.transaction(async tables => {
            const mote = await this.motes.get(kid, tables)
            if (!mote) return undefined
            if (!isWorn(mote)) return false
            await this.dissociate(mote, { reason: "taken-off", by }, tables)
            return true
        })
    }

    /** From now on nothing of this mote is accepted, and its alarms are over. False where there is none to revoke. */
    async revoke(kid: Uint8Array, by: string | null = null): Promise<boolean> {
        return await this.o.store.transaction(async tables => {
            const mote = await this.motes.get(kid, tables)
            if (!mote || !(await this.motes.revoke(mote, tables))) return false
            if (isWorn(mote)) await this.dissociate(mote, { reason: "revoked", by }, tables)
            return true
        })
    }

    /** Takes a patient off the ward, and the motes off the patient. False where there is no such patient. */
    async discharge(patient: number, by: string | null = null): Promise<boolean> {
        return await this.o.store.transaction(async tables => {
            const reason = "discharged"
            for (const association of await tables.association.open(patient))
                await this.associations.end(association, { reason, by }, tables)
            await this.alarms.endOf({ patient }, reason, tables)
            return await this.patients.discharge(patient, tables)
        })
    }

    /** Stores what a nurse has observed, and answers with the score. Throws ProblemError. */
    async observe(patient: number, entry: BedsideEntry, user: string): Promise<PatientScore> {
        await this.news2.enter(patient, entry, user)
        await this.news2Watch.checkPatient(patient)
        return await this.news2.of(patient)
    }

    /** Which SpO₂ scale applies from now on; answers with the score. Throws ProblemError. */
    async chooseScale(patient: number, scale: SaturationScale, user: string): Promise<PatientScore> {
        await this.news2.setScale(patient, scale, user)
        await this.news2Watch.checkPatient(patient)
        return await this.news2.of(patient)
    }

    /** A piece of the audit record, as `verifyChain` takes it. */
    async auditChain(after: number): Promise<ChainPage> {
        return await chainPage(this.o.store, after)
    }

    /**
     * Calls `listener` when somebody may see other patients than before: one was admitted, moved, opened, or an account's wards
     * changed. Returns how to stop it.
     */
    onReachChanged(listener: () => void): () => void {
        const tables = ["patient", "account", "account_ward", "break_glass", "token"] as const
        return this.o.store.onChanged(changes => {
            if (tables.some(table => changes.has(table))) listener()
        })
    }

    /** How complete the data of a mote is. */
    async completeness(mote: { id: number }): Promise<Completeness> {
        return await completeness(this.o.store, mote, this.now())
    }

    /**
     * Makes a doctor and a router on the first start; undefined when there are users already. `save` runs before it
     * becomes final: where it fails, nothing was made, so the credentials cannot get lost between here and a file.
     */
    async setUp(save?: (credentials: Credentials) => Promise<void>): Promise<Credentials | undefined> {
        return await this.o.store.transaction(async tables => {
            if (!(await this.accounts.isEmpty(tables))) return undefined
            const user = "doctor"
            const password = this.accounts.newPassword()
            const doctor = await this.accounts.add({ name: user, role: "doctor", password, wards: "all" }, tables)
            const router = await this.accounts.add({ name: "router", role: "router" }, tables)
            const credentials = {
                doctor: { user, password, token: await this.accounts.addToken(doctor.id, tables) },
                router: { token: await this.accounts.addToken(router.id, tables) },
            }
            await save?.(credentials)
            return credentials
        })
    }

    /**
     * A new patient on the ward with a mote. `save` runs before it becomes final: where it fails, nothing was made, so
     * the secret cannot get lost between here and a file.
     */
    async admit(data: NewPatient, save: (mote: Mote, secret: Uint8Array) => Promise<void>): Promise<void> {
        await this.o.store.transaction(async tables => {
            const patient = await this.patients.add(data, tables)
            const { mote, secret } = await this.motes.register(patient.id, tables)
            await save(mote, secret)
        })
    }

    private async dissociate(
        { id, association, wornSince }: WornMote,
        o: { reason: AssociationEnd; by: string | null },
        t: Tables,
    ): Promise<void> {
        await this.associations.end({ id: association, beginsAt: wornSince }, o, t)
        await this.alarms.endOf({ mote: id, association }, o.reason, t)
    }

    /** That a mote goes by. */
    private async limitOf(mote: number, kind: string, t: Tables): Promise<number | undefined> {
        const limit = limitOf(kind)?.limit
        if (typeof limit !== "string") return limit
        return (await this.configurations.inForce({ id: mote }, t)).settings?.[limit]
    }

    private async told<T>(
        kid: Uint8Array,
        tell: (known: { mote: Mote; secrets: Secrets }, tables: Tables) => Promise<T>,
    ): Promise<T | undefined> {
        return await this.o.store.transaction(async tables => {
            const known = await this.motes.withSecrets(kid, tables)
            if (!known) return undefined
            if (known.mote.revokedAt !== null) throw new ProblemError("revoked")
            return await tell(known, tables)
        })
    }

    /** Deliveries since the start, by outcome. */
    stats(): { stored: number; duplicate: number; refused: number } {
        return { ...this.counters }
    }

    /** Throws where nothing can be stored. Whoever asks too often gets the last answer. */
    async check(): Promise<void> {
        const now = elapsedMs(this.o.clock)
        if (!this.checked || now - this.checked.at >= checkMs)
            this.checked = { at: now, result: this.o.store.probe(this.now()) }
        await this.checked.result
    }

    /** What makes that which is shown wrong or incomplete. */
    async conditions(): Promise<Condition[]> {
        return conditionsOf(await this.routers.all(), this.o.store.failure, this.now())
    }

    /** Unix time in whole milliseconds. */
    now(): number {
        return Math.trunc(this.o.clock.now())
    }

    async close(): Promise<void> {
        await this.o.store.close()
    }
}

function presentOf(observation: Observation | undefined) {
    if (!observation || observation.value === null) return undefined
    return { value: observation.value, time: observation.time }
}
