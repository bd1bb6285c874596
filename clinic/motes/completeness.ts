import { nobody } from "../store/measurements.ts"
import type { Store } from "../store/store.ts"

/** Envelopes that never arrived, of one start of a mote. */
export interface Gap {
    boot: number
    /** Hex. */
    salt: string
    /** First and last missing `seq`. */
    from: number
    to: number
}

/** How complete a mote's data is. */
export interface Completeness {
    /** When the envelope that was stored last arrived at a router, unix ms. */
    newestAt: number | null
    /** Envelopes stored, and numbers missing below the newest of each start. */
    stored: number
    missing: number
    /** The missing ones by range, newest start first, at most `maxGaps`. */
    gaps: Gap[]
    /** Readings that arrived as part of a summary, for want of room in the mote. */
    summarized: number
    /** Readings that the mote itself reported as dropped. */
    lost: number
    /** Envelopes that are authentic and still could not be used as they are. */
    problems: { count: number; newest: string | null }
    /** Percent. */
    battery: number | null
    /** Readings that are nobody's, and when the newest was measured (unix ms). */
    unassigned: { count: number; newest: number | null }
}

const maxGaps = 100

/** A battery's value may be ahead by so much, ms: what a router's clock is off without being corrected. */
const maxAheadMs = 5_000

/** What arrived from one mote and what did not (docs/wire.md, "Replay"): nothing disappears silently. */
export async function completeness(t: Store, mote: { id: number }, now: number): Promise<Completeness> {
    const { id } = mote
    const patients = [...new Set((await t.association.ofMote(id)).map(({ patient }) => patient)), nobody]
    const sum = async (name: string) => {
        let all = 0
        for (const patient of patients) all += await t.measurement.sum(patient, id, name)
        return all
    }
    const batteries = []
    for (const patient of patients)
        batteries.push(await t.measurement.newestValue(patient, id, "batt", now + maxAheadMs))
    const battery = batteries.filter(found => found !== undefined).sort((a, b) => b.time - a.time || b.id - a.id)[0]
    const gaps = await t.gap.ofMote(id, maxGaps)
    return {
        ...(await t.start.summary(id)),
        missing: await t.gap.missing(id),
        gaps: gaps.map(({ boot, salt, first, last }) => ({
            ...{ boot, salt: Buffer.from(salt).toString("hex"), from: first, to: last },
        })),
        summarized: await sum("count"),
        lost: await sum("lost"),
        problems: await t.envelope.problemsOf(id),
        battery: battery?.value ?? null,
        unassigned: await t.measurement.unassigned(id),
    }
}
