import type { Clock } from "../../host/clock.ts"
import type { AlarmEvent } from "../../wire/alarms.ts"
import { isVitalName, type VitalName } from "../../wire/tables/quantities.ts"
import { ProblemError } from "../errors.ts"
import type { AssociationEnd } from "../motes/association-end.ts"
import { presentOf, type Wearing } from "../motes/attribution.ts"
import type { Mote } from "../motes/motes.ts"
import type { Reading } from "../readings/readings.ts"
import type { StoredAlarmEntry } from "../store/alarm-entries.ts"
import type { AlarmPeriod, ShownAlarm, StoredAlarm } from "../store/alarms.ts"
import type { Seen } from "../store/seen.ts"
import type { Store, Tables } from "../store/store.ts"
import { shown, type Alarm, type Present } from "./alarm.ts"
import { born, flutterMs, notAheadOf, type Event, type Refusal } from "./life.ts"
import { Lives, type AlarmFollower } from "./lives.ts"
import type { AlarmRules } from "./rules.ts"
import { lifeOf, setLife } from "./stored-life.ts"
import { isMoreUrgent, isWorse, limitOf, priorityOf } from "./urgency.ts"

/** What an alarm is about. */
export interface Subject {
    /** As `mote/7/3` (the association 3 of the mote 7), `mote/7` (on nobody) or `router/NAME`. */
    source: string
    /** Of the mote. */
    mote: number | null
    patient: number | null
    /** Since when it cannot last any more: the mote was taken off. */
    endedAt: number | null
}

export interface AlarmsOptions {
    store: Store
    clock: Clock
    /** Of a ward, as they are at that time (unix ms). */
    rules: (ward: string | null, at: number) => AlarmRules
    /** The limit that a mote goes by; undefined where that is unknown. */
    limitOf: (mote: number, kind: string, t: Tables) => Promise<number | undefined>
    /** The newest value of a patient. */
    newest: (patient: number, name: VitalName) => Promise<Present>
}

/** Beginnings and ends beyond these say nothing new in the history of one alarm. */
const maxRepetitions = 20
const atOnce = 50
/** A clock that has jumped makes no alarm due more often than it has steps. */
const maxRounds = 200

const refusals = {
    closed: "alarm-closed",
    "already-acknowledged": "already-acknowledged",
    "nothing-to-undo": "nothing-to-undo",
    "condition-is-over": "alarm-over",
} as const satisfies Record<Refusal, string>

/**
 * The alarms of all motes, and those that the clinic raises: each once, however often and in whatever order one is told of it. What
 * begins again before it is acknowledged is the same line on the screen.
 */
/** An alarm, and what somebody did to it. */
export interface AlarmLife {
    alarm: ShownAlarm
    done: StoredAlarmEntry[]
}

export class Alarms {
    private readonly o: AlarmsOptions
    private readonly lives: Lives

    constructor(o: AlarmsOptions) {
        this.o = o
        this.lives = new Lives(o.rules)
    }

    /** From now on that one hears of every alarm. */
    follow(follower: AlarmFollower): void {
        this.lives.follower = follower
    }

    /**
     * Takes one event of a mote, which is about who wore it, or about nobody; `generation` is that of the secret it came under (a
     * mote without memory numbers anew). Costs the same however many alarms there are.
     */
    async take(
        mote: Mote,
        whose: Wearing | undefined,
        { generation, event }: { generation: number; event: AlarmEvent },
        t: Tables,
    ): Promise<void> {
        const { kind, id: number, raised: isOn, unit } = event
        await t.moteAlarm.put({ mote: mote.id, kind, generation, number, isOn, unit })
        await this.hear(subjectDuring(mote, whose), generation, event, t)
        if (mote.association !== null && mote.association !== whose?.id) await this.handOver(mote, t, kind)
    }

