import type { StoredPeriods, StoredRetentionRule } from "../store/retention.ts"

/** How long each is kept, in days; null: for good. What is kept coarser is kept longer: readings ≤ minutes ≤ hours. */
export type Periods = StoredPeriods

export const forGood: Periods = { envelopes: null, readings: null, minutes: null, hours: null }

/** A mote keeps what it measured for two days at most, and a router for as long as it has no connection. */
export const leastDays = 2
export const mostDays = 36_500

const kinds = ["envelopes", "readings", "minutes", "hours"] as const

/** Where the periods contradict each other; undefined where they do not. */
export function faultIn({ readings, minutes, hours }: Periods): "minutes" | "hours" | undefined {
    if (isShorter(minutes, readings)) return "minutes"
    return isShorter(hours, minutes) ? "hours" : undefined
}

function isShorter(a: number | null, b: number | null): boolean {
    return (a ?? Infinity) < (b ?? Infinity)
}

/** Of each kind the longest. */
function longest(some: readonly Periods[]): Periods {
    const of = (kind: keyof Periods) => {
        const days = Math.max(...some.map(periods => periods[kind] ?? Infinity))
        return Number.isFinite(days) ? days : null
    }
    return Object.fromEntries(kinds.map(kind => [kind, of(kind)])) as unknown as Periods
}

/** So long after it was made a shorter period counts, so that a slip can be put right before anything is gone. */
export const delayMs = 86_400_000

/**
 * What holds at a time (unix ms): of all that was in force in the last day, the longest. `rules` are those of one ward, or of the
 * hospital, the oldest first; `fallback` holds where there are none.
 */
export function inForce(rules: readonly StoredRetentionRule[], at: number, fallback: Periods): Periods {
    const settled = rules.filter(({ madeAt }) => madeAt <= at - delayMs).at(-1)
    const recent = rules.filter(({ madeAt }) => madeAt > at - delayMs)
    return longest([settled, ...recent].map(rule => rule?.periods ?? fallback))
}
