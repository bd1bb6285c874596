import type { Ipv6Address } from "../ipv6.ts"
import type { Dio } from "./messages.ts"
import type { RplProfile } from "./profile.ts"
import { firstSequence } from "./sequence.ts"

/** Of a prefix; RFC 4862. */
const autonomous = 0x40
/** Imin of 2^6 ms, Imax of 2^30 ms: whoever wants more or fewer DIOs is no network for motes. */
const minIntervalMin = 6
const maxInterval = 30

/** What the DIOs of a root say at first. @param prefix that it gives out, its first 8 bytes */
export function newDodag(profile: RplProfile, dodag: Ipv6Address, prefix: Uint8Array, dtsn: number): Dio {
    const whole = new Uint8Array(16)
    whole.set(prefix)
    return {
        instance: profile.instance,
        version: firstSequence,
        rank: profile.minHopRankIncrease,
        grounded: false,
        mode: profile.mode.code,
        preference: 0,
        dtsn,
        dodag,
        configuration: {
            intervalMin: profile.intervalMin,
            intervalDoublings: profile.intervalDoublings,
            redundancy: profile.redundancy,
            maxRankIncrease: profile.maxRankIncrease,
            minHopRankIncrease: profile.minHopRankIncrease,
            objective: profile.objective.code,
            defaultLifetime: profile.lifetime,
            lifetimeUnitS: profile.lifetimeUnitS,
        },
        prefix: {
            length: 64,
            flags: autonomous,
            validS: profile.prefixLifetimeS,
            preferredS: profile.prefixLifetimeS,
            prefix: whole,
        },
    }
}

/** Whether a node with that profile can be part of the DODAG, and its timers are sane. */
export function canJoin({ configuration, prefix }: Dio, profile: RplProfile): boolean {
    if (!configuration || !prefix) return false
    const { objective, intervalMin, intervalDoublings } = configuration
    const isAutonomous = prefix.length === 64 && (prefix.flags & autonomous) !== 0
    const isSane = intervalMin >= minIntervalMin && intervalMin + intervalDoublings <= maxInterval
    return objective === profile.objective.code && isAutonomous && isSane
}