    /**
     * A mote tells once of an alarm that lasts, and not again when somebody else wears it: those of the mote are that one's, until it
     * says that they are over.
     */
    async handOver(mote: Mote, t: Tables, only?: string): Promise<void> {
        const subject = subjectOf(mote)
        const time = this.now()
        for (const { kind, generation, number, isOn, unit } of await t.moteAlarm.ofMote(mote.id)) {
            if (only !== undefined && kind !== only) continue
            const event = { kind, id: number, raised: isOn, value: null, unit, time, relative: true, untimed: false }
            const isKnown = (await t.alarm.find({ source: subject.source, kind, generation, number })) !== undefined
            if (isOn || isKnown) await this.hear(subject, generation, event, t)
        }
    }

    /** One that the clinic raises, unless it lasts already; its number is its time, so that it rises as a mote's own do. */
    async raise(
        subject: Subject,
        kind: string,
        { time, value = null, unit = null }: { time: number; value?: number | null; unit?: string | null },
        t: Tables,
    ): Promise<void> {
        // Another process on the same database may have seen the same.
        if ((await t.alarm.lasting(subject.source, kind)).length > 0) return
        const event = { kind, id: time, raised: true, value, unit, time, relative: false, untimed: false }
        await this.hear(subject, 0, event, t)
    }

    /** What the clinic raised is over. */
    async clear({ source }: Pick<Subject, "source">, kind: string, clearedAt: number, t: Tables): Promise<void> {
        for (const alarm of await t.alarm.lasting(source, kind))
            await this.end(alarm, { clearedAt, clearedAbout: 0 }, t)
    }

    /** Another alarm says more than this one of the clinic's, which leaves the screen. */
    async withdraw({ source }: Pick<Subject, "source">, kind: string, t: Tables): Promise<void> {
        for (const alarm of await t.alarm.lasting(source, kind)) await this.takeAway(alarm, t)
    }

    /**
     * Nothing more will be heard of a patient, or of a mote that was on one: these alarms are over. What was over already when a mote
     * is taken off stays on the screen until somebody has seen it.
     */
    async endOf(
        whose: { patient: number } | { mote: number; association: number },
        because: AssociationEnd,
        t: Tables,
    ): Promise<void> {
        const open =
            "patient" in whose ? await t.alarm.openOfPatient(whose.patient) : await t.alarm.openOfMote(whose.mote)
        for (const alarm of open) {
            const isOther = "mote" in whose && alarm.source !== sourceOf(whose.mote, whose.association)
            const waits = because === "taken-off" && alarm.clearedAt !== null
            if (!isOther && !waits) await this.takeAway(alarm, t, because)
        }
    }

    /** What a mote has measured of who wore it: alarms that last get their worst value, and speak again where they get worse by a step. */
    async observe(mote: { id: number }, whose: Wearing, readings: readonly Reading[], t: Tables): Promise<void> {
        if (readings.length === 0) return
        for (const alarm of await t.alarm.limitsOf(mote.id)) {
            if (alarm.source !== sourceOf(mote.id, whose.id)) continue
            const before = alarm.worstValue
            for (const reading of readings) noteWorst(alarm, reading)
            if (alarm.worstValue !== before) await this.worsen(alarm, t)
        }
    }

    /** What time alone does, by the clinic's clock: to be called every second, and after each start. */
    async tick(): Promise<void> {
        for (let i = 0; i < maxRounds; i++) {
            const isMore = await this.o.store.transaction(async t => {
                const now = this.now()
                const due = await t.alarm.due(now, atOnce)
                for (const alarm of due) {
                    setLife(alarm, notAheadOf(lifeOf(alarm), now))
                    await this.happen(alarm, { type: "time", at: now }, t)
                }
                return due.length > 0
            })
            if (!isMore) return
        }
    }

    /** Acknowledges an alarm. Returns undefined for an unknown alarm; throws ProblemError if somebody else was first. */
    async acknowledge(id: number, by: string): Promise<Alarm | undefined> {
        return await this.attend(id, { type: "acknowledge", at: this.now(), by })
    }

    /** As `acknowledge`, for a time. */
    async pause(id: number, by: string, minutes: 2 | 5 | 10 | 30): Promise<Alarm | undefined> {
        return await this.attend(id, { type: "pause", at: this.now(), by, minutes })
    }

