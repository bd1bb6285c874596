import { valueAt, type Trajectory } from "./trajectory.ts"

/** Light of the surroundings, as photocurrent in nA on the photodiode beside and through the skin. */
export interface Light {
    /** Changes with clouds and shadows. */
    daylightNa?: Trajectory
    /** A lamp on the mains flickers with twice their frequency. */
    lamp?: { meanNa: number; hz: 100 | 120; depth?: number }
}

/** An incandescent lamp stays within a fifth, a bad LED goes out each time. */
const usualDepth = 0.3

export function lightNa({ daylightNa = 0, lamp }: Light, seconds: number): number {
    const daylight = valueAt(daylightNa, seconds)
    if (!lamp) return daylight
    const { meanNa, hz, depth = usualDepth } = lamp
    return daylight + meanNa * (1 + depth * Math.sin(2 * Math.PI * hz * seconds))
}
