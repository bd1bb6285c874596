/** Where a node is, in metres. */
export interface Position {
    x: number
    y: number
}

/** What a transmission of one node is at another. */
export interface Reception {
    /** Probability that a frame arrives, when nobody else sends. */
    probability: number
    rssiDbm: number
}

/**
 * How far radio waves carry: what a frame of `from` is at `to`. Undefined where it is not even noticed; a probability of
 * 0 where it cannot be understood and still disturbs.
 */
export interface Medium {
    reception(from: Place, to: Place): Reception | undefined
    /** Share of frames that leave their sender at all; 1 without. */
    readonly txRatio?: number
    /** A frame that is stronger than another by so much, in dB, survives it; none does without. */
    readonly captureDb?: number
    /** Where frames end to be understood, and to disturb, in metres; only of a medium for which distance alone decides. */
    readonly disk?: { rangeM: number; interferenceM: number }
}

export interface Place {
    id: number
    position: Position
}

export function distance(a: Position, b: Position): number {
    return Math.hypot(a.x - b.x, a.y - b.y)
}
