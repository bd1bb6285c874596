import { infiniteRank, type Neighbour } from "./neighbour.ts"
import type { RplProfile } from "./profile.ts"
import type { Routes } from "./routes.ts"

/** A neighbour is lost after that many frames in a row without an acknowledgement. */
export const lostFailures = 3

/** The node that chooses its parent. */
export interface SelectingNode {
    readonly profile: RplProfile
    readonly parent: Neighbour | undefined
    readonly rank: number
    /** The lowest rank that this node has advertised in this version of the DODAG. */
    readonly lowestRank: number
    readonly routes: Routes
}

/** The candidate with the lowest rank, as the objective function computes it. */
export function bestParent(
    neighbours: Neighbour[],
    node: SelectingNode,
): { best: Neighbour | undefined; bestRank: number } {
    let best: Neighbour | undefined
    let bestRank = infiniteRank
    for (const neighbour of neighbours) {
        if (!isCandidate(neighbour, node)) continue
        const rank = rankThrough(neighbour, node)
        if (rank < bestRank) {
            best = neighbour
            bestRank = rank
        }
    }
    return { best, bestRank }
}

/** The rank that a node would have with that parent; infinite where it cannot be one (RFC 6550 §8.2.2.4). */
export function rankThrough(neighbour: Neighbour, node: SelectingNode): number {
    const { profile, lowestRank } = node
    if (neighbour.rank === infiniteRank || !isUsable(neighbour, node)) return infiniteRank
    const rank = profile.objective.rankThrough(neighbour, profile)
    const limit = lowestRank + profile.maxRankIncrease
    return rank >= infiniteRank || rank > limit ? infiniteRank : rank
}

/** Whether frames reach the neighbour; the parent is not given up for the first ones that are lost. */
export function isUsable(neighbour: Neighbour, { parent, profile }: SelectingNode): boolean {
    if (neighbour.failures >= lostFailures) return false
    return neighbour === parent || profile.objective.isUsable(neighbour, profile)
}

/**
 * Whether no way up of the neighbour leads through this node: the rank of those below is at least a step above the lowest
 * that this node has advertised (RFC 6550 §8.2.2.4), or they have sent it DAOs.
 */
function isCandidate(neighbour: Neighbour, { profile, rank, lowestRank, routes }: SelectingNode): boolean {
    if (neighbour.rank >= lowestRank + profile.minHopRankIncrease) return false
    return neighbour.rank < rank || !routes.hasVia(neighbour.address)
}
