import type { Downward, DownwardOptions } from "./downward.ts"

/** A mode of operation (RFC 6550 §6.3.1): where downward routes are stored, and to whom DAOs are sent. */
export interface ModeOfOperation {
    /** MOP. */
    readonly code: number
    readonly name: string
    /**
     * Whether a node also increments its DTSN when its parent does, so that all nodes below send their DAOs again
     * (§9.6).
     */
    readonly passesDtsnOn: boolean
    newDownward(o: DownwardOptions): Downward
}
