import type { Downward, DownwardOptions } from "./downward.ts"

/** A mode of operation (RFC 6550 §6.3.1): who keeps the routes down, and whom a DAO is for. */
export interface ModeOfOperation {
    /** MOP. */
    readonly code: number
    readonly name: string
    /** Whether a node whose parent increments its DTSN does so too, so that all below send their DAOs again (§9.6). */
    readonly passesDtsnOn: boolean
    newDownward(o: DownwardOptions): Downward
}
