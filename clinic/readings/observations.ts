import type { HistoryPoint } from "./history.ts"
import { maxSpanMs, vitalNames, type VitalName } from "../../wire/tables/quantities.ts"
import type { Absence, Reading, Summary } from "./readings.ts"
import type { Store, Value } from "../store/store.ts"

/** A stored vital sign. */
export interface Observation extends Omit<Reading, "name" | "problem"> {
    id: number
    patient: number
    /** Of the mote that measured. */
    kid: Uint8Array
    name: VitalName
    /** Unix time in milliseconds. */
    storedAt: number
}

/** Where a page of a search ends; the next one goes on behind it, whatever has arrived meanwhile. */
export interface Position {
    time: number
    id: number
}

export interface ObservationSearch {
    patients: number[]
    names: readonly VitalName[]
    /** Unix ms: from `from` on, and before `before`. */
    from?: number
    before?: number
    newestFirst: boolean
    after?: Position
    limit: number
}

const columns = `m.id, m.patient, mote.kid, m.name, m.unit, m.value, m.absent, m.quality, m.time, m.relative,
    m.count, m.least, m.greatest, m.span AS "spanMs",
    envelope.stored_at AS "storedAt"`
const tables = `measurement AS m JOIN mote ON mote.id = m.mote JOIN envelope ON envelope.id = m.envelope`
const isVital = `m.problem IS NULL AND m.name IN (${vitalNames.map(name => `'${name}'`).join(", ")})`

/** Readings that a value stands for; none where there is no value. */
const weight = "CASE WHEN value IS NULL THEN NULL ELSE COALESCE(count, 1) END"

/** More of a patient than motes send in years; so that nobody makes a chart expensive. */
const maxSummaries = 2000

const pageSql = (newestFirst: boolean) => `
    SELECT ${columns} FROM ${tables}
    WHERE m.patient = ? AND m.name = ? AND m.problem IS NULL AND m.time >= ? AND m.time < ?
        AND (m.time, m.id) ${newestFirst ? "<" : ">"} (?, ?)
    ORDER BY m.time ${newestFirst ? "DESC" : "ASC"}, m.id ${newestFirst ? "DESC" : "ASC"}
    LIMIT ?`
const pageNewestFirst = pageSql(true)
const pageOldestFirst = pageSql(false)

/** What was measured: everything a reader asks for. Values with a problem are not vital signs and never show up. */
export class Observations {
    private readonly store: Store

    constructor(store: Store) {
        this.store = store
    }

    /**
     * One page, ordered by time. Each patient and quantity is read through the index on its own and the pages merged,
     * so that the cost does not grow with what is stored.
     */
    async search(search: ObservationSearch): Promise<Observation[]> {
        const { newestFirst, limit } = search
        const sql = newestFirst ? pageNewestFirst : pageOldestFirst
        let { from = 0, before = Number.MAX_SAFE_INTEGER } = search
        const after = search.after ?? { time: newestFirst ? before : from - 1, id: 0 }
        // The index is searched by time alone: begin where the last page ended.
        if (newestFirst) before = Math.min(before, after.time + 1)
        else from = Math.max(from, after.time)
        const found: Observation[] = []
        for (const patient of search.patients)
            for (const name of search.names) {
                const page = [patient, name, from, before, after.time, after.id, limit]
                found.push(...(await this.rows(sql, ...page)))
            }
        const sign = newestFirst ? -1 : 1
        return found.sort((a, b) => sign * (a.time - b.time || a.id - b.id)).slice(0, limit)
    }

    /** How many match in all; costs a walk over that part of the index. */
    async count(search: Pick<ObservationSearch, "patients" | "names" | "from" | "before">): Promise<number> {
        const { from = 0, before = Number.MAX_SAFE_INTEGER } = search
        let count = 0
        for (const patient of search.patients)
            for (const name of search.names) {
                const [row] = await this.store.all<{ count: number }>(
                    `SELECT COUNT(*) AS count FROM measurement
                     WHERE patient = ? AND name = ? AND problem IS NULL AND time >= ? AND time < ?`,
                    ...[patient, name, from, before],
                )
                count += row!.count
            }
        return count
    }

