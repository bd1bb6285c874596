import type { Neighbour } from "./neighbour.ts"
import type { RplParameters } from "./parameters.ts"

/** An objective function (RFC 6550 §3.3): what a way up costs, and when another parent is worth the change. */
export interface ObjectiveFunction {
    /** Objective code point, as the DODAG Configuration option carries it. */
    readonly code: number
    /** The rank of a node whose preferred parent is that neighbour, without the bounds of RFC 6550 §8.2.2.4. */
    rankThrough(parent: Neighbour, parameters: RplParameters): number
    /** Whether the link to a neighbour that is not the parent is good enough for one. */
    isUsable(neighbour: Neighbour, parameters: RplParameters): boolean
    /** Whether a rank is so much lower than that through the present parent that a node changes over. */
    isWorthChanging(rank: number, present: number, parameters: RplParameters): boolean
}
