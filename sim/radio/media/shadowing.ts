import { Type } from "@sinclair/typebox"
import { seededNormal } from "../../time/random.ts"
import { distance, type Medium } from "../medium.ts"
import { capture, mediumKind } from "./kind.ts"

export interface ShadowingOptions {
    seed: number
    /** Path loss at 1 m, in dB: 40 at 2.4 GHz. */
    lossAt1mDb: number
    /** 2 in free space, about 3 indoors. */
    exponent: number
    /** Standard deviation of the shadowing of each pair, in dB. */
    deviationDb: number
    txPowerDbm: number
    noiseDbm: number
}

export const defaultShadowing: Omit<ShadowingOptions, "seed"> = {
    lossAt1mDb: 40,
    exponent: 3,
    deviationDb: 4,
    txPowerDbm: 0,
    noiseDbm: -98,
}

/** Signal-to-noise ratio at which half of the frames arrive. CC2420 data sheet: sensitivity −95 dBm over its noise. */
const halfSnrDb = 3
const slopeDb = 0.8
/** Signals this much weaker than noise are not noticed at all. */
const unnoticedDb = -6

/**
 * Log-normal shadowing (Rappaport, Wireless Communications, §4.9.2): the loss grows with the logarithm of the distance,
 * and each pair of nodes has its own walls and bodies in between, the same in both directions.
 */
export function logNormal(options: ShadowingOptions): Medium {
    const { seed, lossAt1mDb, exponent, deviationDb, txPowerDbm, noiseDbm } = options
    const shadows = new Map<string, number>()
    const shadow = (a: number, b: number): number => {
        const low = Math.min(a, b)
        const high = Math.max(a, b)
        const key = `${low} ${high}`
        let value = shadows.get(key)
        // The value depends on the pair alone, so that the order in which pairs meet changes nothing.
        if (value === undefined) shadows.set(key, (value = seededNormal(seed + 65_537 * high + low)()))
        return value * deviationDb
    }
    return {
        reception(from, to) {
            const d = Math.max(1, distance(from.position, to.position))
            const loss = lossAt1mDb + 10 * exponent * Math.log10(d) + shadow(from.id, to.id)
            const rssiDbm = txPowerDbm - loss
            const snr = rssiDbm - noiseDbm
            if (snr < unnoticedDb) return undefined
            return { probability: 1 / (1 + Math.exp(-(snr - halfSnrDb) / slopeDb)), rssiDbm }
        },
    }
}

export const shadowing = mediumKind({
    title: "Log-normal shadowing",
    kind: "shadowing",
    properties: {
        exponent: Type.Optional(
            Type.Number({ minimum: 1, maximum: 10, title: "Path loss exponent", default: 3, step: 0.1 }),
        ),
        deviation: Type.Optional(
            Type.Number({ minimum: 0, maximum: 30, title: "Deviation (dB)", default: 4, step: 0.5 }),
        ),
        power: Type.Optional(
            Type.Number({ minimum: -50, maximum: 30, title: "Transmit power (dBm)", default: 0, step: 1 }),
        ),
        capture,
    },
    create: ({ exponent, deviation, power }, seed) =>
        logNormal({
            ...defaultShadowing,
            seed,
            ...(exponent === undefined ? {} : { exponent }),
            ...(deviation === undefined ? {} : { deviationDb: deviation }),
            ...(power === undefined ? {} : { txPowerDbm: power }),
        }),
})
