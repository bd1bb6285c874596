import { prepare, type Access } from "./access.ts"
import { prepareRows } from "./rows.ts"
import { isSeen, type Seen } from "./seen.ts"

/** An alarm as it is stored; times are unix ms, truth values 0 and 1. */
export interface StoredAlarm extends StoredEpisode, StoredLife {
    id: number
    /** What it is about, as `mote/7/3` or `router/NAME`: there is one of a kind of each at a time. */
    source: string
    patient: number | null
    /** The patient's, when it began. */
    ward: string | null
    kind: string
    unit: string | null
    storedAt: number
    isOpen: number
    /** 0 where a later one of its kind has taken its place. */
    isLine: number
    /** How often it began, those whose place it took included. */
    count: number
    priority: string
    limitValue: number | null
    worstValue: number | null
    worstAt: number | null
    /** The worst when somebody attended to it: it speaks again when it is worse than that by a step. */
    attendedValue: number | null
    acknowledgedAt: number | null
    acknowledgedBy: string | null
    /** Who attended to it first, and when. */
    firstSeenAt: number | null
    firstSeenBy: string | null
}

/** What was said of its beginning and its end. */
interface StoredEpisode {
    raisedAt: number | null
    raisedAbout: number
    raisedValue: number | null
    clearedAt: number | null
    clearedAbout: number
    clearedValue: number | null
}

/** As in clinic/alarms/life.ts. */
interface StoredLife {
    state: string
    since: number
    until: number | null
    waitingSince: number
    level: number
    attendedBy: string | null
    /** JSON. */
    undo: string | null
    /** When time changes its state next. */
    dueAt: number | null
}

/** What tells an alarm from all others: a mote numbers them, anew under another secret where it has no memory. */
export interface AlarmKey {
    source: string
    kind: string
    generation: number
    number: number
}

export interface NewAlarm extends AlarmKey {
    mote: number | null
    patient: number | null
    ward: string | null
    unit: string | null
    priority: string
    storedAt: number
}

export type NumberedAlarm = StoredAlarm & Pick<AlarmKey, "generation" | "number">

/** One that was raised: of an end that came before its beginning, only the end is known. */
export type ShownAlarm = StoredAlarm & { kid: Uint8Array | null; raisedAt: number }

/** Of the alarms of a time, in the order of the clinic's clock. */
export interface AlarmPeriod {
    /** By when they were first heard of. */
    from: number
    before: number
    ward?: string | undefined
    patient?: number | undefined
    kind?: string | undefined
    priority?: string | undefined
    seen: Seen
    limit: number
}

/** What statistics need of an alarm. */
export interface CountedRow {
    id: number
    patient: number | null
    kind: string
    priority: string
    raisedAt: number
    clearedAt: number | null
    seenAt: number | null
    storedAt: number
    /** How often it began before anybody attended to it. */
    begun: number
}

const columns = [
    ...(["a.id", "a.source", "a.patient", "a.ward", "a.kind", "a.unit", "a.priority", "a.count", "a.state"] as const),
    ...(["a.since", "a.until", "a.level", "a.undo", "a.stored_at as storedAt"] as const),
    ...(["a.raised_at as raisedAt", "a.raised_about as raisedAbout", "a.raised_value as raisedValue"] as const),
    ...(["a.cleared_at as clearedAt", "a.cleared_about as clearedAbout", "a.cleared_value as clearedValue"] as const),
    ...(["a.acknowledged_at as acknowledgedAt", "a.acknowledged_by as acknowledgedBy"] as const),
    ...(["a.is_open as isOpen", "a.is_line as isLine", "a.limit_value as limitValue"] as const),
    ...(["a.worst_value as worstValue", "a.worst_at as worstAt", "a.attended_value as attendedValue"] as const),
    ...(["a.waiting_since as waitingSince", "a.attended_by as attendedBy", "a.due_at as dueAt"] as const),
    ...(["a.first_seen_at as firstSeenAt", "a.first_seen_by as firstSeenBy"] as const),
] as const