    async get(id: number): Promise<Observation | undefined> {
        const rows = await this.rows(`SELECT ${columns} FROM ${tables} WHERE m.id = ? AND ${isVital}`, id)
        return rows[0]
    }

    async newest(patient: number, name: VitalName): Promise<Observation | undefined> {
        const rows = await this.search({
            patients: [patient],
            names: [name],
            newestFirst: true,
            limit: 1,
        })
        return rows[0]
    }

    /** In the order they were stored, from the one after `id`. */
    async since(id: number, limit: number): Promise<Observation[]> {
        return await this.rows(
            `SELECT ${columns} FROM ${tables} WHERE m.id > ? AND ${isVital} ORDER BY m.id LIMIT ?`,
            ...[id, limit],
        )
    }

    /** The newest id given out; 0 for none. */
    async newestId(): Promise<number> {
        const rows = await this.store.all<{ id: number | null }>("SELECT MAX(id) AS id FROM measurement")
        return rows[0]?.id ?? 0
    }

    /** Steps of `stepMs` from `from` (unix ms) until before `before`; those without a reading are left out. */
    async history(o: {
        patient: number
        name: VitalName
        from: number
        before: number
        stepMs: number
    }): Promise<HistoryPoint[]> {
        const points = await this.store.all<HistoryPoint>(
            `SELECT time - time % ? AS time, COALESCE(SUM(${weight}), 0) AS count,
                 SUM(value * ${weight}) / NULLIF(SUM(${weight}), 0) AS mean,
                 MIN(COALESCE(least, value)) AS min, MAX(COALESCE(greatest, value)) AS max
             FROM measurement
             WHERE patient = ? AND name = ? AND problem IS NULL AND time >= ? AND time < ?
             GROUP BY time - time % ? ORDER BY 1`,
            ...[o.stepMs, o.patient, o.name, o.from, o.before, o.stepMs],
        )
        const summaries = await this.store.all<Summary & { time: number; mean: number }>(
            `SELECT time, value AS mean, count, least, greatest, span AS "spanMs" FROM measurement
             WHERE patient = ? AND name = ? AND problem IS NULL AND span IS NOT NULL
             AND time >= ? AND time < ? ORDER BY time LIMIT ${maxSummaries}`,
            ...[o.patient, o.name, o.from - maxSpanMs, o.before + maxSpanMs],
        )
        return withSpans(points, summaries, o)
    }

    private async rows(sql: string, ...parameters: Value[]): Promise<Observation[]> {
        const rows = await this.store.all<Row>(sql, ...parameters)
        return rows.map(({ count, least, greatest, spanMs, relative, ...row }) => ({
            ...row,
            summary: spanMs === null ? null : { count, least, greatest, spanMs },
            relative: relative === 1,
        }))
    }
}

type Row = Omit<Observation, "relative" | "absent" | "summary"> & {
    relative: number
    absent: Absence | null
} & (Summary | Record<keyof Summary, null>)

/** A summary stands for all steps that it spans, not for its middle alone: they get its values where they have none. */
function withSpans(
    points: HistoryPoint[],
    summaries: (Summary & { time: number; mean: number })[],
    { from, before, stepMs }: { from: number; before: number; stepMs: number },
): HistoryPoint[] {
    if (summaries.length === 0) return points
    const steps = new Map(points.map(point => [point.time, point]))
    const stepOf = (time: number) => time - (time % stepMs)
    for (const { time, mean, least: min, greatest: max, spanMs } of summaries) {
        const first = stepOf(Math.max(from, time - spanMs / 2))
        const last = stepOf(Math.min(before - 1, time + spanMs / 2))
        for (let at = first; at <= last; at += stepMs)
            if (!steps.has(at)) steps.set(at, { time: at, count: 0, mean, min, max })
    }
    return [...steps.values()].sort((a, b) => a.time - b.time)
}
