import { infiniteRank, type Neighbour } from "./neighbour.ts"
import type { RplProfile } from "./profile.ts"
import type { Routes } from "./routes.ts"

/** So many frames in a row given up: the neighbour is gone. */
export const lostFailures = 3

/** What a node's choice of its parent depends upon. */
export interface Situation {
    readonly profile: RplProfile
    readonly parent: Neighbour | undefined
    readonly rank: number
    /** The lowest rank that this node has given out in this version of the DODAG. */
    readonly lowestRank: number
    readonly routes: Routes
}

/** The way up that costs least, as MRHOF has it (RFC 6719 §3.3). */
export function cheapest(
    neighbours: Neighbour[],
    situation: Situation,
): { best: Neighbour | undefined; bestCost: number } {
    let best: Neighbour | undefined
    let bestCost = infiniteRank
    for (const neighbour of neighbours) {
        if (!isCandidate(neighbour, situation)) continue
        const cost = costOver(neighbour, situation)
        if (cost < bestCost) {
            best = neighbour
            bestCost = cost
        }
    }
    return { best, bestCost }
}

/** The rank that a node would have with that parent; infinite where it cannot be one. */
export function costOver(neighbour: Neighbour, situation: Situation): number {
    const { rank, metric } = neighbour
    const { profile, lowestRank } = situation
    if (rank === infiniteRank || !isUsable(neighbour, situation)) return infiniteRank
    const cost = rank + Math.max(metric.value, profile.minHopRankIncrease)
    const limit = lowestRank + profile.maxRankIncrease
    return cost >= infiniteRank || cost > limit ? infiniteRank : cost
}

/** Whether frames get over; the parent is not given up for the first ones that are lost. */
export function isUsable(neighbour: Neighbour, { parent, profile }: Situation): boolean {
    if (neighbour.failures >= lostFailures) return false
    return neighbour === parent || neighbour.metric.value <= profile.maxLinkMetric
}

/**
 * Whether its ways up surely do not lead through this node: those below have a rank that is higher by a step at least
 * than the lowest that this node ever gave out (RFC 6550 §8.2.2.4), or have sent it DAOs.
 */
function isCandidate(neighbour: Neighbour, { profile, rank, lowestRank, routes }: Situation) {
    if (neighbour.rank >= lowestRank + profile.minHopRankIncrease) return false
    return neighbour.rank < rank || !routes.hasVia(neighbour.address)
}
