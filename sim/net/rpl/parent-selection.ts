import { infiniteRank, type Neighbour } from "./neighbour.ts"
import type { RplProfile } from "./profile.ts"
import type { Routes } from "./routes.ts"

/** Consecutive frames without acknowledgement after which a neighbour is lost. */
export const lostFailures = 3

/** The state of a node that chooses its parent. */
export interface SelectingNode {
    readonly profile: RplProfile
    readonly parent: Neighbour | undefined
    readonly rank: number
    /** The lowest rank that this node has advertised in this version of the DODAG. */
    readonly lowestRank: number
    readonly routes: Routes
}

/** The candidate through which the objective function computes the lowest rank. */
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

/** The rank of the node with this parent; infinite if it cannot be the parent (RFC 6550 §8.2.2.4). */
export function rankThrough(neighbour: Neighbour, node: SelectingNode): number {
    const { profile, lowestRank } = node
    if (neighbour.rank === infiniteRank || !isUsable(neighbour, node)) return infiniteRank
    const rank = profile.objective.rankThrough(neighbour, profile)
    const limit = lowestRank + profile.maxRankIncrease
    return rank >= infiniteRank || rank > limit ? infiniteRank : rank
}

/** Whether frames reach the neighbour; the first lost frames do not disqualify the parent. */
export function isUsable(neighbour: Neighbour, { parent, profile }: SelectingNode): boolean {
    if (neighbour.failures >= lostFailures) return false
    return neighbour === parent || profile.objective.isUsable(neighbour, profile)
}

/**
 * Whether the neighbour's path to the root does not lead through this node. A node below has a rank at least one step
 * above the lowest that this node has advertised (RFC 6550 §8.2.2.4), or has sent it DAOs.
 */
function isCandidate(neighbour: Neighbour, { profile, rank, lowestRank, routes }: SelectingNode): boolean {
    if (neighbour.rank >= lowestRank + profile.minHopRankIncrease) return false
    return neighbour.rank < rank || !routes.hasVia(neighbour.address)
}
