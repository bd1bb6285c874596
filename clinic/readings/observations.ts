import type { HistoryPoint } from "./history.ts"
import { maxSpanMs, vitalNames, type VitalName } from "../../wire/tables/quantities.ts"
import type { Absence, Reading } from "./readings.ts"
import { periodOf, type TimeFilter, type TimeRange } from "./time-filter.ts"
import { Slices } from "../../host/slices.ts"
import { idBefore, rowsAtOnce, type StoredPart } from "./stored-since.ts"
import {
    type MeasurementKind,
    type MeasurementOrigin,
    type MeasurementRange,
    type StoredMeasurement,
    type StoredSummary,
    type UnassignedMeasurement,
} from "../store/measurements.ts"
import type { Store } from "../store/store.ts"
import { joined, Means } from "./means.ts"

/** A stored vital sign. */
export interface Observation extends Omit<Reading, "name" | "problem"> {
    id: number
    patient: number
    /** Of the mote that measured. */
    kid: Uint8Array
    name: VitalName
    /** Unix time in milliseconds. */
    storedAt: number
    /** A mean of readings that are kept no longer. */
    isLeft?: true
}

/** Where a page of a search ends; the next one goes on behind it, whatever has arrived meanwhile. */
export interface Position {
    time: number
    id: number
}

export interface ObservationSearch {
    patients: number[]
    names: readonly VitalName[]
    /** Undefined: whenever. */
    when?: TimeFilter | undefined
    newestFirst: boolean
    after?: Position
    limit: number
}

interface Quantity {
    patient: number
    name: VitalName
}

interface Page {
    after: Position
    newestFirst: boolean
    limit: number
}

const always: TimeRange = { from: -Infinity, before: Infinity }
const pageSize = 500
/** So many readings are counted, or made steps of, in one go: a few milliseconds. */
const partSize = 4096

/** So many patients' values of now are read in one go: a few milliseconds. */
const patientsAtOnce = 50

/** More of a patient than motes send in years; so that nobody makes a chart expensive. */
const maxSummaries = 2000

/** What was measured: everything a reader asks for. Values with a problem are not vital signs and never show up. */
export class Observations {
    private readonly store: Store
    private readonly means: Means

    constructor(store: Store) {
        this.store = store
        this.means = new Means(store)
    }

    /**
     * One page, ordered by time. Each patient and quantity is read through the index on its own and the pages merged,
     * so that the cost does not grow with what is stored.
     */
    async search(search: ObservationSearch): Promise<Observation[]> {
        const { newestFirst, limit, when } = search
        const slices = new Slices()
        const found: Observation[] = []
        for (const patient of search.patients)
            for (const name of search.names) {
                await slices.pause()
                const of = { patient, name }
                const page = { newestFirst, limit, after: search.after ?? beginning(newestFirst) }
                if (!when) found.push(...(await this.page(of, always, page)))
                else {
                    found.push(...(await this.moments(of, when, page)))
                    found.push(...(await this.periods(of, when, page, slices)))
                }
            }
        return inOrder(found, newestFirst).slice(0, limit)
    }

    /** How many match in all; costs a walk over that part of the index, in slices. */
    async count({ patients, names, when }: Pick<ObservationSearch, "patients" | "names" | "when">): Promise<number> {
        const slices = new Slices()
        let count = 0
        for (const patient of patients)
            for (const name of names)
                if (!when) {
                    count += await this.countWithin({ patient, name }, always, undefined, slices)
                    count += await this.means.count({ patient, name })
                } else {
                    for (const range of when.moments)
                        count += await this.countWithin({ patient, name }, range, "moments", slices)
                    const page = { newestFirst: false, limit: Infinity, after: beginning(false) }
                    count += (await this.periods({ patient, name }, when, page, slices)).length
                }
        return count
    }

    /** Single readings, out of one range after the other until there are enough. */
    private async moments(of: Quantity, { moments }: TimeFilter, page: Page): Promise<Observation[]> {
        const found: Observation[] = []
        for (const range of page.newestFirst ? moments.toReversed() : moments) {
            const limit = page.limit - found.length
            if (limit > 0) found.push(...(await this.page(of, range, { ...page, limit }, "moments")))
        }
        return found
    }

    /** Summaries, which match or do not by their edges. There are few of them. */
    private async periods(of: Quantity, when: TimeFilter, page: Page, slices: Slices): Promise<Observation[]> {
        const { from, before } = when.periods
        const range = { from: from - maxSpanMs, before: before + maxSpanMs }
        const found: Observation[] = []
        let { after } = page
        for (;;) {
            const some = await this.page(of, range, { ...page, after, limit: pageSize }, "periods")
            found.push(...some.filter(observation => when.matches(periodOf(observation))))
            const last = some.at(-1)
            if (!last || some.length < pageSize || found.length >= page.limit) return found.slice(0, page.limit)
            after = { time: last.time, id: last.id }
            await slices.pause()
        }
    }

    private async page(
        of: Quantity,
        { from, before }: TimeRange,
        { after, newestFirst, limit }: Page,
        kind?: MeasurementKind,
    ): Promise<Observation[]> {
        // The index is searched by time alone: begin where the last page ended.
        const range = {
            ...of,
            from: finite(newestFirst ? from : Math.max(from, after.time)),
            before: finite(newestFirst ? Math.min(before, after.time + 1) : before),
        }
        if (range.from >= range.before) return []
        const rows = await this.store.measurement.page(range, { after, newestFirst, limit, kind })
        const readings = rows.map(observation)
        if (kind === "moments") return readings
        const means = await this.means.page(range, { after, newestFirst, limit })
        return means.length === 0 ? readings : inOrder([...readings, ...means], newestFirst).slice(0, limit)
    }

