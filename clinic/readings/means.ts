import { quantities, type VitalName } from "../../wire/tables/quantities.ts"
import { hourMs, minuteMs } from "../retention/fold.ts"
import type { MeanExtent, StoredMean } from "../store/means.ts"
import type { MeasurementRange } from "../store/measurements.ts"
import type { Store } from "../store/store.ts"
import type { HistoryPoint } from "./history.ts"
import type { Observation, Position } from "./observations.ts"

/** Their ids come after any that a reading can get, and before those of what nurses entered. */
const firstId = 250_000_000_000_000
const pastId = 500_000_000_000_000

const steps = [minuteMs, hourMs]

/** A mean is a summary of its step, from the first millisecond to the last. */
const spanOf = (step: number) => step - 1
const middleOf = (step: number) => Math.floor(spanOf(step) / 2)

/** What readings that are gone have left (clinic/retention), as readers see it. */
export class Means {
    private readonly store: Store

    constructor(store: Store) {
        this.store = store
    }

    /** In the order of time and id, behind `after`. */
    async page(
        range: MeasurementRange,
        { after, ...o }: { after: Position; newestFirst: boolean; limit: number },
    ): Promise<Observation[]> {
        const behind = { time: after.time, id: Math.max(0, Math.min(after.id, pastId) - firstId) }
        const found: Observation[] = []
        for (const step of steps) {
            const rows = await this.store.mean.page(range, { ...o, step, middle: middleOf(step), after: behind })
            found.push(...rows.map(observation))
        }
        return found
    }

    async count(of: { patient: number; name: VitalName }): Promise<number> {
        let count = 0
        for (const step of steps) count += await this.store.mean.count({ ...of, step })
        return count
    }

    async get(id: number): Promise<Observation | undefined> {
        const found = id > firstId && id < pastId ? await this.store.mean.get(id - firstId) : undefined
        return found && observation(found)
    }

    /** Joins steps of readings with what is left of others in the same steps. A mean that is longer than a step fills those without any. */
    async join(points: HistoryPoint[], range: MeasurementRange, stepMs: number): Promise<HistoryPoint[]> {
        const extents = await this.store.mean.extents(range, steps)
        if (extents.length === 0) return points
        const all = new Map(points.map(point => [point.time, point]))
        for (const { step } of extents)
            for (const mean of await this.store.mean.steps(range, step, stepMs)) {
                const isWithin = step <= stepMs
                const stepOf = (time: number) => time - (time % stepMs)
                const first = isWithin ? mean.time : stepOf(Math.max(range.from, mean.time))
                const last = isWithin ? mean.time : stepOf(Math.min(range.before - 1, mean.time + spanOf(step)))
                for (let time = first; time <= last; time += stepMs) {
                    const known = all.get(time)
                    if (!known) all.set(time, { ...mean, time, count: isWithin ? mean.count : 0 })
                    else if (isWithin) all.set(time, joined(known, mean))
                }
            }
        return [...all.values()].sort((a, b) => a.time - b.time)
    }

    /** Where a patient's readings in a range are gone: what is left, by step, and for which time. */
    async extents(patient: number, names: readonly VitalName[], range: { from: number; before: number }) {
        const found = new Map<number, MeanExtent>()
        for (const name of names)
            for (const extent of await this.store.mean.extents({ patient, name, ...range }, steps)) {
                const { step, from, before } = found.get(extent.step) ?? extent
                found.set(step, { step, from: Math.min(from, extent.from), before: Math.max(before, extent.before) })
            }
        return [...found.values()].map(({ step, from, before }) => ({ stepMs: step, from, before }))
    }
}

/** Of two points of the same step. */
export function joined(a: HistoryPoint, b: HistoryPoint): HistoryPoint {
    const count = a.count + b.count
    const sum = (a.mean ?? 0) * a.count + (b.mean ?? 0) * b.count
    return {
        ...{ time: a.time, count, mean: count > 0 ? sum / count : (a.mean ?? b.mean) },
        min: of(Math.min, a.min, b.min),
        max: of(Math.max, a.max, b.max),
        quality: of((x, y) => (x + y) / 2, a.quality, b.quality),
    }
}

function of(which: (a: number, b: number) => number, a: number | null, b: number | null): number | null {
    return a === null || b === null ? (a ?? b) : which(a, b)
}

function observation({ id, patient, kid, name, step, time, value, count, least, greatest, quality }: StoredMean) {
    const made: Observation = {
        ...{ id: firstId + id, patient, kid, name: name as VitalName, unit: quantities[name as VitalName].unit },
        ...{ value, absent: null, quality, summary: { count, least, greatest, spanMs: spanOf(step) } },
        ...{ time: time + middleOf(step), relative: false, problem: null, storedAt: time + step, isLeft: true },
    }
    return made
}
