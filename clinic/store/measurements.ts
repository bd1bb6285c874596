import { sql, type Kysely, type SelectQueryBuilder } from "kysely"
import { prepare, type Access } from "./access.ts"
import { listed, prepareRows } from "./rows.ts"
import type { Schema } from "./schema.ts"

export type NewMeasurement = {
    envelope: number
    mote: number
    patient: number
    name: string
    unit: string
    value: number | null
    absent: string | null
    quality: number | null
    time: number
    relative: number
    problem: string | null
    count: number | null
    least: number | null
    greatest: number | null
    span: number | null
}

/** In place of a patient: nobody wore the mote, or nobody knows who did. */
export const nobody = 0

/** A measurement without a problem that is nobody's. */
export type UnassignedMeasurement = Pick<
    NewMeasurement,
    "name" | "unit" | "value" | "absent" | "time" | "relative" | "count" | "span"
>

/** A patient's measurement without a problem, with its mote's kid. */
export interface StoredMeasurement extends Omit<NewMeasurement, "envelope" | "mote" | "problem"> {
    id: number
    kid: Uint8Array
    /** When it was measured, where its envelope is gone. */
    storedAt: number
}

/** The envelope that a measurement came in. Times are unix ms. */
export interface MeasurementOrigin {
    id: number
    patient: number
    kid: Uint8Array
    boot: number
    salt: Uint8Array
    seq: number
    bytes: Uint8Array
    /** By the router's clock, corrected by `clockOffset` where that was off. */
    receivedAt: number
    storedAt: number
    clockOffset: number
    /** User name; null where that account is gone. */
    router: string | null
}

/** Of one quantity of one patient, from `from` on and before `before`. */
export interface MeasurementRange {
    patient: number
    name: string
    from: number
    before: number
}

/** Single readings, or summaries. */
export type MeasurementKind = "moments" | "periods"

export interface MeasuredValue {
    id: number
    mote: number
    time: number
    value: number
}

export interface HistoryStep {
    time: number
    count: number
    mean: number | null
    min: number | null
    max: number | null
    /** Mean of those that have one. */
    quality: number | null
}

export interface StoredSummary {
    time: number
    mean: number
    count: number
    least: number
    greatest: number
    span: number
}

const columns = {
    ...({ envelope: "integer", mote: "integer", patient: "integer", name: "text", unit: "text" } as const),
    ...({ value: "real", absent: "text", quality: "real", time: "integer", relative: "integer" } as const),
    ...({ problem: "text", count: "integer", least: "real", greatest: "real", span: "integer" } as const),
}
const insert = prepareRows<NewMeasurement>(columns, rows => {
    const names = listed(Object.keys(columns))
    return `INSERT INTO measurement (${names}) SELECT ${names} FROM ${rows}`
})

/** Asked after every commit; by the names that are asked for, which are few and known. */
const since = new Map<string, ReturnType<typeof prepareSince>>()

function prepareSince(names: readonly string[]) {
    return prepare<{ id: number; limit: number }, StoredMeasurement>((db, { id, limit }) =>
        stored(db).where("m.id", ">", id).where("m.name", "in", names).orderBy("m.id").limit(limit),
    )
}

const latest = prepare<MeasurementRange & { limit: number }, { value: number; time: number }>((db, o) =>
    db
        .selectFrom("measurement")
        .select(["value", "time"])
        .where("patient", "=", o.patient)
        .where("name", "=", o.name)
        .where("problem", "is", null)
        .where("value", "is not", null)
        .where("time", ">=", o.from)
        .where("time", "<", o.before)
        .orderBy("time", "desc")
        .orderBy("id", "desc")
        .limit(o.limit)
        .$castTo<{ value: number; time: number }>(),
)

const ofMote = prepare<MeasurementRange & { mote: number; limit: number }, { value: number; time: number }>((db, o) =>
    db
        .selectFrom("measurement")
        .select(["value", "time"])
        .where("patient", "=", o.patient)
        .where("name", "=", o.name)
        .where("problem", "is", null)
        .where("time", ">=", o.from)
        .where("time", "<", o.before)
        .where("mote", "=", o.mote)
        .where("value", "is not", null)
        .orderBy("time", "desc")
        .orderBy("id", "desc")
        .limit(o.limit)
        .$castTo<{ value: number; time: number }>(),
)

