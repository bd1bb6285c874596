/** A page that is looked at asks again and again; after a pause as long as this it was opened anew. */
const pauseMs = 10 * 60_000
/** Of refused attempts of one kind by one user's session or token, within the pause. */
const maxRefused = 100
const maxKeys = 10_000

interface Seen {
    /** By the clock that nobody sets. */
    at: number
    shift: string
}

export interface Look {
    /** Whose, of what. */
    key: string
    patients: Iterable<number>
    /** By the clock that nobody sets. */
    at: number
    shift: string
    /** A screen on a wall is not opened: it shows all the time. */
    isDisplay: boolean
}

/**
 * Which looks count. One that goes on is in the record once: it counts again after a pause, and in each shift. In memory: after a
 * restart of the clinic everything counts again.
 */
export class Looks {
    private readonly seen = new Map<string, Map<number, Seen>>()

    /** The patients who have not been looked at yet. */
    take({ key, patients, at, shift, isDisplay }: Look): number[] {
        const known = this.of(key, at)
        const counting: number[] = []
        for (const patient of patients) {
            const seen = known.get(patient)
            if (!seen || seen.shift !== shift || (!isDisplay && at - seen.at > pauseMs)) counting.push(patient)
            known.set(patient, { at, shift })
        }
        return counting
    }

    /** They are not in the record, and count when they are looked at again. */
    forget(key: string, patients: Iterable<number>): void {
        for (const patient of patients) this.seen.get(key)?.delete(patient)
    }

    /** Whether a refused attempt counts; `last`: those that follow do not, until the pause is over. */
    refuse({ key, patients, at, shift }: Omit<Look, "isDisplay">): { counting: boolean; last: boolean } {
        const known = this.of(key, at)
        for (const [patient, seen] of known) if (at - seen.at > pauseMs) known.delete(patient)
        if (known.size >= maxRefused) return { counting: false, last: false }
        // Nobody's data: the attempt itself counts.
        const all = [...patients]
        const counting = this.take({ key, patients: all.length > 0 ? all : [0], at, shift, isDisplay: false })
        return { counting: counting.length > 0, last: known.size >= maxRefused }
    }

    private of(key: string, at: number): Map<number, Seen> {
        let known = this.seen.get(key)
        if (!known) {
            if (this.seen.size >= maxKeys) this.removeOld(at)
            this.seen.set(key, (known = new Map<number, Seen>()))
        }
        return known
    }

    /** What has ended, and, where that is not enough, what is oldest: it counts again. */
    private removeOld(at: number): void {
        for (const [key, known] of this.seen)
            if ([...known.values()].every(seen => at - seen.at > pauseMs)) this.seen.delete(key)
        for (const key of this.seen.keys()) {
            if (this.seen.size < maxKeys) return
            this.seen.delete(key)
        }
    }
}
