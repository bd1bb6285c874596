/*
 * Replay protection for one mote (docs/wire.md, "Replay"). An envelope is identified by the mote's start, which is
 * (boot, salt), and the sequence number within that start.
 */

/** The maximum number of starts remembered per mote. Envelopes from older starts are refused. */
export const maxStarts = 64
/** The maximum number of runs remembered per start. Motes send in order, so there is usually one. */
export const maxRuns = 256

/**
 * The verdict on an envelope. `fresh` means not seen before, `duplicate` means seen before. The others are refused:
 * `olderBoot` comes from a start that is older than the newest and unknown or forgotten, `otherSalt` from a cloned or
 * wiped mote that repeats a boot number, and `belowWindow` from a sequence number below all that are remembered.
 */
export type Verdict = "fresh" | "duplicate" | "olderBoot" | "otherSalt" | "belowWindow"

/** The sequence numbers seen within one start of a mote, exact above `floor`. */
export interface Start {
    boot: number
    /** The salt, 10 hex digits. */
    salt: string
    /** The lowest sequence number that is remembered. */
    floor: number
    /** Runs `[first, last]` of seen numbers, in ascending order and never adjacent. */
    runs: [first: number, last: number][]
}

/** The replay window of one mote. */
export class ReplayWindow {
    private readonly starts: Start[]

    /** @param starts the stored starts, in ascending order of `boot` */
    constructor(starts: Start[] = []) {
        this.starts = starts
    }

    judge(boot: number, salt: string, seq: number): Verdict {
        const newest = this.starts.at(-1)
        if (!newest || boot > newest.boot) return "fresh"
        const start = this.find(boot)
        if (!start) return "olderBoot"
        if (start.salt !== salt) return "otherSalt"
        if (seq < start.floor) return "belowWindow"
        return start.runs.some(([first, last]) => seq >= first && seq <= last) ? "duplicate" : "fresh"
    }

    /**
     * Records a `fresh` envelope. Returns its updated start, and the start that was forgotten to make room for it. `undo` makes
     * everything as before, in the reverse order of several records.
     */
    record(boot: number, salt: string, seq: number): { start: Start; forgotten?: Start; undo(): void } {
        const known = this.find(boot)
        const start = known ?? { boot, salt, floor: 0, runs: [] }
        const { floor, runs } = start
        const before = runs.map(([first, last]): [number, number] => [first, last])
        let forgotten: Start | undefined
        if (!known) {
            this.starts.push(start)
            if (this.starts.length > maxStarts) forgotten = this.starts.shift()
        }
        insert(start.runs, seq)
        if (start.runs.length > maxRuns) start.floor = start.runs.shift()![1] + 1
        const undo = () => {
            start.floor = floor
            start.runs = before
            if (!known) this.starts.splice(this.starts.indexOf(start), 1)
            if (forgotten) this.starts.unshift(forgotten)
        }
        return { start, ...(forgotten && { forgotten }), undo }
    }

    /**
     * Makes a recorded number `fresh` again. Returns its start, without runs if nothing else was seen in it; the window has
     * forgotten it then, unless it has a floor. Returns undefined if the number was not recorded.
     */
    release(boot: number, salt: string, seq: number): Start | undefined {
        const start = this.find(boot)
        if (start?.salt !== salt) return undefined
        const at = start.runs.findIndex(([first, last]) => seq >= first && seq <= last)
        if (at < 0) return undefined
        const [first, last] = start.runs[at]!
        const rest: Start["runs"] = [
            [first, seq - 1],
            [seq + 1, last],
        ]
        start.runs.splice(at, 1, ...rest.filter(([from, to]) => from <= to))
        if (start.runs.length > maxRuns) start.floor = start.runs.shift()![1] + 1
        if (start.runs.length === 0 && start.floor === 0) this.starts.splice(this.starts.indexOf(start), 1)
        return start
    }

    private find(boot: number): Start | undefined {
        return this.starts.findLast(start => start.boot === boot)
    }
}

/** Adds `seq`, which is not in any of the runs. */
function insert(runs: Start["runs"], seq: number): void {
    const next = 1 + runs.findLastIndex(([first]) => first < seq)
    const before = runs[next - 1]
    const after = runs[next]
    const joinsBefore = before !== undefined && before[1] === seq - 1
    const joinsAfter = after !== undefined && after[0] === seq + 1
    if (joinsBefore && joinsAfter) {
        before[1] = after[1]
        runs.splice(next, 1)
    } else if (joinsBefore) before[1] = seq
    else if (joinsAfter) after[0] = seq
    else runs.splice(next, 0, [seq, seq])
}

/**
 * Returns the key under which a replay window is stored: the mote's kid, followed by the secret's generation unless that is 0.
 * Each secret has its own window, because a board with a new secret may count its boots from the beginning.
 */
export function windowKeyOf(kid: Uint8Array, generation: number): Uint8Array {
    if (generation === 0) return kid
    const key = Buffer.concat([kid, Buffer.alloc(4)])
    key.writeUInt32BE(generation >>> 0, kid.length)
    return key
}
