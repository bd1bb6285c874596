import type { HistoryPoint } from "./history.ts"
import { maxSpanMs, vitalNames, type VitalName } from "../../wire/tables/quantities.ts"
import type { Absence, Reading } from "./readings.ts"
import type { StoredMeasurement, StoredSummary } from "../store/measurements.ts"
import type { Store, Tables } from "../store/store.ts"

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

/** More of a patient than motes send in years; so that nobody makes a chart expensive. */
const maxSummaries = 2000

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
        let { from = 0, before = Number.MAX_SAFE_INTEGER } = search
        const after = search.after ?? { time: newestFirst ? before : from - 1, id: 0 }
        // The index is searched by time alone: begin where the last page ended.
        if (newestFirst) before = Math.min(before, after.time + 1)
        else from = Math.max(from, after.time)
        const found: Observation[] = []
        for (const patient of search.patients)
            for (const name of search.names) {
                const range = { patient, name, from, before }
                const rows = await this.store.measurement.page(range, { after, newestFirst, limit })
                found.push(...rows.map(observation))
            }
        const sign = newestFirst ? -1 : 1
        return found.sort((a, b) => sign * (a.time - b.time || a.id - b.id)).slice(0, limit)
    }

    /** How many match in all; costs a walk over that part of the index. */
    async count(search: Pick<ObservationSearch, "patients" | "names" | "from" | "before">): Promise<number> {
        const { from = 0, before = Number.MAX_SAFE_INTEGER } = search
        let count = 0
        for (const patient of search.patients)
            for (const name of search.names)
                count += await this.store.measurement.count({ patient, name, from, before })
        return count
    }

    async get(id: number): Promise<Observation | undefined> {
        const found = await this.store.measurement.get(id, vitalNames)
        return found && observation(found)
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
        return (await this.store.measurement.since(id, vitalNames, limit)).map(observation)
    }

    /** The newest id given out; 0 for none. */
    async newestId(): Promise<number> {
        return await this.store.measurement.newestId()
    }

    /** Steps of `stepMs` from `from` (unix ms) until before `before`; those without a reading are left out. */
    async history(o: {
        patient: number
        name: VitalName
        from: number
        before: number
        stepMs: number
    }): Promise<HistoryPoint[]> {
        const { stepMs, ...range } = o
        const points = await this.store.measurement.steps(range, stepMs)
        const around = { ...range, from: o.from - maxSpanMs, before: o.before + maxSpanMs }
        return withSpans(points, await this.store.measurement.summaries(around, maxSummaries), o)
    }

    /** Stores what a pack of the mote said, out of one envelope. */
    async add(
        readings: readonly Reading[],
        { envelope, mote }: { envelope: number; mote: { id: number; patient: number } },
        t: Tables,
    ): Promise<void> {
        // Written out: this runs for every reading, and spread objects cost more than the database.
        const rows = readings.map(({ name, unit, value, absent, quality, summary, time, relative, problem }) => ({
            envelope,
            mote: mote.id,
            patient: mote.patient,
            name,
            unit,
            value,
            absent,
            quality,
            time,
            relative: relative ? 1 : 0,
            problem,
            count: summary === null ? null : summary.count,
            least: summary === null ? null : summary.least,
            greatest: summary === null ? null : summary.greatest,
            span: summary === null ? null : summary.spanMs,
        }))
        await t.measurement.add(rows)
    }
}

function observation(row: StoredMeasurement): Observation {
    const { count, least, greatest, span } = row
    const isSummary = count !== null && least !== null && greatest !== null && span !== null
    return {
        id: row.id,
        patient: row.patient,
        kid: row.kid,
        name: row.name as VitalName,
        unit: row.unit,
        value: row.value,
        absent: row.absent as Absence | null,
        quality: row.quality,
        summary: isSummary ? { count, least, greatest, spanMs: span } : null,
        time: row.time,
        relative: row.relative === 1,
        storedAt: row.storedAt,
    }
}

/** A summary stands for all steps that it spans, not for its middle alone: they get its values where they have none. */
function withSpans(
    points: HistoryPoint[],
    summaries: StoredSummary[],
    { from, before, stepMs }: { from: number; before: number; stepMs: number },
): HistoryPoint[] {
    if (summaries.length === 0) return points
    const steps = new Map(points.map(point => [point.time, point]))
    const stepOf = (time: number) => time - (time % stepMs)
    for (const { time, mean, least: min, greatest: max, span } of summaries) {
        const first = stepOf(Math.max(from, time - span / 2))
        const last = stepOf(Math.min(before - 1, time + span / 2))
        for (let at = first; at <= last; at += stepMs)
            if (!steps.has(at)) steps.set(at, { time: at, count: 0, mean, min, max })
    }
    return [...steps.values()].sort((a, b) => a.time - b.time)
}
