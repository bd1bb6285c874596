/** Position of a node in metres. */
export interface Position {
    x: number
    y: number
}

/** Reception of one node's transmission at another. */
export interface Reception {
    /** Probability that a frame arrives when nobody else transmits. */
    probability: number
    rssiDbm: number
}

/**
 * How radio waves propagate. `reception` describes a frame of `from` at `to`: undefined if it is not noticed at all,
 * probability 0 if it cannot be decoded and still interferes.
 */
export interface Medium {
    reception(from: Place, to: Place): Reception | undefined
    /** Share of frames that leave their sender. Default: 1. */
    readonly txRatio?: number
    /** A frame that is stronger than another by this many dB survives the collision. Default: none does. */
    readonly captureDb?: number
    /** Reception and interference ranges in metres, for a medium in which distance alone decides. */
    readonly disk?: { rangeM: number; interferenceM: number }
}

export interface Place {
    id: number
    position: Position
}

export function distance(a: Position, b: Position): number {
    return Math.hypot(a.x - b.x, a.y - b.y)
}
