import type { Ipv6Address } from "../ipv6.ts"
import type { Dio } from "./messages.ts"
import type { RplProfile } from "./profile.ts"
import { firstSequence } from "./sequence.ts"

/** Flag of a prefix (RFC 4862). */
const autonomous = 0x40
/** Imin of 2^6 ms and Imax of 2^30 ms: other values do not suit a network of motes. */
const minIntervalMin = 6
const maxInterval = 30

/** The initial DIO of a root. @param prefix that it advertises, its first 8 bytes */
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

/** Whether a node with this profile can join the DODAG, and its timers are within bounds. */
export function canJoin({ configuration, prefix }: Dio, profile: RplProfile): boolean {
    if (!configuration || !prefix) return false
    const { objective, intervalMin, intervalDoublings } = configuration
    const isAutonomous = prefix.length === 64 && (prefix.flags & autonomous) !== 0
    const isSane = intervalMin >= minIntervalMin && intervalMin + intervalDoublings <= maxInterval
    return objective === profile.objective.code && isAutonomous && isSane
}
