import type { AlarmEvent } from "../../wire/alarms.ts"
import type { Reading } from "../readings/readings.ts"
import type { StoredAssociation } from "../store/associations.ts"
import type { Mote } from "./motes.ts"

/** Who wore a mote when something was measured. */
export type Wearing = Pick<StoredAssociation, "id" | "patient" | "endsAt">

/** An envelope with what it says of the time. */
interface Arrival {
    /** Unix ms by the clinic's clock. */
    arrivedAt: number
    /** The mote's count of starts. */
    boot: number
}

/** What is known of who wore a mote, and of what it measured. */
export interface WearingHistory {
    /** In the order in which they began. */
    ofMote(mote: number): Promise<readonly StoredAssociation[]>
    /** As `MeasurementTable.hasTimed`. */
    hasTimed(o: { patient: number; mote: number; from: number; before: number; boot: number }): Promise<boolean>
}

/** In which something was measured, unix ms. */
interface Period {
    from: number
    to: number
}

/**
 * Whose it is what one envelope says. A reading belongs to a patient who wore the mote for all of the time in which it may have been
 * measured, and else to nobody:
 *
 * - a reading with a time: at that time, and never after it arrived;
 * - a summary: from its first reading to its last;
 * - a time that was counted back from the arrival may be too late, never too early: from the last reading of an earlier start that had
 *   a time of its own, or from when the mote got its identity;
 * - a time before that is wrong: any time until it arrived.
 */
export class Attribution {
    private readonly mote: Mote
    private readonly arrival: Arrival
    private readonly history: WearingHistory
    /** Who wears the mote now. */
    private readonly present: Wearing | undefined

    constructor(mote: Mote, arrival: Arrival, history: WearingHistory) {
        this.mote = mote
        this.arrival = arrival
        this.history = history
        this.present = presentOf(mote)
    }

    /** The readings by whose they are; null: nobody's. */
    async ofReadings(readings: readonly Reading[]): Promise<Map<Wearing | null, Reading[]>> {
        const found = new Map<Wearing | null, Reading[]>()
        for (const reading of readings) {
            const period = this.period(reading)
            const certain = this.present && period.from >= this.mote.wornSince! ? this.present : undefined
            const whose = certain ?? (await this.during(period, reading.relative)) ?? null
            const own = found.get(whose)
            if (own) own.push(reading)
            else found.set(whose, [reading])
        }
        return found
    }

    /** An alarm without a time of its own is that of whoever wears the mote now, rather than nobody's. */
    async ofAlarm({ time, relative, untimed }: AlarmEvent): Promise<Wearing | undefined> {
        const isAbout = relative || untimed
        const period = this.period({ time, relative: isAbout, summary: null })
        return (await this.during(period, isAbout)) ?? (isAbout ? this.present : undefined)
    }

    private async during({ from, to }: Period, isAbout: boolean): Promise<Wearing | undefined> {
        const all = await this.history.ofMote(this.mote.id)
        const found = all.find(({ beginsAt, endsAt }) => beginsAt <= to && to < (endsAt ?? Infinity))
        if (!found) return undefined
        const isCertain = found.beginsAt <= from || (isAbout && (await this.isLater(found, to)))
        if (!isCertain) return undefined
        return found.id === this.present?.id ? this.present : found
    }

    /** Whether an earlier start of the mote has measured something, by a clock, while that patient wore it. */
    private async isLater({ patient, beginsAt }: StoredAssociation, before: number): Promise<boolean> {
        const { boot } = this.arrival
        return await this.history.hasTimed({ patient, mote: this.mote.id, from: beginsAt, before, boot })
    }

    private period({ time, relative, summary }: Pick<Reading, "time" | "relative" | "summary">): Period {
        const half = summary === null ? 0 : summary.spanMs / 2
        const { arrivedAt } = this.arrival
        const { registeredAt } = this.mote
        if (!relative && time - half < registeredAt) return { from: registeredAt, to: arrivedAt }
        const to = Math.min(time + half, arrivedAt)
        return { from: relative ? registeredAt : Math.min(time - half, to), to }
    }
}

/** Who wears a mote now; undefined where nobody does. */
export function presentOf({ association, patient }: Mote): Wearing | undefined {
    return association === null || patient === null ? undefined : { id: association, patient, endsAt: null }
}
