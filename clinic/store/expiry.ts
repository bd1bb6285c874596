import { sql, type Kysely, type Selectable } from "kysely"
import type { Access } from "./access.ts"
import type { NewMean } from "./means.ts"
import type { Schema } from "./schema.ts"

/** A value that stands for one reading or for many. */
export type SummedValue = Pick<
    Selectable<Schema["measurement"]>,
    "time" | "mote" | "value" | "quality" | "count" | "least" | "greatest"
>

/** A reading, or a summary, whose time is over. */
type ExpiredReading = SummedValue & { id: number }

/** A mean whose time is over. */
type ExpiredMean = Omit<NewMean, "patient" | "name" | "step">

export interface ExpiredEnvelope {
    id: number
    /** By the clinic's clock, unix ms: when the router got it, and when it was stored. */
    receivedAt: number
    storedAt: number
    isFlawed: boolean
}

interface Quantity {
    patient: number
    name: string
}

/**
 * What is removed, in pieces that a transaction takes in milliseconds: read one, do with it what is to be done, and remove it, in the
 * same transaction. Everything goes by an index.
 */
export class ExpiryTables {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /** What a patient (or nobody) has readings of. One step of the index for each name. */
    async names(patient: number): Promise<string[]> {
        const found: string[] = []
        for (;;) {
            const { name } = await this.access.db
                .selectFrom("measurement")
                .select(({ fn }) => fn.min<string | null>("name").as("name"))
                .where("patient", "=", patient)
                .where("problem", "is", null)
                .$if(found.length > 0, query => query.where("name", ">", found.at(-1)!))
                .executeTakeFirstOrThrow()
            if (name === null) return found
            found.push(name)
        }
    }

    /** The oldest readings before `before`; summaries with them that span no more than `maxSpanMs`. */
    async readings(of: Quantity & { before: number; maxSpanMs: number }, limit: number): Promise<ExpiredReading[]> {
        return await expired(this.access.db, of)
            .select(["id", "time", "mote", "value", "quality", "count", "least", "greatest"])
            .orderBy("time")
            .orderBy("id")
            .limit(limit)
            .execute()
    }

    /** Those until `last`, in the order of time and id. Returns how many. */
    async removeReadings(
        of: Quantity & { before: number; maxSpanMs: number },
        last: { time: number; id: number },
    ): Promise<number> {
        const { numDeletedRows } = await this.access.db
            .deleteFrom("measurement")
            .where("patient", "=", of.patient)
            .where("name", "=", of.name)
            .where("problem", "is", null)
            .where("time", "<=", last.time)
            .where(({ eb, refTuple, tuple }) => eb(refTuple("time", "id"), "<=", tuple(last.time, last.id)))
            .where(({ or, eb }) => or([eb("span", "is", null), eb("span", "<=", of.maxSpanMs)]))
            .executeTakeFirst()
        return Number(numDeletedRows)
    }

    /** The oldest means of a step that are over before `before`. */
    async means(of: Quantity & { step: number; before: number }, limit: number): Promise<ExpiredMean[]> {
        return await this.access.db
            .selectFrom("mean")
            .select(["time", "mote", "value", "count", "least", "greatest", "quality"])
            .where("patient", "=", of.patient)
            .where("name", "=", of.name)
            .where("step", "=", of.step)
            .where("time", "<=", of.before - of.step)
            .orderBy("time")
            .orderBy("mote")
            .limit(limit)
            .execute()
    }

    /** Those until `last`, in the order of time and mote. Returns how many. */
    async removeMeans(of: Quantity & { step: number }, last: { time: number; mote: number }): Promise<number> {
        const { numDeletedRows } = await this.access.db
            .deleteFrom("mean")
            .where("patient", "=", of.patient)
            .where("name", "=", of.name)
            .where("step", "=", of.step)
            .where("time", "<=", last.time)
            .where(({ eb, refTuple, tuple }) => eb(refTuple("time", "mote"), "<=", tuple(last.time, last.mote)))
            .executeTakeFirst()
        return Number(numDeletedRows)
    }

    /** The envelopes of a mote that were stored before `before`, in the order of their ids, behind `after`. */
    async envelopes(of: { mote: number; before: number; after: number }, limit: number): Promise<ExpiredEnvelope[]> {
        const rows = await this.access.db
            .selectFrom("envelope")
            .select(["id", "received_at", "clock_offset", "stored_at", "problem"])
            .where("mote", "=", of.mote)
            .where("id", ">", of.after)
            .where("stored_at", "<", of.before)
            .orderBy("id")
            .limit(limit)
            .execute()
        return rows.map(row => ({
            ...{ id: row.id, receivedAt: row.received_at + row.clock_offset, storedAt: row.stored_at },
            isFlawed: row.problem !== null,
        }))
    }

    /** With what was wrong in them, which nobody can see without. */
    async removeEnvelopes(envelopes: readonly Pick<ExpiredEnvelope, "id" | "isFlawed">[]): Promise<void> {
        const flawed = envelopes.filter(({ isFlawed }) => isFlawed).map(({ id }) => id)
        if (flawed.length > 0)
            await this.access.db
                .deleteFrom("measurement")
                .where("envelope", "in", flawed)
                .where("problem", "is not", null)
                .execute()
        const ids = envelopes.map(({ id }) => id)
        if (ids.length > 0) await this.access.db.deleteFrom("envelope").where("id", "in", ids).execute()
        this.access.changed("envelope")
    }
}

function expired(
    db: Kysely<Schema>,
    { patient, name, before, maxSpanMs }: Quantity & { before: number; maxSpanMs: number },
) {
    return db
        .selectFrom("measurement")
        .where("patient", "=", patient)
        .where("name", "=", name)
        .where("problem", "is", null)
        .where("time", "<", before)
        .where(({ or, eb }) => or([eb("span", "is", null), eb("span", "<=", sql.lit(maxSpanMs))]))
}
