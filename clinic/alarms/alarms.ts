import type { Clock } from "../../host/clock.ts"
import { technicalKinds } from "../../wire/tables/alarm-kinds.ts"
import type { AlarmEvent } from "../../wire/alarms.ts"
import type { Mote } from "../motes/motes.ts"
import type { ShownAlarm, StoredAlarm } from "../store/alarms.ts"
import type { Store, Tables } from "../store/store.ts"

/** An alarm that a mote raised. Times are unix ms. */
export interface Alarm {
    id: number
    patient: number
    /** Of the mote. */
    kid: Uint8Array
    /** One of wire/tables/alarm-kinds.ts, or what a newer mote calls it. */
    kind: string
    /** SenML unit of the values; null where there are none. */
    unit: string | null
    raisedAt: number
    /** The time is an estimate: the mote had no clock, or was restarted since. */
    raisedAbout: boolean
    raisedValue: number | null
    /** Null while the mote has not said that it is over, however long nothing is heard. */
    clearedAt: number | null
    clearedAbout: boolean
    clearedValue: number | null
    storedAt: number
    acknowledgedAt: number | null
    /** User name. */
    acknowledgedBy: string | null
    /** Belongs on the screen: it is not over, or it is about the patient and nobody has acknowledged it. */
    isOpen: boolean
}

/** Hears, within the transaction, what becomes of an alarm: each once. */
export interface AlarmFollower {
    raised(alarm: number, now: number, t: Tables): Promise<void>
    acknowledged(alarm: number, t: Tables): Promise<void>
    cleared(alarm: number, now: number, t: Tables): Promise<void>
}

/** The alarms of all motes: each once, however often and in whatever order the mote tells of it. */
export class Alarms {
    private readonly store: Store
    private readonly clock: Clock
    private follower: AlarmFollower | undefined

    constructor(store: Store, clock: Clock) {
        this.store = store
        this.clock = clock
    }

    /** From now on that one hears of every alarm. */
    follow(follower: AlarmFollower): void {
        this.follower = follower
    }

    /**
     * Takes one event; `generation` is that of the secret it came under (a mote without memory numbers anew). Costs the
     * same however many alarms there are.
     */
    async take(mote: Mote, generation: number, event: AlarmEvent, t: Tables): Promise<void> {
        const { kind, time, value, unit } = event
        const about = event.relative || event.untimed ? 1 : 0
        const alarm = await this.find(mote, generation, event, t)
        const wasKnown = alarm.raisedAt !== null
        if (event.raised && (alarm.raisedAt === null || alarm.raisedAbout > about))
            Object.assign(alarm, { raisedAt: time, raisedAbout: about, raisedValue: value })
        if (!event.raised && (alarm.clearedAt === null || alarm.clearedAbout > about))
            Object.assign(alarm, { clearedAt: time, clearedAbout: about, clearedValue: value })
        const saved = await this.save({ ...alarm, unit: alarm.unit ?? unit }, t)
        // What is over already when it is first heard of is for the page, not for those who would come running.
        if (!wasKnown && saved.isOpen && saved.clearedAt === null)
            await this.follower?.raised(saved.id, Math.trunc(this.clock.now()), t)
        await this.endOlder(mote, kind, t)
    }

    private async find(mote: Mote, generation: number, event: AlarmEvent, t: Tables): Promise<StoredAlarm> {
        const { kind, id: number, unit, raised } = event
        const key = { mote: mote.id, kind, generation, number }
        const known = await t.alarm.find(key)
        if (known) return known
        // One that began under an earlier secret may end under this one.
        const earlier = raised ? [] : await t.alarm.lasting(mote.id, kind)
        const older = earlier.find(alarm => alarm.number === number && alarm.generation < generation)
        if (older) return older
        const storedAt = Math.trunc(this.clock.now())
        return await t.alarm.add(key, { patient: mote.patient, unit, storedAt })
    }