    /** Takes back what somebody did within the last minute. */
    async undo(id: number, by: string): Promise<Alarm | undefined> {
        return await this.attend(id, { type: "undo", at: this.now(), by })
    }

    /** What belongs on the screen, the newest first by when it was heard of: the time of a wrong clock puts nothing on top. */
    async open(seen: Seen = "all"): Promise<Alarm[]> {
        return await this.shown(await this.o.store.alarm.open(seen))
    }

    /** Those that were raised, of any number of them. */
    async byIds(ids: readonly number[]): Promise<Alarm[]> {
        return await this.shown(await this.o.store.alarm.byIds(ids))
    }

    /** Undefined where there is no such alarm. */
    async get(id: number): Promise<Alarm | undefined> {
        return (await this.byIds([id]))[0]
    }

    /** All of a patient, the newest first. */
    async ofPatient(patient: number, limit: number): Promise<Alarm[]> {
        return await this.shown(await this.o.store.alarm.ofPatient(patient, limit))
    }

    /** The log of a shift, the newest first. */
    async during(period: AlarmPeriod): Promise<Alarm[]> {
        return (await this.o.store.alarm.during(period)).map(row => shown(row, undefined, this.rulesOf(row)))
    }

    /** What happened to it, in order, each attempt to tell somebody included. */
    /** Those of patients as they are stored, the newest first, with what somebody did to them. */
    async page(o: {
        patients: "all" | readonly number[]
        beforeId?: number | undefined
        limit: number
    }): Promise<AlarmLife[]> {
        return await this.withDone(await this.o.store.alarm.page(o))
    }

    /** The same of these. */
    async livesOf(ids: readonly number[]): Promise<AlarmLife[]> {
        return await this.withDone(await this.o.store.alarm.byIds(ids))
    }

    private async withDone(alarms: readonly ShownAlarm[]): Promise<AlarmLife[]> {
        const done = await this.o.store.alarmEntry.doneTo(alarms.map(({ id }) => id))
        return alarms.map(alarm => ({ alarm, done: done.filter(entry => entry.alarm === alarm.id) }))
    }

    async history(id: number): Promise<StoredAlarmEntry[]> {
        return await this.o.store.alarmEntry.ofAlarm(id)
    }

    private async hear(subject: Subject, generation: number, event: AlarmEvent, t: Tables): Promise<void> {
        const { kind, time, value, unit } = event
        const about = event.relative || event.untimed ? 1 : 0
        const alarm = await this.find(subject, generation, event, t)
        const [wasRaised, wasCleared] = [alarm.raisedAt !== null, alarm.clearedAt !== null]
        if (event.raised && (alarm.raisedAt === null || alarm.raisedAbout > about))
            Object.assign(alarm, { raisedAt: time, raisedAbout: about, raisedValue: value })
        if (!event.raised && (alarm.clearedAt === null || alarm.clearedAbout > about))
            Object.assign(alarm, { clearedAt: time, clearedAbout: about, clearedValue: value })
        alarm.unit ??= unit
        if (isOfNobody(subject)) alarm.isLine = 0
        else if (!wasRaised && event.raised) await this.begin(alarm, { ...subject, generation, number: event.id }, t)
        const isEnd = alarm.raisedAt !== null && alarm.clearedAt !== null && !(wasRaised && wasCleared)
        if (isEnd) await this.happen(alarm, { type: "cleared", at: this.now() }, t)
        else await this.lives.save(alarm, t)
        await this.endOlder(subject, kind, t)
    }

    private async find(subject: Subject, generation: number, event: AlarmEvent, t: Tables): Promise<StoredAlarm> {
        const { kind, id: number, unit, raised } = event
        const { source, mote, patient } = subject
        const key = { source, kind, generation, number }
        const known = await t.alarm.find(key)
        if (known) return known
        // One that began under an earlier secret may end under this one.
        const earlier = raised ? [] : await t.alarm.lasting(source, kind)
        const older = earlier.find(alarm => alarm.number === number && alarm.generation < generation)
        if (older) return older
        const ward = patient === null ? null : ((await t.patient.get(patient))?.ward ?? null)
        const { priorities } = this.o.rules(ward, this.now())
        const priority = priorityOf(kind, null, null, priorities)
        return await t.alarm.add({ ...key, mote, patient, ward, unit, priority, storedAt: this.now() })
    }