    private async countWithin(
        of: Quantity,
        { from, before }: TimeRange,
        kind: MeasurementKind | undefined,
        slices: Slices,
    ): Promise<number> {
        let count = 0
        for await (const part of this.parts({ ...of, from: finite(from), before: finite(before) }, slices))
            count += await this.store.measurement.count(part, kind)
        return count
    }

    /** The range in parts that are read fast, with a pause for others after each. */
    private async *parts(range: MeasurementRange, slices: Slices): AsyncGenerator<MeasurementRange> {
        let { from } = range
        while (from < range.before) {
            const before = (await this.store.measurement.timeAfter({ ...range, from }, partSize)) ?? range.before
            yield { ...range, from, before }
            from = before
            await slices.pause()
        }
    }

    async get(id: number): Promise<Observation | undefined> {
        const found = await this.store.measurement.get(id, vitalNames)
        return found ? observation(found) : await this.means.get(id)
    }

    /**
     * What is shown as the value of now: what arrived last, unless it is older than what had arrived before. What was ahead of the
     * clinic when it came gives way to the next.
     */
    async newest(patient: number, name: VitalName): Promise<Observation | undefined> {
        return (await this.newestOf([patient])).get(patient)?.find(observation => observation.name === name)
    }

    /** The same of everybody listed, each in the order of the names; without those of whom nothing was measured. */
    async newestOf(patients: readonly number[]): Promise<Map<number, Observation[]>> {
        const slices = new Slices()
        const newest = new Map<number, Map<string, Observation>>()
        for (let from = 0; from < patients.length; from += patientsAtOnce) {
            await slices.pause()
            for (const row of await this.store.measurement.current(patients.slice(from, from + patientsAtOnce))) {
                const own = newest.get(row.patient) ?? new Map<string, Observation>()
                newest.set(row.patient, own.set(row.name, observation(row)))
            }
        }
        return new Map([...newest].map(([patient, own]) => [patient, vitalNames.flatMap(name => own.get(name) ?? [])]))
    }

    /** In the order they were stored, from the one after `id`; of everybody, or of these patients. */
    async since(id: number, limit: number, of: "all" | readonly number[] = "all"): Promise<Observation[]> {
        const { measurement } = this.store
        const found =
            of === "all"
                ? await measurement.since(id, vitalNames, limit)
                : await measurement.sinceOf(id, vitalNames, { patients: of, limit })
        return found.map(observation)
    }

    /** The last id of what was stored before that, unix ms. */
    async idBefore(at: number): Promise<number> {
        if (at <= 0) return 0
        const { measurement } = this.store
        return await idBefore(at, await measurement.newestId(), id => measurement.storedFrom(id))
    }

    /** The envelopes that these came in. */
    async origins(ids: readonly number[]): Promise<MeasurementOrigin[]> {
        return await this.store.measurement.origins(ids)
    }

    /** In the order they were stored, behind an id. */
    async stored(o: {
        after: number
        names: readonly VitalName[]
        patients: "all" | readonly number[]
        limit: number
    }): Promise<StoredPart<Observation>> {
        const { after, names, patients, limit } = o
        const { measurement } = this.store
        const newest = await measurement.newestId()
        const until = Math.min(after + rowsAtOnce, newest)
        if (names.length === 0 || until <= after) return { found: [], rest: undefined }
        const rows = await measurement.between(after, until, { names, patients, limit })
        const rest = rows.length === limit ? rows.at(-1)!.id : until < newest ? until : undefined
        return { found: rows.map(observation), rest }
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
        const points: HistoryPoint[] = []
        for await (const part of this.parts(range, new Slices()))
            append(points, await this.store.measurement.steps(part, stepMs))
        const around = { ...range, from: o.from - maxSpanMs, before: o.before + maxSpanMs }
        const all = withSpans(points, await this.store.measurement.summaries(around, maxSummaries), o)
        return await this.means.join(all, range, stepMs)
    }

    /** For which part of a range (unix ms) there are only means of a patient's vital signs, by their step. */
    async left(patient: number, range: TimeRange): Promise<{ stepMs: number; from: number; before: number }[]> {
        return await this.means.extents(patient, vitalNames, range)
    }

    /** How many readings of a mote are nobody's, and when the newest was measured. */
    async unassigned(mote: number): Promise<{ count: number; newest: number | null }> {
        return await this.store.measurement.unassigned(mote)
    }

    /** Readings of a mote that are nobody's, measured before `before` (unix ms), the newest first. */
    async unassignedPage(mote: number, before: number, limit: number): Promise<UnassignedMeasurement[]> {
        return await this.store.measurement.unassignedPage(mote, before, limit)
    }
}

/** In front of the first page. */
function beginning(newestFirst: boolean): Position {
    return { time: newestFirst ? Number.MAX_SAFE_INTEGER - 1 : -1, id: 0 }
}

/** For a column of whole numbers. */
function finite(time: number): number {
    return Math.min(Math.max(time, 0), Number.MAX_SAFE_INTEGER)
}

function inOrder(observations: Observation[], newestFirst: boolean): Observation[] {
    const sign = newestFirst ? -1 : 1
    return observations.sort((a, b) => sign * (a.time - b.time || a.id - b.id))
}

/** Adds the steps of the next part; the part before may have ended within a step. */
function append(points: HistoryPoint[], part: HistoryPoint[]): void {
    const last = points.at(-1)
    const [first] = part
    if (!last || !first || last.time !== first.time) return void points.push(...part)
    points[points.length - 1] = joined(last, first)
    points.push(...part.slice(1))
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
            if (!steps.has(at)) steps.set(at, { time: at, count: 0, mean, min, max, quality: null })
    }
    return [...steps.values()].sort((a, b) => a.time - b.time)
}
