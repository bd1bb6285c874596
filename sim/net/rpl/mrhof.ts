import type { ObjectiveFunction } from "./objective.ts"

/** The Minimum Rank with Hysteresis Objective Function over ETX (RFC 6719). Its metric is the rank itself. */
export const mrhof: ObjectiveFunction = {
    code: 1, // §6
    rankThrough: ({ rank, metric }, { minHopRankIncrease }) => rank + Math.max(metric.value, minHopRankIncrease),
    isUsable: ({ metric }, { maxLinkMetric }) => metric.value <= maxLinkMetric,
    isWorthChanging: (rank, present, { hysteresis }) => rank + hysteresis < present,
}
