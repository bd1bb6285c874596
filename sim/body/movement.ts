import type { Acceleration } from "./body.ts"
import { noiseWaves, sum, type Wave } from "./waves.ts"

/**
 * - swinging: an arm, `cadence` swings a minute, 0.5 g
 * - walking: `cadence` steps a minute, 0.25 g; the arm swings once in two steps
 * - running: as walking, 1 g
 * - fidgeting: irregular, 0.15 g, the arm turns
 * - jerk: one pull of 2 g at `fromS`, from which the sensor takes seconds to settle
 * - tapping: a finger or a keyboard, `cadence` taps a minute, 0.3 g each
 */
export type MotionKind = "swinging" | "walking" | "running" | "fidgeting" | "jerk" | "tapping"

/** One kind of movement, as functions of the seconds since it began. */
export interface Movement {
    /** Acceleration in g along x (forearm), y (the direction of an arm swing) and z; without gravity. */
    shake(seconds: number): Acceleration
    /** Rotation of the arm against gravity, in rad. */
    turn(seconds: number): number
    /** Typical amplitude of `shake` in g, and of `turn` in rad. */
    size: number
    turnSize: number
}

/** Movement of one bout; `random` makes each wearer and bout a little different. */
export function movementOf(kind: MotionKind, cadence: number, random: () => number): Movement {
    const hz = cadence / 60
    switch (kind) {
        case "swinging":
            return gait(hz, 0.5, 0.4, random, swingSteps)
        case "walking":
            return gait(hz / 2, 0.25, 0.35, random, walkSteps)
        case "running":
            return gait(hz / 2, 1, 0.3, random, runSteps)
        case "fidgeting":
            return fidgeting(random)
        case "jerk":
            return jerk(random)
        case "tapping":
            return tapping(hz, random)
    }
}

/** Relative harmonics of an arm swing. There are two steps in each swing, so the even ones are those of the step. */
const swingSteps = [1, 0.45, 0.2, 0.1]
const walkSteps = [0.6, 1, 0.2, 0.35, 0.05, 0.1]
const runSteps = [0.55, 1, 0.15, 0.3, 0.05, 0.12]
/** Share of the movement along each axis. */
const axes = [0.5, 1, 0.7]
/** Nobody keeps time exactly: deviation of the phase in periods, and of the strength. */
const unsteadyPeriods = 0.06
const unsteadyStrength = 0.15

/** @param hz swings of the arm per second @param g root mean square along y @param turn rad to each side */
function gait(hz: number, g: number, turn: number, random: () => number, harmonics: number[]): Movement {
    const phases = axes.map(() => harmonics.map(() => 2 * Math.PI * random()))
    const wander = noiseWaves(random, 5, 0.03, 0.25)
    const swell = noiseWaves(random, 5, 0.03, 0.5)
    const turnPhase = 2 * Math.PI * random()
    const scale = g / Math.sqrt(harmonics.reduce((power, a) => power + (a * a) / 2, 0))
    const phase = (s: number) => 2 * Math.PI * (hz * s + unsteadyPeriods * sum(wander, s))
    const strength = (s: number) => 1 + unsteadyStrength * sum(swell, s)
    return {
        shake: s => {
            const at = phase(s)
            const a = scale * strength(s)
            const along = (axis: number) =>
                a *
                axes[axis]! *
                harmonics.reduce((total, share, n) => total + share * Math.sin((n + 1) * at + phases[axis]![n]!), 0)
            return [along(0), along(1), along(2)]
        },
        turn: s => turn * strength(s) * Math.sin(phase(s) + turnPhase),
        size: 1.5 * g,
        turnSize: turn,
    }
}

function fidgeting(random: () => number): Movement {
    const g = 0.15
    const waves = axes.map(() => noiseWaves(random, 8, 0.4, 5))
    const bursts = noiseWaves(random, 4, 0.1, 0.6)
    const turns = noiseWaves(random, 4, 0.05, 0.4)
    const along = (wave: Wave[], s: number) => g * Math.max(0, 0.5 + sum(bursts, s)) * sum(wave, s)
    return {
        shake: s => waves.map(wave => along(wave, s)) as Acceleration,
        turn: s => 0.3 * sum(turns, s),
        size: 2 * g,
        turnSize: 0.4,
    }
}

/** A pull and its stop, then the arm swings out, comes to rest in a different position and creeps back. */
function jerk(random: () => number): Movement {
    const g = 2
    const direction = axes.map(() => 0.5 + random()) as Acceleration
    const length = Math.hypot(...direction)
    const pullS = 0.08
    const along = (s: number) => {
        const x = (s - 3 * pullS) / pullS
        const ring = s > 3 * pullS ? 0.3 * Math.exp(-(s - 3 * pullS) / 0.2) : 0
        return g * (x * Math.exp((1 - x * x) / 2) + ring * Math.sin(2 * Math.PI * 5 * s))
    }
    return {
        shake: s => direction.map(share => (share / length) * along(s)) as Acceleration,
        turn: s => (s < 0 ? 0 : 0.5 * (1 - Math.exp(-s / 0.15)) * Math.exp(-s / 1.5)),
        size: g,
        turnSize: 0.5,
    }
}

/** Each tap rings at 9 Hz for a tenth of a second, with hardly any rotation. */
function tapping(hz: number, random: () => number): Movement {
    const g = 0.3
    const wander = noiseWaves(random, 5, 0.05, 0.5)
    const share = [0.2, 0.3, 1]
    const along = (s: number) => {
        const taps = hz * s + 0.1 * sum(wander, s)
        const since = (taps - Math.floor(taps)) / hz
        return g * Math.exp(-since / 0.06) * Math.sin(2 * Math.PI * 9 * since)
    }
    return {
        shake: s => share.map(part => part * along(s)) as Acceleration,
        turn: s => 0.02 * sum(wander, s),
        size: g,
        turnSize: 0.05,
    }
}
