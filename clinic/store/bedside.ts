import { prepare, type Access } from "./access.ts"
import type { MeasurementRange } from "./measurements.ts"

export interface StoredBedside {
    id: number
    patient: number
    name: string
    value: number
    /** Unix ms: when it was observed, and when it was entered. */
    time: number
    storedAt: number
    author: string
}

const columns = ["id", "patient", "name", "value", "time", "stored_at as storedAt", "author"] as const

const newest = prepare<{ patient: number; name: string; until: number }, StoredBedside>((db, o) =>
    db
        .selectFrom("bedside")
        .select(columns)
        .where("patient", "=", o.patient)
        .where("name", "=", o.name)
        .where("time", "<=", o.until)
        .orderBy("time", "desc")
        .orderBy("id", "desc")
        .limit(1),
)

/** What nurses observed at the bedside. Nothing in it is ever changed. */
export class BedsideTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    async add({ storedAt, ...entry }: Omit<StoredBedside, "id">): Promise<StoredBedside> {
        const added = await this.access.db
            .insertInto("bedside")
            .values({ ...entry, stored_at: storedAt })
            .returning(columns)
            .executeTakeFirstOrThrow()
        this.access.changed("bedside", added.id)
        return added
    }

    /** The last one whose time is not after `until`. */
    async newest(patient: number, name: string, until: number): Promise<StoredBedside | undefined> {
        return (await newest(this.access, { patient, name, until })).rows[0]
    }

    async get(id: number): Promise<StoredBedside | undefined> {
        return await this.access.db.selectFrom("bedside").select(columns).where("id", "=", id).executeTakeFirst()
    }

    /** In the order of time and id, behind `after` in that order. */
    async page(
        { patient, name, from, before }: MeasurementRange,
        o: { after: { time: number; id: number }; newestFirst: boolean; limit: number },
    ): Promise<StoredBedside[]> {
        const order = o.newestFirst ? "desc" : "asc"
        return await this.access.db
            .selectFrom("bedside")
            .select(columns)
            .where("patient", "=", patient)
            .where("name", "=", name)
            .where("time", ">=", from)
            .where("time", "<", before)
            .where(({ eb, refTuple, tuple }) =>
                eb(refTuple("time", "id"), o.newestFirst ? "<" : ">", tuple(o.after.time, o.after.id)),
            )
            .orderBy("time", order)
            .orderBy("id", order)
            .limit(o.limit)
            .execute()
    }

    /** In the order they were entered, behind an id. */
    async since(
        id: number,
        { names, patients, limit }: { names: readonly string[]; patients: "all" | readonly number[]; limit: number },
    ): Promise<StoredBedside[]> {
        if (patients.length === 0 || names.length === 0) return []
        return await this.access.db
            .selectFrom("bedside")
            .select(columns)
            .where("id", ">", id)
            .where("name", "in", names)
            .$if(patients !== "all", query => query.where("patient", "in", patients as readonly number[]))
            .orderBy("id")
            .limit(limit)
            .execute()
    }

    /** The first one from that id on. */
    async from(id: number): Promise<StoredBedside | undefined> {
        return await this.access.db
            .selectFrom("bedside")
            .select(columns)
            .where("id", ">=", id)
            .orderBy("id")
            .limit(1)
            .executeTakeFirst()
    }

    /** The newest id given out; 0 for none. */
    async newestId(): Promise<number> {
        const { id } = await this.access.db
            .selectFrom("bedside")
            .select(({ fn }) => fn.max<number | null>("id").as("id"))
            .executeTakeFirstOrThrow()
        return id ?? 0
    }

    async count({ patient, name, from, before }: MeasurementRange): Promise<number> {
        const { count } = await this.access.db
            .selectFrom("bedside")
            .select(({ fn }) => fn.countAll<number>().as("count"))
            .where("patient", "=", patient)
            .where("name", "=", name)
            .where("time", ">=", from)
            .where("time", "<", before)
            .executeTakeFirstOrThrow()
        return count
    }
}
