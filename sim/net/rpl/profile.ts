import { contiki27, contikiNg } from "../sixlowpan/compression.ts"
import type { ModeOfOperation } from "./mode.ts"
import { mrhof } from "./mrhof.ts"
import { nonStoringMode } from "./non-storing.ts"
import type { ObjectiveFunction } from "./objective.ts"
import { objectives } from "./objectives.ts"
import type { RplParameters } from "./parameters.ts"
import { storingMode } from "./storing.ts"

/** The RPL configuration of a network. */
export interface RplProfile extends RplParameters {
    mode: ModeOfOperation
    objective: ObjectiveFunction
}

const forever = 0xffffffff

/** Storing mode, as in Contiki 2.7 on Sky motes; the network of the paper. */
export const storing: RplProfile = {
    mode: storingMode,
    objective: mrhof,
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

/** Non-storing mode, as in Contiki-NG's RPL Lite: the root knows the tree and adds a source route to each packet. */
export const nonStoring: RplProfile = {
    mode: nonStoringMode,
    objective: mrhof,
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

const profiles = { storing, "non-storing": nonStoring }

/** Names for scenarios. */
export const modeNames = Object.keys(profiles) as (keyof typeof profiles)[]
export const objectiveNames = Object.keys(objectives) as (keyof typeof objectives)[]

/** The profile of a network with this mode of operation and objective function. */
export function profileOf(
    mode: keyof typeof profiles = "storing",
    objective: keyof typeof objectives = "mrhof",
): RplProfile {
    return { ...profiles[mode], objective: objectives[objective] }
}
