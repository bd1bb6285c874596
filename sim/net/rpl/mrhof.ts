import { etx1 } from "./link-metric.ts"
import type { ObjectiveFunction } from "./objective.ts"

/** Signal strengths between which a link goes from good to the limit of the radio (CC2420: −95 dBm). */
const goodDbm = -82
const weakestDbm = -92
const goodMetric = 2 * etx1

/** The Minimum Rank with Hysteresis Objective Function over ETX (RFC 6719). Its metric is the rank itself. */
export const mrhof: ObjectiveFunction = {
    code: 1, // §6
    // A far node that was heard once by luck is no better than a near one over two good links.
    firstMetric: (rssiDbm, { maxLinkMetric }) => {
        const share = Math.min(1, Math.max(0, (goodDbm - rssiDbm) / (goodDbm - weakestDbm)))
        return Math.round(goodMetric + share * (maxLinkMetric - goodMetric))
    },
    rankThrough: ({ rank, metric }, { minHopRankIncrease }) => rank + Math.max(metric.value, minHopRankIncrease),
    isUsable: ({ metric }, { maxLinkMetric }) => metric.value <= maxLinkMetric,
    isWorthChanging: (rank, present, { hysteresis }) => rank + hysteresis < present,
}
