import { vitalNames, type VitalName } from "../../wire/tables/quantities.ts"
import { maxSkewMs } from "../routers.ts"
import type { Current } from "../store/currents.ts"
import { nobody, type NewMeasurement } from "../store/measurements.ts"
import type { Tables } from "../store/store.ts"
import type { Reading } from "./readings.ts"

/** What the envelopes of a batch say was measured, in their order, until it is stored; `now` in unix ms. */
export class ArrivedReadings {
    private readonly ahead: number
    private rows: NewMeasurement[] = []
    /**
     * The newest times of each patient and name. What is ahead of the clinic gives way to whatever comes next, which is then put by a
     * statement of its own.
     */
    private currents: Map<string, Current>[] = []

    constructor(now: number) {
        this.ahead = now + maxSkewMs
    }

    /** What a pack of the mote said of one patient, or of nobody, out of one envelope. */
    add(
        readings: readonly Reading[],
        { envelope, mote, patient }: { envelope: number; mote: number; patient: number | null },
    ): void {
        // Written out: this runs for every reading, and spread objects cost more than the database.
        for (const { name, unit, value, absent, quality, summary, time, relative, problem } of readings)
            this.rows.push({
                envelope,
                mote,
                patient: patient ?? nobody,
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
            })
        if (patient === null) return
        for (const name of vitalNames) {
            let newest = -Infinity
            for (const reading of readings)
                if (reading.name === name && reading.problem === null) newest = Math.max(newest, reading.time)
            if (newest > -Infinity) this.put(patient, name, newest)
        }
    }

    /** Stores what there is. */
    async store(t: Tables): Promise<void> {
        const { rows, currents, ahead } = this
        this.rows = []
        this.currents = []
        await t.measurement.add(rows)
        // In the same order everywhere, so that no two transactions wait for each other.
        for (const some of currents)
            await t.current.put(
                [...some.values()].sort((a, b) => a.patient - b.patient || (a.name < b.name ? -1 : 1)),
                ahead,
            )
    }

    private put(patient: number, name: VitalName, time: number): void {
        const key = `${patient} ${name}`
        let last = this.currents.findLast(some => some.has(key))
        const known = last?.get(key)
        if (known && known.time <= this.ahead) return void (known.time = Math.max(known.time, time))
        const next = this.currents[last ? this.currents.indexOf(last) + 1 : 0]
        if (next) last = next
        else this.currents.push((last = new Map()))
        last.set(key, { patient, name, time })
    }
}