    /**
     * There is one of a kind at a time: what began before another one of its kind has ended, said or not. And of a revoked
     * mote nothing more is to be heard.
     */
    private async endOlder(mote: Mote, kind: string, t: Tables): Promise<void> {
        const lasting = await t.alarm.lasting(mote.id, kind)
        const newest = await t.alarm.newestRaised(mote.id, kind)
        for (const alarm of lasting) {
            const endedAt = alarm.id === newest?.id ? mote.revokedAt : newest!.raisedAt
            if (endedAt !== null)
                await this.save({ ...alarm, clearedAt: Math.max(endedAt, alarm.raisedAt!), clearedAbout: 1 }, t)
        }
    }

    /** One that the clinic raises about a mote; its number is its time, so that it rises as a mote's own do. */
    async raise(mote: Mote, kind: string, time: number, t: Tables): Promise<void> {
        const event = { kind, id: time, raised: true, value: null, unit: null, time, relative: false, untimed: false }
        await this.take(mote, 0, event, t)
    }

    /** What the clinic raised about a mote is over. */
    async clear(mote: Mote, kind: string, clearedAt: number, t: Tables): Promise<void> {
        for (const alarm of await t.alarm.lasting(mote.id, kind)) await this.save({ ...alarm, clearedAt }, t)
    }

    /** Nothing more will be heard of these motes: their alarms are over. */
    async endOf(motes: readonly number[], t: Tables): Promise<void> {
        const now = Math.trunc(this.clock.now())
        for (const id of await t.alarm.endOf(motes, now)) await this.follower?.cleared(id, now, t)
    }

    /** What belongs on the screen, the newest first. */
    async open(): Promise<Alarm[]> {
        return (await this.store.alarm.open()).map(shown)
    }

    /** Those that were raised, of any number of them. */
    async byIds(ids: readonly number[]): Promise<Alarm[]> {
        return (await this.store.alarm.byIds(ids)).map(shown)
    }

    /** Undefined where there is no such alarm. */
    async get(id: number): Promise<Alarm | undefined> {
        const [alarm] = await this.store.alarm.byIds([id])
        return alarm && shown(alarm)
    }

    /** All of a patient, the newest first. */
    async ofPatient(patient: number, limit: number): Promise<Alarm[]> {
        return (await this.store.alarm.ofPatient(patient, limit)).map(shown)
    }

    /** Notes who has seen to it; whoever was first stays. Undefined where there is no such alarm. */
    async acknowledge(id: number, user: string): Promise<Alarm | undefined> {
        return await this.store.transaction(async t => {
            const [alarm] = await t.alarm.byIds([id])
            if (!alarm) return undefined
            if (alarm.acknowledgedAt === null) {
                Object.assign(alarm, { acknowledgedAt: Math.trunc(this.clock.now()), acknowledgedBy: user })
                Object.assign(alarm, await this.save(alarm, t))
                await this.follower?.acknowledged(id, t)
            }
            return shown(alarm)
        })
    }

    private async save(alarm: StoredAlarm, t: Tables): Promise<StoredAlarm> {
        const saved = { ...alarm, isOpen: belongsOnScreen(alarm) ? 1 : 0 }
        await t.alarm.save(saved)
        if (saved.raisedAt !== null && saved.clearedAt !== null)
            await this.follower?.cleared(saved.id, Math.trunc(this.clock.now()), t)
        return saved
    }
}

function belongsOnScreen({ kind, raisedAt, clearedAt, acknowledgedAt }: StoredAlarm): boolean {
    if (raisedAt === null) return false
    return clearedAt === null || (acknowledgedAt === null && !technicalKinds.includes(kind))
}

function shown({ raisedAbout, clearedAbout, isOpen, ...alarm }: ShownAlarm): Alarm {
    return {
        ...alarm,
        raisedAbout: raisedAbout === 1,
        clearedAbout: clearedAbout === 1,
        isOpen: isOpen === 1,
    }
}