type OfKind = Pick<AlarmKey, "source" | "kind">

const find = prepare<AlarmKey, StoredAlarm>((db, { source, kind, generation, number }) =>
    db
        .selectFrom("alarm as a")
        .select(columns)
        .where("source", "=", source)
        .where("kind", "=", kind)
        .where("generation", "=", generation)
        .where("number", "=", number),
)
const lasting = prepare<OfKind, NumberedAlarm>((db, { source, kind }) =>
    db
        .selectFrom("alarm as a")
        .select(columns)
        .select(["a.generation", "a.number"])
        .where("source", "=", source)
        .where("kind", "=", kind)
        .where("cleared_at", "is", null)
        .where("raised_at", "is not", null),
)
/** By the count of what raised them, the last one first. */
const raised = prepare<OfKind & { limit: number }, NumberedAlarm>((db, { source, kind, limit }) =>
    db
        .selectFrom("alarm as a")
        .select(columns)
        .select(["a.generation", "a.number"])
        .where("source", "=", source)
        .where("kind", "=", kind)
        .where("raised_at", "is not", null)
        .orderBy("generation", "desc")
        .orderBy("number", "desc")
        .limit(limit),
)
const line = prepare<OfKind, NumberedAlarm>((db, { source, kind }) =>
    db
        .selectFrom("alarm as a")
        .select(columns)
        .select(["a.generation", "a.number"])
        .where("source", "=", source)
        .where("kind", "=", kind)
        .where("raised_at", "is not", null)
        .where("is_line", "=", 1)
        .orderBy("generation", "desc")
        .orderBy("number", "desc")
        .limit(1),
)
const ofMote = prepare<{ mote: number }, StoredAlarm>((db, { mote }) =>
    db
        .selectFrom("alarm as a")
        .select(columns)
        .where("mote", "=", mote)
        .where("is_open", "=", 1)
        .where("cleared_at", "is", null)
        .where("limit_value", "is not", null),
)
const withLimits = prepareRows<{ mote: number }, { mote: number }>(
    { mote: "integer" },
    rows => `SELECT DISTINCT a.mote FROM ${rows} CROSS JOIN alarm AS a
        WHERE a.mote = k.mote AND a.is_open = 1 AND a.cleared_at IS NULL AND a.limit_value IS NOT NULL`,
)
const insert = prepare<NewAlarm, { id: number }>((db, a) =>
    db
        .insertInto("alarm")
        .values({
            ...{ source: a.source, mote: a.mote, patient: a.patient, ward: a.ward, kind: a.kind },
            ...{ generation: a.generation, number: a.number, unit: a.unit, priority: a.priority },
            ...{
                stored_at: a.storedAt,
                since: a.storedAt,
                waiting_since: a.storedAt,
                raised_about: 0,
                cleared_about: 0,
            },
            ...{ is_open: 0, is_line: 1, count: 1, level: 0, state: "closed" },
        })
        .returning("id"),
)
const update = prepare<StoredAlarm, unknown>((db, a) =>
    db
        .updateTable("alarm")
        .set({
            ...{ unit: a.unit, raised_at: a.raisedAt, raised_about: a.raisedAbout, raised_value: a.raisedValue },
            ...{ cleared_at: a.clearedAt, cleared_about: a.clearedAbout, cleared_value: a.clearedValue },
            ...{ acknowledged_at: a.acknowledgedAt, acknowledged_by: a.acknowledgedBy, is_open: a.isOpen },
            ...{ is_line: a.isLine, count: a.count, priority: a.priority, limit_value: a.limitValue },
            ...{ worst_value: a.worstValue, worst_at: a.worstAt, attended_value: a.attendedValue },
            ...{ state: a.state, since: a.since, until: a.until, waiting_since: a.waitingSince, level: a.level },
            ...{ attended_by: a.attendedBy, undo: a.undo, due_at: a.dueAt },
            ...{ first_seen_at: a.firstSeenAt, first_seen_by: a.firstSeenBy, stored_at: a.storedAt },
        })
        .where("id", "=", a.id),
)

