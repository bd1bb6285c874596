import { sql, type Selectable } from "kysely"
import type { Access } from "./access.ts"
import type { HistoryStep, MeasurementRange } from "./measurements.ts"
import type { Schema } from "./schema.ts"

/**
 * What readings of one quantity that a mote measured have left, over `step` ms from `time` (unix ms) on. `count` readings are what the
 * value stands for.
 */
export type NewMean = Omit<Selectable<Schema["mean"]>, "id">

export type StoredMean = Selectable<Schema["mean"]> & { kid: Uint8Array }

/** Which steps there are in a range, and for which time. */
export interface MeanExtent {
    step: number
    from: number
    before: number
}

/** Rows of one statement; engines limit the parameters of one. */
const maxRows = 100

const bothCounts = sql`(mean.count + excluded.count)`
const together = (column: "value" | "quality") =>
    sql`(mean.${sql.raw(column)} * mean.count + excluded.${sql.raw(column)} * excluded.count) / ${bothCounts}`

/** Means of minutes and hours, in place of readings. A reading is in one place only: here, in a mean, or in `measurement`. */
export class MeanTable {
    private readonly access: Access

    constructor(access: Access) {
        this.access = access
    }

    /** Each is another one by its key. What is there of the same step is joined with it. */
    async join(means: readonly NewMean[]): Promise<void> {
        for (let i = 0; i < means.length; i += maxRows)
            await this.access.db
                .insertInto("mean")
                .values(means.slice(i, i + maxRows))
                .onConflict(conflict =>
                    conflict.columns(["patient", "name", "step", "time", "mote"]).doUpdateSet({
                        value: together("value"),
                        count: bothCounts,
                        least: sql`CASE WHEN excluded.least < mean.least THEN excluded.least ELSE mean.least END`,
                        greatest: sql`CASE WHEN excluded.greatest > mean.greatest THEN excluded.greatest ELSE mean.greatest END`,
                        quality: sql`CASE WHEN mean.quality IS NULL THEN excluded.quality
                            WHEN excluded.quality IS NULL THEN mean.quality ELSE ${together("quality")} END`,
                    } as never),
                )
                .execute()
        if (means.length > 0) this.access.changed("mean")
    }

    /** By the middle of their time, behind `after` in the order of time and id. */
    async page(
        range: MeasurementRange,
        o: { step: number; middle: number; after: { time: number; id: number }; newestFirst: boolean; limit: number },
    ): Promise<StoredMean[]> {
        const order = o.newestFirst ? "desc" : "asc"
        return await this.stored()
            .where("mean.patient", "=", range.patient)
            .where("mean.name", "=", range.name)
            .where("mean.step", "=", o.step)
            .where("mean.time", ">=", range.from - o.middle)
            .where("mean.time", "<", range.before - o.middle)
            .where(({ eb, refTuple, tuple }) =>
                eb(
                    refTuple("mean.time", "mean.id"),
                    o.newestFirst ? "<" : ">",
                    tuple(o.after.time - o.middle, o.after.id),
                ),
            )
            .orderBy("mean.time", order)
            .orderBy("mean.id", order)
            .limit(o.limit)
            .execute()
    }

    async count(of: { patient: number; name: string; step: number }): Promise<number> {
        const { count } = await this.within({ ...of, from: 0, before: Number.MAX_SAFE_INTEGER }, of.step)
            .select(({ fn }) => fn.countAll<number>().as("count"))
            .executeTakeFirstOrThrow()
        return count
    }

    async get(id: number): Promise<StoredMean | undefined> {
        return await this.stored().where("mean.id", "=", id).executeTakeFirst()
    }

    /** Those of that step and range, made steps of `stepMs`; one that is longer than that stays as it is. */
    async steps(range: MeasurementRange, step: number, stepMs: number): Promise<HistoryStep[]> {
        const time = step >= stepMs ? sql<number>`time` : sql<number>`time - time % ${sql.lit(stepMs)}`
        return await this.within(range, step)
            .select([
                time.as("time"),
                sql<number>`SUM(count)`.as("count"),
                sql<number>`SUM(value * count) / SUM(count)`.as("mean"),
                sql<number>`MIN(least)`.as("min"),
                sql<number>`MAX(greatest)`.as("max"),
                sql<number | null>`AVG(quality)`.as("quality"),
            ])
            .groupBy(time)
            .orderBy(sql`1`)
            .execute()
    }

    /** Which steps there are of a quantity of a patient in that range. */
    async extents(range: MeasurementRange, steps: readonly number[]): Promise<MeanExtent[]> {
        const found: MeanExtent[] = []
        for (const step of steps) {
            const edge = async (order: "asc" | "desc") =>
                (await this.within(range, step).select("time").orderBy("time", order).limit(1).executeTakeFirst())?.time
            const [first, last] = [await edge("asc"), await edge("desc")]
            if (first !== undefined && last !== undefined) found.push({ step, from: first, before: last + step })
        }
        return found
    }

    private within({ patient, name, from, before }: MeasurementRange, step: number) {
        return this.access.db
            .selectFrom("mean")
            .where("patient", "=", patient)
            .where("name", "=", name)
            .where("step", "=", step)
            .where("time", ">", from - step)
            .where("time", "<", before)
    }

    private stored() {
        return this.access.db
            .selectFrom("mean")
            .innerJoin("mote", "mote.id", "mean.mote")
            .select(["mean.id", "mean.patient", "mean.name", "mean.step", "mean.time", "mean.mote", "mote.kid"])
            .select(["mean.value", "mean.count", "mean.least", "mean.greatest", "mean.quality"])
    }
}