    /** It is heard of for the first time. */
    private async begin(
        alarm: StoredAlarm,
        { source, mote, generation, number }: Subject & { generation: number; number: number },
        t: Tables,
    ): Promise<void> {
        const now = this.now()
        const { kind, raisedAt, raisedValue, ward, clearedAt } = alarm
        const limitValue = mote === null ? null : ((await this.o.limitOf(mote, kind, t)) ?? null)
        const isLimit = limitOf(kind) !== undefined && raisedValue !== null
        Object.assign(alarm, {
            limitValue,
            worstValue: isLimit ? raisedValue : null,
            worstAt: isLimit ? raisedAt : null,
        })
        alarm.priority = priorityOf(kind, limitValue, alarm.worstValue, this.o.rules(ward, now).priorities)
        const before = await t.alarm.newestLine(source, kind)
        const isSame =
            before !== undefined &&
            before.firstSeenAt === null &&
            (before.isOpen === 1 || now - before.since <= flutterMs)
        if (!isSame) {
            setLife(alarm, born(now))
            await this.lives.log(alarm, { at: now, change: "raised", value: raisedValue }, t)
            // What is over already when it is first heard of is for the page, not for those who would come running.
            if (clearedAt === null) await this.lives.tellFirst(alarm, now, t)
            return
        }
        if (before.generation > generation || (before.generation === generation && before.number > number)) {
            alarm.isLine = 0
            before.count++
            return await this.lives.save(before, t)
        }
        await this.takePlace(before, alarm, t)
    }

    /** The line of `before` goes on as that of `alarm`. */
    private async takePlace(before: StoredAlarm, alarm: StoredAlarm, t: Tables): Promise<void> {
        const limit = limitOf(alarm.kind)
        setLife(alarm, lifeOf(before))
        setLife(before, { ...born(this.now()), state: "closed" })
        before.isLine = 0
        await this.lives.save(before, t)
        await t.alarmEntry.move(before.id, alarm.id)
        await t.delivery.move(before.id, alarm.id)
        // Whoever comes at last has let it wait since it was heard of first.
        Object.assign(alarm, { count: before.count + 1, storedAt: before.storedAt })
        if (isMoreUrgent(before.priority as Alarm["priority"], alarm.priority)) alarm.priority = before.priority
        const { worstValue, worstAt } = before
        if (limit && worstValue !== null && (alarm.worstValue === null || isWorse(limit, worstValue, alarm.worstValue)))
            Object.assign(alarm, { worstValue, worstAt })
        await this.happen(alarm, { type: "again", at: this.now() }, t)
    }

    /**
     * There is one of a kind at a time: what began before another one of its kind has ended, said or not. And what a mote said of
     * somebody who does not wear it any more cannot last.
     */
    private async endOlder({ source, endedAt: lastsUntil }: Subject, kind: string, t: Tables): Promise<void> {
        const lasting = await t.alarm.lasting(source, kind)
        const newest = await t.alarm.newestRaised(source, kind)
        for (const alarm of lasting) {
            const endedAt = alarm.id === newest?.id ? lastsUntil : newest!.raisedAt
            if (endedAt !== null)
                await this.end(alarm, { clearedAt: Math.max(endedAt, alarm.raisedAt!), clearedAbout: 1 }, t)
        }
    }

    private async end(
        alarm: StoredAlarm,
        how: Pick<StoredAlarm, "clearedAbout"> & { clearedAt: number },
        t: Tables,
    ): Promise<void> {
        Object.assign(alarm, how)
        await this.happen(alarm, { type: "cleared", at: this.now() }, t)
    }

    private async takeAway(alarm: StoredAlarm, t: Tables, because?: AssociationEnd): Promise<void> {
        alarm.clearedAt ??= this.now()
        await this.happen(alarm, { type: "withdrawn", at: this.now(), ...(because && { because }) }, t)
    }