export class AlarmTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async find({ source, kind, generation, number }: AlarmKey): Promise<StoredAlarm | undefined> {
        return (await find(this.access, { source, kind, generation, number })).rows[0]
    }

    /** Those of a kind whose end is not known; there are one or two. */
    async lasting(source: string, kind: string): Promise<NumberedAlarm[]> {
        return (await lasting(this.access, { source, kind })).rows
    }

    /** The last of a kind that was raised, by the count of what raised it. */
    async newestRaised(source: string, kind: string): Promise<NumberedAlarm | undefined> {
        return (await raised(this.access, { source, kind, limit: 1 })).rows[0]
    }

    /** The last of a kind whose place no other has taken. */
    async newestLine(source: string, kind: string): Promise<NumberedAlarm | undefined> {
        return (await line(this.access, { source, kind })).rows[0]
    }

    /** Those of a mote that last and have a limit. */
    async limitsOf(mote: number): Promise<StoredAlarm[]> {
        return (await ofMote(this.access, { mote })).rows
    }

    /** Those of these motes that have an alarm that lasts and has a limit. */
    async withLimits(motes: readonly number[]): Promise<Set<number>> {
        const found = await withLimits(
            this.access,
            motes.map(mote => ({ mote })),
        )
        return new Set(found.map(({ mote }) => mote))
    }

    /** One of which nothing but the key is known yet. */
    async add(alarm: NewAlarm): Promise<StoredAlarm> {
        const { rows } = await insert(this.access, alarm)
        const { id } = rows[0]!
        this.access.changed("alarm", id)
        const { source, patient, ward, kind, unit, priority, storedAt } = alarm
        return {
            ...{ id, source, patient, ward, kind, unit, priority, storedAt, isOpen: 0, isLine: 1, count: 1 },
            ...{ raisedAt: null, raisedAbout: 0, raisedValue: null },
            ...{ clearedAt: null, clearedAbout: 0, clearedValue: null },
            ...{ limitValue: null, worstValue: null, worstAt: null, attendedValue: null },
            ...{ acknowledgedAt: null, acknowledgedBy: null, firstSeenAt: null, firstSeenBy: null },
            ...{ state: "closed", since: storedAt, until: null, waitingSince: storedAt, level: 0 },
            ...{ attendedBy: null, undo: null, dueAt: null },
        }
    }

    async save(alarm: StoredAlarm): Promise<void> {
        await update(this.access, alarm)
        this.access.changed("alarm", alarm.id)
    }

    /** The newest first, by when they were first heard of. */
    async open(seen: Seen): Promise<ShownAlarm[]> {
        return await this.shown()
            .where("a.is_open", "=", 1)
            .where(isSeen("a.patient", seen))
            .orderBy("a.id", "desc")
            .execute()
    }

    async openOfMote(mote: number): Promise<ShownAlarm[]> {
        return await this.shown().where("a.mote", "=", mote).where("a.is_open", "=", 1).orderBy("a.id").execute()
    }

    async openOfPatient(patient: number): Promise<ShownAlarm[]> {
        return await this.shown().where("a.patient", "=", patient).where("a.is_open", "=", 1).orderBy("a.id").execute()
    }

    /** Those that last and are about neither mote nor patient. */
    async ofEquipment(): Promise<{ source: string; kind: string }[]> {
        return await this.access.db
            .selectFrom("alarm")
            .select(["source", "kind"])
            .where("is_open", "=", 1)
            .where("patient", "is", null)
            .where("cleared_at", "is", null)
            .execute()
    }

    /** Those that time changes now, and those that began after `now`: the clock has gone back. The one that is due first is first. */
    async due(now: number, limit: number): Promise<ShownAlarm[]> {
        return await this.shown()
            .where("a.is_open", "=", 1)
            .where(({ eb, or }) => or([eb("a.due_at", "<=", now), eb("a.since", ">", now)]))
            .orderBy("a.due_at", order => order.asc().nullsFirst())
            .orderBy("a.id")
            .limit(limit)
            .execute()
    }

    /** The newest first, by when they were first heard of. */
    async ofPatient(patient: number, limit: number): Promise<ShownAlarm[]> {
        return await this.shown()
            .where("a.patient", "=", patient)
            .where("a.is_line", "=", 1)
            .orderBy("a.id", "desc")
            .limit(limit)
            .execute()
    }

    /** The newest first. */
    async during({ from, before, ward, patient, kind, priority, seen, limit }: AlarmPeriod): Promise<ShownAlarm[]> {
        return await this.shown()
            .where("a.is_line", "=", 1)
            .where("a.stored_at", ">=", from)
            .where("a.stored_at", "<", before)
            .where(isSeen("a.patient", seen))
            .$if(ward !== undefined, query => query.where("a.ward", "=", ward!))
            .$if(patient !== undefined, query => query.where("a.patient", "=", patient!))
            .$if(kind !== undefined, query => query.where("a.kind", "=", kind!))
            .$if(priority !== undefined, query => query.where("a.priority", "=", priority!))
            .orderBy("a.stored_at", "desc")
            .orderBy("a.id", "desc")
            .limit(limit)
            .execute()
    }

    /**
     * The lines that the clinic heard of within a time, of everybody or of a ward, in the order of their ids behind `after`: what
     * began again before anybody attended to it is one.
     */
    async counted(o: {
        from: number
        before: number
        ward?: string | undefined
        seen: Seen
        after: number
        limit: number
    }): Promise<CountedRow[]> {
        return await this.access.db
            .selectFrom("alarm as a")
            .select(["a.id", "a.patient", "a.kind", "a.priority", "a.raised_at as raisedAt"])
            .select(["a.cleared_at as clearedAt", "a.first_seen_at as seenAt", "a.stored_at as storedAt"])
            .select("a.count as begun")
            .where("a.is_line", "=", 1)
            .where("a.id", ">", o.after)
            .where("a.stored_at", ">=", o.from)
            .where("a.stored_at", "<", o.before)
            .where("a.raised_at", "is not", null)
            .where(isSeen("a.patient", o.seen))
            .$if(o.ward !== undefined, query => query.where("a.ward", "=", o.ward!))
            .orderBy("a.id")
            .limit(o.limit)
            .$castTo<CountedRow>()
            .execute()
    }

    async byIds(ids: readonly number[]): Promise<ShownAlarm[]> {
        return ids.length === 0 ? [] : await this.shown().where("a.id", "in", ids).orderBy("a.id", "desc").execute()
    }

    /** Those of patients, the newest first, by when they were first heard of. */
    async page(o: {
        patients: "all" | readonly number[]
        beforeId?: number | undefined
        limit: number
    }): Promise<ShownAlarm[]> {
        if (o.patients.length === 0) return []
        return await this.shown()
            .where("a.is_line", "=", 1)
            .where("a.patient", "is not", null)
            .$if(o.patients !== "all", query => query.where("a.patient", "in", o.patients as readonly number[]))
            .$if(o.beforeId !== undefined, query => query.where("a.id", "<", o.beforeId!))
            .orderBy("a.id", "desc")
            .limit(o.limit)
            .execute()
    }

    private shown() {
        return this.access.db
            .selectFrom("alarm as a")
            .leftJoin("mote", "mote.id", "a.mote")
            .select(columns)
            .select("mote.kid")
            .where("a.raised_at", "is not", null)
            .$castTo<ShownAlarm>()
    }
}
