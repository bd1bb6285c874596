import type { Compression } from "../sixlowpan/compression.ts"

/** The constants of a network that runs RPL (RFC 6550 §17 and what the RFC leaves to the stack). */
export interface RplParameters {
    instance: number
    /** Imin is 2^intervalMin ms. */
    intervalMin: number
    intervalDoublings: number
    redundancy: number
    minHopRankIncrease: number
    maxRankIncrease: number
    /** In units of `lifetimeUnitS`. */
    lifetime: number
    lifetimeUnitS: number
    prefixLifetimeS: number
    disStartMs: number
    disIntervalMs: number
    daoDelayMs: number
    /** How often a node tells of itself anew, in case somebody above has forgotten or never heard. */
    daoRefreshMs: number
    /** Whether a DAO asks the root for an acknowledgement, and how often it is tried. */
    daoAck: boolean
    daoRetries: number
    dodagInDao: boolean
    /** A parent that nothing was sent to for that long is asked, so that its loss is noticed. */
    probingMs: number
    /** ETX × 128 of a link that nothing has been sent over. */
    initialMetric: number
    /** ETX × 128 above which MRHOF uses no link, and the cost that a better parent has to save (RFC 6719 §5). */
    maxLinkMetric: number
    hysteresis: number
    compression: Compression
}
