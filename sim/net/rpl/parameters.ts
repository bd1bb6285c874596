import type { Compression } from "../sixlowpan/compression.ts"

/** The constants of an RPL network (RFC 6550 §17, and those that the RFC leaves to the implementation). */
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
    /** Interval at which a node renews its DAO, in case a node above has lost or missed it. */
    daoRefreshMs: number
    /** Whether a DAO requests an acknowledgement from the root, and how often it is retried. */
    daoAck: boolean
    daoRetries: number
    dodagInDao: boolean
    /** A parent to which nothing was sent for this long is probed, so that its loss is noticed. */
    probingMs: number
    /** OF0's link metric (ETX × 128) before anything has been sent over the link. */
    initialMetric: number
    /** Maximum link metric (ETX × 128) that MRHOF uses, and the improvement needed to change parents (RFC 6719 §5). */
    maxLinkMetric: number
    hysteresis: number
    compression: Compression
}