const values = prepare<MeasurementRange & { time: number; id: number; limit: number }, MeasuredValue>((db, o) =>
    db
        .selectFrom("measurement")
        .select(["id", "mote", "time", "value"])
        .where("patient", "=", o.patient)
        .where("name", "=", o.name)
        .where("problem", "is", null)
        .where("time", ">=", o.time)
        .where("time", "<", o.before)
        .where(({ eb, refTuple, tuple }) => eb(refTuple("time", "id"), ">", tuple(o.time, o.id)))
        .where("value", "is not", null)
        .where("span", "is", null)
        .orderBy("time")
        .orderBy("id")
        .limit(o.limit)
        .$castTo<MeasuredValue>(),
)

const firstTime = prepare<MeasurementRange, { time: number }>((db, o) =>
    db
        .selectFrom("measurement")
        .select("time")
        .where("patient", "=", o.patient)
        .where("name", "=", o.name)
        .where("problem", "is", null)
        .where("time", ">=", o.from)
        .where("time", "<", o.before)
        .orderBy("time")
        .limit(1),
)

const storedFrom = prepare<{ id: number }, { id: number; storedAt: number }>((db, { id }) =>
    db
        .selectFrom("measurement as m")
        .leftJoin("envelope", "envelope.id", "m.envelope")
        .select(["m.id", sql<number>`COALESCE(envelope.stored_at, m.time)`.as("storedAt")])
        .where("m.id", ">=", id)
        .orderBy("m.id")
        .limit(1),
)

/** Readings that a value stands for; none where there is no value. */
const weight = sql`CASE WHEN value IS NULL THEN NULL ELSE COALESCE(count, 1) END`

