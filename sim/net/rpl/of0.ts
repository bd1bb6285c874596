import { etx1 } from "./link-metric.ts"
import type { Neighbour } from "./neighbour.ts"
import type { ObjectiveFunction } from "./objective.ts"

/** MINIMUM_STEP_OF_RANK and MAXIMUM_STEP_OF_RANK (RFC 6552 §6.3). */
const minStep = 1
const maxStep = 9

/** Objective Function Zero (RFC 6552), which counts hops; a lossy hop counts more, as in RFC 8180 §5.1.1. */
export const of0: ObjectiveFunction = {
    code: 0, // RFC 6552 §6.1
    firstMetric: (_rssiDbm, { initialMetric }) => initialMetric,
    // rank_factor 1, stretch_of_rank 0: the defaults of RFC 6552 §6.3.
    rankThrough: (parent, { minHopRankIncrease }) => parent.rank + stepOfRank(parent) * minHopRankIncrease,
    isUsable: ({ metric }, { maxLinkMetric }) => metric.value <= maxLinkMetric,
    // RFC 6552 §4.2.1 prefers the lowest rank; if ranks are equal, the present parent.
    isWorthChanging: (rank, present) => rank < present,
}

/** step_of_rank Sp = 3 × ETX − 2 (RFC 8180 §5.1.1). */
function stepOfRank({ metric }: Neighbour): number {
    const step = Math.round((3 * metric.value) / etx1 - 2)
    return Math.min(maxStep, Math.max(minStep, step))
}