    private async worsen(alarm: StoredAlarm, t: Tables): Promise<void> {
        const { kind, limitValue, worstValue, attendedValue, ward, state } = alarm
        const limit = limitOf(kind)!
        const priority = priorityOf(kind, limitValue, worstValue, this.o.rules(ward, this.now()).priorities)
        const isHigher = isMoreUrgent(priority, alarm.priority)
        if (isHigher) alarm.priority = priority
        const isQuiet = state === "acknowledged" || state === "paused"
        if (isQuiet && attendedValue === null) alarm.attendedValue = worstValue
        const isStep = isQuiet && attendedValue !== null && isWorse(limit, worstValue!, attendedValue, limit.step)
        if (isHigher || isStep) await this.happen(alarm, { type: "worsened", at: this.now() }, t)
        else await this.lives.save(alarm, t)
    }

    private async attend(id: number, event: Event & { by: string }): Promise<Alarm | undefined> {
        const row = await this.o.store.transaction(async t => {
            const [named] = await t.alarm.byIds([id])
            // Between a look and a click another beginning may have taken its place.
            const alarm = named && named.isLine === 0 ? await t.alarm.newestLine(named.source, named.kind) : named
            if (!alarm) return undefined
            const refused = await this.happen(alarm, event, t)
            const isOwn = event.type === "acknowledge" && alarm.acknowledgedBy === event.by
            if (refused !== undefined && !isOwn)
                throw new ProblemError(
                    refusals[refused],
                    alarm.acknowledgedBy === null ? {} : { by: alarm.acknowledgedBy },
                )
            return (await t.alarm.byIds([alarm.id]))[0]
        })
        return row && (await this.shown([row]))[0]
    }

    private async happen(alarm: StoredAlarm, event: Event, t: Tables): Promise<Refusal | undefined> {
        const isNoted = alarm.count <= maxRepetitions || (event.type !== "again" && event.type !== "cleared")
        return await this.lives.happen(alarm, event, t, isNoted)
    }

    private async shown(rows: readonly ShownAlarm[]): Promise<Alarm[]> {
        const alarms: Alarm[] = []
        for (const row of rows) {
            const quantity = limitOf(row.kind)?.quantity
            const has =
                row.clearedAt === null && row.patient !== null && quantity !== undefined && isVitalName(quantity)
            const present = has ? await this.o.newest(row.patient!, quantity) : undefined
            alarms.push(shown(row, present, this.rulesOf(row)))
        }
        return alarms
    }

    private rulesOf({ ward, waitingSince }: StoredAlarm): AlarmRules {
        return this.o.rules(ward, waitingSince)
    }

    private now(): number {
        return Math.trunc(this.o.clock.now())
    }
}

/** What an alarm of a mote is about: who wears it. */
export function subjectOf(mote: Mote): Subject {
    return subjectDuring(mote, presentOf(mote))
}

/** What an alarm of a mote is about: who wore it then, or nobody. */
function subjectDuring(mote: Mote, whose: Wearing | undefined): Subject {
    const { id, patient = null, endsAt = null } = whose ?? {}
    return { source: sourceOf(mote.id, id), mote: mote.id, patient, endedAt: endsAt }
}

/** Of the alarms of a mote by an association, or on nobody. */
export function sourceOf(mote: number, association: number | null | undefined): string {
    return association === null || association === undefined ? `mote/${mote}` : `mote/${mote}/${association}`
}

/** Kept, and never shown: there is nobody to go to. */
function isOfNobody({ mote, patient }: Subject): boolean {
    return mote !== null && patient === null
}

/** What was measured before it began is not its worst value; a summary stands for the worst of what it sums up. */
function noteWorst(alarm: StoredAlarm, { name, problem, summary, time, value }: Reading): void {
    const limit = limitOf(alarm.kind)
    if (!limit || limit.quantity !== name || problem !== null || time < Math.min(alarm.raisedAt!, alarm.storedAt))
        return
    const found = summary === null ? value : limit.side === "high" ? summary.greatest : summary.least
    if (found !== null && (alarm.worstValue === null || isWorse(limit, found, alarm.worstValue)))
        Object.assign(alarm, { worstValue: found, worstAt: time })
}
