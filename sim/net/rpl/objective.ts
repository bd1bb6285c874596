import type { Neighbour } from "./neighbour.ts"
import type { RplParameters } from "./parameters.ts"

/** An objective function (RFC 6550 §3.3): the rank through a parent, and when to change parents. */
export interface ObjectiveFunction {
    /** Objective code point, as in the DODAG Configuration option. */
    readonly code: number
    /**
     * The metric of a link (ETX × 128) before anything has been sent over it.
     * @param rssiDbm signal strength of what was heard first
     */
    firstMetric(rssiDbm: number, parameters: RplParameters): number
    /** The rank of a node with this preferred parent, without the bounds of RFC 6550 §8.2.2.4. */
    rankThrough(parent: Neighbour, parameters: RplParameters): number
    /** Whether the link to a neighbour is good enough to make it the parent. */
    isUsable(neighbour: Neighbour, parameters: RplParameters): boolean
    /** Whether a rank is low enough, compared with that through the present parent, to change parents. */
    isWorthChanging(rank: number, present: number, parameters: RplParameters): boolean
}
