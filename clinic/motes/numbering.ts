import type { GapRange } from "../store/gaps.ts"
import type { StartKey, StartNews } from "../store/starts.ts"
import type { Tables } from "../store/store.ts"

/** An envelope that was stored for the first time; `arrivedAt` in unix ms. */
export interface Arrival extends StartKey {
    id: number
    seq: number
    arrivedAt: number
}

/** A start of a mote, with those of its gaps that are looked at. */
interface Start extends StartNews {
    gaps: Gap[]
    arrivals: Arrival[]
}

type Gap = GapRange & { isStored: boolean }

/**
 * Notes, in their order, that envelopes were stored for the first time: each opens a gap where it skips numbers, and closes or splits the
 * one that it was missing from. So a gap costs nothing to look up, however much is stored. `now` in unix ms. Returns the ids of those for
 * which it is no first time, of which nothing is noted: they had been here, and retention has removed them.
 */
export async function noteArrivals(arrivals: readonly Arrival[], now: number, t: Tables): Promise<Set<number>> {
    const starts = startsOf(arrivals)
    const all = [...starts.values()]
    for (const known of await t.start.find(all)) starts.get(nameOf(known))!.newestSeq = known.newestSeq
    const late = all.flatMap(({ newestSeq, arrivals }) => arrivals.filter(({ seq }) => seq <= newestSeq))
    for (const { mote, boot, salt, ...gap } of await t.gap.around(late))
        starts.get(nameOf({ mote, boot, salt }))!.gaps.push({ ...gap, isStored: true })
    const gone = new Set<number>()
    for (const start of all)
        for (const arrival of start.arrivals) {
            const noted = note(start, arrival, now)
            if (!noted) gone.add(arrival.id)
            else if (noted.ended !== undefined) await t.gap.remove(start, noted.ended)
        }
    await t.gap.add(
        all.flatMap(({ mote, boot, salt, gaps }) =>
            gaps.filter(({ isStored }) => !isStored).map(gap => ({ mote, boot, salt, ...gap })),
        ),
    )
    await t.start.put(all.filter(({ stored }) => stored > 0))
    return gone
}

function startsOf(arrivals: readonly Arrival[]): Map<string, Start> {
    const starts = new Map<string, Start>()
    for (const arrival of arrivals) {
        const name = nameOf(arrival)
        const { mote, boot, salt } = arrival
        let start = starts.get(name)
        // Number -1 stands before the first one.
        if (!start) {
            const nothing = { stored: 0, newestSeq: -1, newestAt: 0, newestId: 0 }
            starts.set(name, (start = { mote, boot, salt, ...nothing, gaps: [], arrivals: [] }))
        }
        start.arrivals.push(arrival)
    }
    return starts
}

/** Undefined where it was here already; else, where a stored gap begins that there is no more. */
function note(start: Start, { id, seq, arrivedAt }: Arrival, now: number): { ended?: number } | undefined {
    const { gaps, newestSeq } = start
    const add = (first: number, last: number, openedAt = now) => {
        if (first <= last) gaps.push({ first, last, openedAt, isStored: false })
    }
    const count = () => Object.assign(start, { stored: start.stored + 1, newestAt: arrivedAt, newestId: id })
    if (seq > newestSeq) {
        start.newestSeq = seq
        count()
        add(newestSeq + 1, seq - 1)
        return {}
    }
    const index = gaps.findIndex(({ first, last }) => first <= seq && seq <= last)
    if (index < 0) return undefined
    count()
    const [{ first, last, openedAt, isStored }] = gaps.splice(index, 1) as [Gap]
    add(first, seq - 1, openedAt)
    add(seq + 1, last, openedAt)
    return isStored ? { ended: first } : {}
}

function nameOf({ mote, boot, salt }: StartKey): string {
    return `${mote} ${boot} ${Buffer.from(salt).toString("hex")}`
}
