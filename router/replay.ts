/*
 * What was seen of one mote, so that nothing counts twice (docs/wire.md, "Replay"). Envelopes are told apart by the mote's
 * start, (boot, salt), and the sequence number within it.
 */

/** Older starts of a mote beyond this many are forgotten; what still comes from them is refused. */
export const maxStarts = 64
/** Stretches of sequence numbers kept for one start; motes send in order, so it is nearly always one. */
export const maxRuns = 256

/**
 * `fresh`: not seen yet. `duplicate`: seen. The rest is refused: `olderBoot` comes from a start that is older than the
 * newest and was never seen or is forgotten, `otherSalt` from a cloned or wiped mote that repeats a boot number,
 * `belowWindow` from before everything that is still known of its start.
 */
export type Verdict = "fresh" | "duplicate" | "olderBoot" | "otherSalt" | "belowWindow"

/** The sequence numbers seen within one start of a mote, exact above `floor`. */
export interface Start {
    boot: number
    /** 10 hex digits. */
    salt: string
    /** Below this nothing is known any more. */
    floor: number
    /** Stretches `[first, last]` of seen numbers, ascending, never touching each other. */
    runs: [first: number, last: number][]
}

/** The replay window of one mote. */
export class ReplayWindow {
    private readonly starts: Start[]

    /** From what was stored: in ascending order of `boot`. */
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

    /** Remembers an envelope judged `fresh`; returns its start as it now is, and the one that was forgotten for it. */
    record(boot: number, salt: string, seq: number): { start: Start; forgotten?: Start } {
        let start = this.find(boot)
        let forgotten: Start | undefined
        if (!start) {
            start = { boot, salt, floor: 0, runs: [] }
            this.starts.push(start)
            if (this.starts.length > maxStarts) forgotten = this.starts.shift()
        }
        insert(start.runs, seq)
        if (start.runs.length > maxRuns) start.floor = start.runs.shift()![1] + 1
        return { start, forgotten }
    }

    private find(boot: number): Start | undefined {
        return this.starts.findLast(start => start.boot === boot)
    }
}

/** Adds `seq`, which none of the runs holds. */
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