export class MeasurementTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add(measurements: readonly NewMeasurement[]): Promise<void> {
        if (measurements.length === 0) return
        await insert(this.access, measurements)
        this.access.changed("measurement")
    }

    /** In the order of time and id, behind `after` in that order. */
    async page(
        { patient, name, from, before }: MeasurementRange,
        o: {
            after: { time: number; id: number }
            newestFirst: boolean
            limit: number
            kind?: MeasurementKind | undefined
        },
    ): Promise<StoredMeasurement[]> {
        const order = o.newestFirst ? "desc" : "asc"
        return await stored(this.access.db)
            .$if(o.kind !== undefined, query => query.where("m.span", o.kind === "moments" ? "is" : "is not", null))
            .where("m.patient", "=", patient)
            .where("m.name", "=", name)
            .where("m.time", ">=", from)
            .where("m.time", "<", before)
            .where(({ eb, refTuple, tuple }) =>
                eb(refTuple("m.time", "m.id"), o.newestFirst ? "<" : ">", tuple(o.after.time, o.after.id)),
            )
            .orderBy("m.time", order)
            .orderBy("m.id", order)
            .limit(o.limit)
            .execute()
    }

    /** Costs a walk over that part of the index. */
    async count(range: MeasurementRange, kind?: MeasurementKind): Promise<number> {
        const { count } = await this.within(range)
            .$if(kind !== undefined, query => query.where("span", kind === "moments" ? "is" : "is not", null))
            .select(({ fn }) => fn.countAll<number>().as("count"))
            .executeTakeFirstOrThrow()
        return count
    }

    /** The values of now of these patients. */
    async current(patients: readonly number[]): Promise<StoredMeasurement[]> {
        if (patients.length === 0) return []
        // By the id, so that the engine begins with the values of now and not with all that was measured.
        return await stored(this.access.db)
            .innerJoin("current as c", join =>
                join.on("m.id", "=", ({ selectFrom }) =>
                    selectFrom("measurement as n")
                        .select(({ fn }) => fn.max<number>("n.id").as("id"))
                        .whereRef("n.patient", "=", "c.patient")
                        .whereRef("n.name", "=", "c.name")
                        .whereRef("n.time", "=", "c.time")
                        .where("n.problem", "is", null),
                ),
            )
            .where("c.patient", "in", patients)
            .execute()
    }

    /** Of one of these names. */
    async get(id: number, names: readonly string[]): Promise<StoredMeasurement | undefined> {
        return await stored(this.access.db).where("m.id", "=", id).where("m.name", "in", names).executeTakeFirst()
    }

    /** Of these names, in the order they were stored, from the one after `id`. */
    async since(id: number, names: readonly string[], limit: number): Promise<StoredMeasurement[]> {
        const key = names.join()
        let prepared = since.get(key)
        if (!prepared) since.set(key, (prepared = prepareSince(names)))
        return (await prepared(this.access, { id, limit })).rows
    }

    /** The same, of these patients only. */
    async sinceOf(
        id: number,
        names: readonly string[],
        { patients, limit }: { patients: readonly number[]; limit: number },
    ): Promise<StoredMeasurement[]> {
        if (patients.length === 0) return []
        return await stored(this.access.db)
            .where("m.id", ">", id)
            .where("m.name", "in", names)
            .where("m.patient", "in", patients)
            .orderBy("m.id")
            .limit(limit)
            .execute()
    }

    /** In the order they were stored, behind `after` and up to `until`: of these names and patients. */
    async between(
        after: number,
        until: number,
        { names, patients, limit }: { names: readonly string[]; patients: "all" | readonly number[]; limit: number },
    ): Promise<StoredMeasurement[]> {
        if (patients.length === 0) return []
        return await stored(this.access.db)
            .where("m.id", ">", after)
            .where("m.id", "<=", until)
            .where("m.name", "in", names)
            .$if(patients !== "all", query => query.where("m.patient", "in", patients as readonly number[]))
            .orderBy("m.id")
            .limit(limit)
            .execute()
    }

    /** The first one from that id on, whatever it is, and when it was stored (unix ms). */
    async storedFrom(id: number): Promise<{ id: number; storedAt: number } | undefined> {
        return (await storedFrom(this.access, { id })).rows[0]
    }

    /** Where these come from; without those that are nobody's, or no vital signs. */
    async origins(ids: readonly number[]): Promise<MeasurementOrigin[]> {
        if (ids.length === 0) return []
        return await this.access.db
            .selectFrom("measurement as m")
            .innerJoin("mote", "mote.id", "m.mote")
            .innerJoin("envelope as e", "e.id", "m.envelope")
            .leftJoin("account", "account.id", "e.router")
            .select([
                "m.id",
                "m.patient",
                "mote.kid",
                "e.boot",
                "e.salt",
                "e.seq",
                "e.bytes",
                "e.received_at as receivedAt",
            ])
            .select(["e.stored_at as storedAt", "e.clock_offset as clockOffset", "account.name as router"])
            .where("m.id", "in", ids)
            .where("m.problem", "is", null)
            .where("m.patient", "<>", sql.lit(nobody))
            .orderBy("m.id")
            .execute()
    }

    /** The newest id given out, problems included; 0 for none. */
    async newestId(): Promise<number> {
        const { id } = await this.access.db
            .selectFrom("measurement")
            .select(({ fn }) => fn.max<number | null>("id").as("id"))
            .executeTakeFirstOrThrow()
        return id ?? 0
    }

    /**
     * A time so that about `count` measurements lie in the range before it, none of them at it; undefined where there are
     * fewer. More than that lie before it only where they have the same time.
     */
    async timeAfter(range: MeasurementRange, count: number): Promise<number | undefined> {
        const row = await this.within(range).select("time").orderBy("time").offset(count).limit(1).executeTakeFirst()
        return row && Math.max(row.time, range.from + 1)
    }

    /** Steps of `stepMs`, those with a measurement only; a summary counts in the step of its middle. */
    async steps(range: MeasurementRange, stepMs: number): Promise<HistoryStep[]> {
        const step = sql<number>`time - time % ${sql.lit(stepMs)}`
        return await this.within(range)
            .select([
                step.as("time"),
                sql<number>`COALESCE(SUM(${weight}), 0)`.as("count"),
                sql<number | null>`SUM(value * ${weight}) / NULLIF(SUM(${weight}), 0)`.as("mean"),
                sql<number | null>`MIN(COALESCE(least, value))`.as("min"),
                sql<number | null>`MAX(COALESCE(greatest, value))`.as("max"),
                sql<number | null>`AVG(quality)`.as("quality"),
            ])
            .groupBy(step)
            .orderBy(sql`1`)
            .execute()
    }

    /** The newest values, the newest first. */
    async latest(range: MeasurementRange, limit: number): Promise<{ value: number; time: number }[]> {
        return (await latest(this.access, { ...range, limit })).rows
    }

    /** The newest values of one name that a mote sent, the oldest of them first. */
    async newestOfMote(
        range: MeasurementRange,
        mote: number,
        limit: number,
    ): Promise<{ value: number; time: number }[]> {
        return (await ofMote(this.access, { ...range, mote, limit })).rows.reverse()
    }

    /** Single readings that have a value, in the order of time and id, behind `after` in that order. */
    async values(
        range: MeasurementRange,
        after: { time: number; id: number },
        limit: number,
    ): Promise<MeasuredValue[]> {
        return (await values(this.access, { ...range, ...after, limit })).rows
    }

    /** When anything of a patient was first measured within a time; undefined where nothing was. */
    async firstTime(patient: number, from: number, before: number): Promise<number | undefined> {
        const times: number[] = []
        for (const name of ["hr", "temp"]) {
            const { rows } = await firstTime(this.access, { patient, name, from, before })
            if (rows[0]) times.push(rows[0].time)
        }
        return times.length > 0 ? Math.min(...times) : undefined
    }

    /** Values that stand for many, by the time of their middle. */
    async summaries(range: MeasurementRange, limit: number): Promise<StoredSummary[]> {
        return await this.within(range)
            .select(["time", "value as mean", "count", "least", "greatest", "span"])
            .where("span", "is not", null)
            .orderBy("time")
            .limit(limit)
            .$castTo<StoredSummary>()
            .execute()
    }

    /** Of all values of one name that a mote sent while that patient wore it. */
    async sum(patient: number, mote: number, name: string): Promise<number> {
        const { sum } = await this.access.db
            .selectFrom("measurement")
            .select(({ fn }) => fn.sum<number | null>("value").as("sum"))
            .where("patient", "=", patient)
            .where("name", "=", name)
            .where("mote", "=", mote)
            .where("problem", "is", null)
            .executeTakeFirstOrThrow()
        return sum ?? 0
    }

    /** The newest value of one name that a mote sent while that patient wore it, by its time; none whose time is after `until`. */
    async newestValue(
        patient: number,
        mote: number,
        name: string,
        until: number,
    ): Promise<{ id: number; time: number; value: number | null } | undefined> {
        return await this.access.db
            .selectFrom("measurement")
            .select(["id", "time", "value"])
            .where("patient", "=", patient)
            .where("name", "=", name)
            .where("mote", "=", mote)
            .where("problem", "is", null)
            .where("time", "<=", until)
            .orderBy("time", "desc")
            .orderBy("id", "desc")
            .limit(1)
            .executeTakeFirst()
    }

    /** Whether a mote has measured something of that patient within a time, by a clock, in an earlier start than `boot`. */
    async hasTimed(o: { patient: number; mote: number; from: number; before: number; boot: number }): Promise<boolean> {
        for (const name of ["hr", "temp"]) {
            const found = await this.access.db
                .selectFrom("measurement")
                .innerJoin("envelope", "envelope.id", "measurement.envelope")
                .select("measurement.id")
                .where("patient", "=", o.patient)
                .where("name", "=", name)
                .where("measurement.problem", "is", null)
                .where("time", ">=", o.from)
                .where("time", "<", o.before)
                .where("measurement.mote", "=", o.mote)
                .where("relative", "=", 0)
                .where("boot", "<", o.boot)
                .limit(1)
                .executeTakeFirst()
            if (found) return true
        }
        return false
    }

    /** How many readings of a mote are nobody's, and when the newest was measured. */
    async unassigned(mote: number): Promise<{ count: number; newest: number | null }> {
        return await this.ofNobody(mote)
            .select(({ fn }) => [fn.countAll<number>().as("count"), fn.max<number | null>("time").as("newest")])
            .executeTakeFirstOrThrow()
    }

    /** The readings of a mote that are nobody's, the newest first. */
    async unassignedPage(mote: number, before: number, limit: number): Promise<UnassignedMeasurement[]> {
        return await this.ofNobody(mote)
            .select(["name", "unit", "value", "absent", "time", "relative", "count", "span"])
            .where("time", "<", before)
            .orderBy("time", "desc")
            .orderBy("id", "desc")
            .limit(limit)
            .execute()
    }

    private ofNobody(mote: number) {
        return this.access.db
            .selectFrom("measurement")
            .where("mote", "=", mote)
            .where("patient", "=", sql.lit(nobody))
            .where("problem", "is", null)
    }

    private within({
        patient,
        name,
        from,
        before,
    }: MeasurementRange): SelectQueryBuilder<Schema, "measurement", object> {
        return this.access.db
            .selectFrom("measurement")
            .where("patient", "=", patient)
            .where("name", "=", name)
            .where("problem", "is", null)
            .where("time", ">=", from)
            .where("time", "<", before)
    }
}

function stored(db: Kysely<Schema>) {
    return db
        .selectFrom("measurement as m")
        .innerJoin("mote", "mote.id", "m.mote")
        .leftJoin("envelope", "envelope.id", "m.envelope")
        .select(["m.id", "m.patient", "mote.kid", "m.name", "m.unit", "m.value", "m.absent", "m.quality"])
        .select(["m.time", "m.relative", "m.count", "m.least", "m.greatest", "m.span"])
        .select(sql<number>`COALESCE(envelope.stored_at, m.time)`.as("storedAt"))
        .where("m.problem", "is", null)
        .where("m.patient", "<>", sql.lit(nobody))
}
