import { contiki27, contikiNg, type Compression } from "../sixlowpan/iphc.ts"

/** How a network runs RPL (RFC 6550 §17 and what the RFC leaves to the stack). */
export interface RplProfile {
    /** Mode of operation: 1 non-storing, 2 storing. */
    mode: 1 | 2
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
    /** MRHOF (RFC 6719), in units of ETX × 128. */
    initialMetric: number
    maxLinkMetric: number
    hysteresis: number
    compression: Compression
}

const forever = 0xffffffff

/** Storing mode, as Contiki 2.7 runs it on Sky motes; the network of the paper. */
export const storing: RplProfile = {
    mode: 2,
    instance: 30,
    intervalMin: 12,
    intervalDoublings: 8,
    redundancy: 10,
    minHopRankIncrease: 256,
    maxRankIncrease: 1792,
    lifetime: 255,
    lifetimeUnitS: 65_535,
    prefixLifetimeS: 0,
    disStartMs: 5000,
    disIntervalMs: 60_000,
    daoDelayMs: 1000,
    daoRefreshMs: 120_000,
    daoAck: false,
    daoRetries: 5,
    dodagInDao: true,
    probingMs: 60_000,
    initialMetric: 5 * 128,
    maxLinkMetric: 10 * 128,
    hysteresis: 192,
    compression: contiki27,
}

/** Non-storing mode, as Contiki-NG's RPL Lite runs it: the root knows the tree and writes the way into each packet. */
export const nonStoring: RplProfile = {
    mode: 1,
    instance: 0,
    intervalMin: 12,
    intervalDoublings: 8,
    redundancy: 0,
    minHopRankIncrease: 128,
    maxRankIncrease: 1024,
    lifetime: 30,
    lifetimeUnitS: 60,
    prefixLifetimeS: forever,
    disStartMs: 5000,
    disIntervalMs: 30_000,
    daoDelayMs: 4000,
    daoRefreshMs: 15 * 60_000,
    daoAck: true,
    daoRetries: 5,
    dodagInDao: false,
    probingMs: 90_000,
    initialMetric: 2 * 128,
    maxLinkMetric: 4 * 128,
    hysteresis: 192,
    compression: contikiNg,
}
