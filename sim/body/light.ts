import { valueAt, type Trajectory } from "./trajectory.ts"

/** Ambient light that reaches the photodiode beside and through the skin, as photocurrent in nA. */
export interface Light {
    /** Changes with clouds and shadows. */
    daylightNa?: Trajectory
    /** A lamp on mains power flickers at twice the mains frequency. */
    lamp?: { meanNa: number; hz: 100 | 120; depth?: number }
}

/** Modulation depth: at most a fifth for an incandescent lamp, 1 for a bad LED. */
const usualDepth = 0.3

export function lightNa({ daylightNa = 0, lamp }: Light, seconds: number): number {
    const daylight = valueAt(daylightNa, seconds)
    if (!lamp) return daylight
    const { meanNa, hz, depth = usualDepth } = lamp
    return daylight + meanNa * (1 + depth * Math.sin(2 * Math.PI * hz * seconds))
}
