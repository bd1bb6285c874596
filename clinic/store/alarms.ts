import { prepare, type Access } from "./access.ts"

/** An alarm of a mote as it is stored; times are unix ms, truth values 0 and 1. */
export interface StoredAlarm {
    id: number
    kind: string
    unit: string | null
    raisedAt: number | null
    raisedAbout: number
    raisedValue: number | null
    clearedAt: number | null
    clearedAbout: number
    clearedValue: number | null
    storedAt: number
    acknowledgedAt: number | null
    acknowledgedBy: string | null
    isOpen: number
}

/** What tells an alarm from all others: a mote numbers them, anew under another secret where it has no memory. */
export interface AlarmKey {
    mote: number
    kind: string
    generation: number
    number: number
}

/** One that was raised: of an end that came before its beginning, only the end is known. */
export type ShownAlarm = StoredAlarm & { patient: number; kid: Uint8Array; raisedAt: number }

const columns = [
    ...(["a.id", "a.kind", "a.unit"] as const),
    ...(["a.raised_at as raisedAt", "a.raised_about as raisedAbout", "a.raised_value as raisedValue"] as const),
    ...(["a.cleared_at as clearedAt", "a.cleared_about as clearedAbout", "a.cleared_value as clearedValue"] as const),
    ...(["a.stored_at as storedAt", "a.acknowledged_at as acknowledgedAt"] as const),
    ...(["a.acknowledged_by as acknowledgedBy", "a.is_open as isOpen"] as const),
] as const

type OfKind = Pick<AlarmKey, "mote" | "kind">

const find = prepare<AlarmKey, StoredAlarm>((db, { mote, kind, generation, number }) =>
    db
        .selectFrom("alarm as a")
        .select(columns)
        .where("mote", "=", mote)
        .where("kind", "=", kind)
        .where("generation", "=", generation)
        .where("number", "=", number),
)
const lasting = prepare<OfKind, StoredAlarm & Pick<AlarmKey, "generation" | "number">>((db, { mote, kind }) =>
    db
        .selectFrom("alarm as a")
        .select(columns)
        .select(["a.generation", "a.number"])
        .where("mote", "=", mote)
        .where("kind", "=", kind)
        .where("cleared_at", "is", null)
        .where("raised_at", "is not", null),
)
const newestRaised = prepare<OfKind, { id: number; raisedAt: number | null }>((db, { mote, kind }) =>
    db
        .selectFrom("alarm as a")
        .select(["a.id", "a.raised_at as raisedAt"])
        .where("mote", "=", mote)
        .where("kind", "=", kind)
        .where("raised_at", "is not", null)
        .orderBy("generation", "desc")
        .orderBy("number", "desc")
        .limit(1),
)
const insert = prepare<AlarmKey & { patient: number; unit: string | null; storedAt: number }, { id: number }>((db, a) =>
    db
        .insertInto("alarm")
        .values({
            ...{ mote: a.mote, patient: a.patient, kind: a.kind, generation: a.generation, number: a.number },
            ...{ unit: a.unit, raised_about: 0, cleared_about: 0, stored_at: a.storedAt, is_open: 0 },
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
        })
        .where("id", "=", a.id),
)

export class AlarmTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async find(key: AlarmKey): Promise<StoredAlarm | undefined> {
        return (await find(this.access, key)).rows[0]
    }

    /** Those of a kind whose end is not known; there are one or two. */
    async lasting(mote: number, kind: string): Promise<(StoredAlarm & Pick<AlarmKey, "generation" | "number">)[]> {
        return (await lasting(this.access, { mote, kind })).rows
    }

    /** The last of a kind that the mote raised, by its own count. */
    async newestRaised(mote: number, kind: string): Promise<{ id: number; raisedAt: number | null } | undefined> {
        return (await newestRaised(this.access, { mote, kind })).rows[0]
    }

    /** One of which nothing but the key is known yet. */
    async add(
        key: AlarmKey,
        { patient, unit, storedAt }: { patient: number; unit: string | null; storedAt: number },
    ): Promise<StoredAlarm> {
        const { rows } = await insert(this.access, { ...key, patient, unit, storedAt })
        const { id } = rows[0]!
        this.access.changed("alarm", id)
        return {
            ...{ id, kind: key.kind, unit, storedAt, acknowledgedAt: null, acknowledgedBy: null, isOpen: 0 },
            ...{ raisedAt: null, raisedAbout: 0, raisedValue: null },
            ...{ clearedAt: null, clearedAbout: 0, clearedValue: null },
        }
    }

    async save(alarm: StoredAlarm): Promise<void> {
        await update(this.access, alarm)
        this.access.changed("alarm", alarm.id)
    }

    /** Nothing will be heard of the open alarms of these motes any more. Returns which those were. */
    async endOf(motes: readonly number[], clearedAt: number): Promise<number[]> {
        if (motes.length === 0) return []
        const ended = await this.access.db
            .updateTable("alarm")
            .set(({ fn, ref, val }) => ({ cleared_at: fn.coalesce(ref("cleared_at"), val(clearedAt)), is_open: 0 }))
            .where("is_open", "=", 1)
            .where("mote", "in", motes)
            .returning("id")
            .execute()
        const ids = ended.map(({ id }) => id)
        this.access.changed("alarm", ...ids)
        return ids
    }

    /** The newest first, by when they were first heard of. */
    async open(): Promise<ShownAlarm[]> {
        return await this.shown().where("a.is_open", "=", 1).orderBy("a.id", "desc").execute()
    }

    /** The newest first, by when they were first heard of. */
    async ofPatient(patient: number, limit: number): Promise<ShownAlarm[]> {
        return await this.shown().where("a.patient", "=", patient).orderBy("a.id", "desc").limit(limit).execute()
    }

    async byIds(ids: readonly number[]): Promise<ShownAlarm[]> {
        return ids.length === 0 ? [] : await this.shown().where("a.id", "in", ids).orderBy("a.id", "desc").execute()
    }

    private shown() {
        return this.access.db
            .selectFrom("alarm as a")
            .innerJoin("mote", "mote.id", "a.mote")
            .select(columns)
            .select(["a.patient", "mote.kid"])
            .where("a.raised_at", "is not", null)
            .$castTo<ShownAlarm>()
    }
}
