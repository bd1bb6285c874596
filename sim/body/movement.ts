import type { Acceleration } from "./body.ts"
import { noiseWaves, sum, type Wave } from "./waves.ts"

/** A movement that repeats itself, `cadence` times a minute. */
interface Exercise {
    /** Cycles of the arm for each unit of the cadence: half a swing for a step. */
    cycles: number
    /** Root mean square of the acceleration along the arm's direction of movement, in g. */
    g: number
    /** Rotation of the arm to either side, in rad; blood follows it. */
    turn: number
    /** Relative harmonics of a cycle. */
    harmonics: number[]
    /**
     * Pressure of strap, floor and muscles on the vessels, as a multiple of what the acceleration does to the light. It
     * keeps the cadence, and no accelerometer feels it.
     */
    pressure?: number
    /** Deviation of the phase in cycles; default: that of somebody who walks. */
    unsteady?: number
    /** Usual cadences, from slow to fast. */
    cadences: [number, number]
}

/** There are two steps in each swing of an arm, so the even harmonics are those of the step. */
const exercises = {
    swinging: { cycles: 1, g: 0.5, turn: 0.4, harmonics: [1, 0.45, 0.2, 0.1], cadences: [40, 110] },
    walking: { cycles: 0.5, g: 0.25, turn: 0.35, harmonics: [0.6, 1, 0.2, 0.35, 0.05, 0.1], cadences: [90, 130] },
    running: { cycles: 0.5, g: 1, turn: 0.3, harmonics: [0.55, 1, 0.15, 0.3, 0.05, 0.12], cadences: [145, 185] },
    burpees: {
        ...{ cycles: 1, g: 0.6, turn: 0.9, harmonics: [0.7, 1, 0.8, 0.7, 0.5, 0.4, 0.25, 0.15] },
        ...{ pressure: 1, unsteady: 0.12, cadences: [10, 26] },
    },
    "push-ups": {
        ...{ cycles: 1, g: 0.12, turn: 0.15, harmonics: [1, 0.5, 0.25, 0.12] },
        ...{ pressure: 2, unsteady: 0.1, cadences: [18, 50] },
    },
    "jumping-jacks": {
        ...{ cycles: 1, g: 0.9, turn: 1.2, harmonics: [0.9, 1, 0.4, 0.3, 0.1], pressure: 0.4, cadences: [42, 75] },
    },
    "rope-skipping": {
        ...{ cycles: 1, g: 0.8, turn: 0.15, harmonics: [1, 0.6, 0.25, 0.1], pressure: 0.3, cadences: [90, 145] },
    },
    curls: {
        ...{ cycles: 1, g: 0.15, turn: 1, harmonics: [1, 0.4, 0.15, 0.05] },
        ...{ pressure: 1, unsteady: 0.08, cadences: [15, 45] },
    },
} satisfies Record<string, Exercise>

export type ExerciseKind = keyof typeof exercises
/** Kinds that have a cadence. */
export const exerciseKinds = Object.keys(exercises) as ExerciseKind[]

/**
 * Exercises repeat themselves `cadence` times a minute; walking and running count steps. Beside them:
 * - fidgeting: irregular, 0.15 g, the arm turns
 * - jerk: one pull of 2 g at `fromS`, from which the sensor takes seconds to settle
 * - tapping: a finger or a keyboard, `cadence` taps a minute, 0.3 g each
 */
export type MotionKind = ExerciseKind | "fidgeting" | "jerk" | "tapping"

/** Cadences of an exercise from slow to fast, per minute. */
export function usualCadences(kind: ExerciseKind): [slow: number, fast: number] {
    return exercises[kind].cadences as [number, number]
}

/** One kind of movement, as functions of the seconds since it began. */
export interface Movement {
    /** Acceleration in g along x (forearm), y (the direction of an arm swing) and z; without gravity. */
    shake(seconds: number): Acceleration
    /** Rotation of the arm against gravity, in rad. */
    turn(seconds: number): number
    /** Pressure on the vessels that no accelerometer feels, as a multiple of the effect of `shake`. */
    pressure?: (seconds: number) => number
    /** Typical amplitude of `shake` in g, and of `turn` in rad. */
    size: number
    turnSize: number
}

/** Movement of one bout; `random` makes each wearer and bout a little different. */
export function movementOf(kind: MotionKind, cadence: number, random: () => number): Movement {
    switch (kind) {
        case "fidgeting":
            return fidgeting(random)
        case "jerk":
            return jerk(random)
        case "tapping":
            return tapping(cadence / 60, random)
        default:
            return exercise(exercises[kind], cadence, random)
    }
}

/** Share of the movement along each axis. */
const axes = [0.5, 1, 0.7]
/** Nobody keeps time exactly: deviation of the phase in cycles, and of the strength. */
const unsteadyCycles = 0.06
const unsteadyStrength = 0.15

function exercise(
    { cycles, g, turn, harmonics, pressure = 0, unsteady = unsteadyCycles }: Exercise,
    cadence: number,
    random: () => number,
): Movement {
    const hz = (cadence * cycles) / 60
    const phases = axes.map(() => harmonics.map(() => 2 * Math.PI * random()))
    const wander = noiseWaves(random, 5, 0.03, 0.25)
    const swell = noiseWaves(random, 5, 0.03, 0.5)
    const turnPhase = 2 * Math.PI * random()
    const pressed = pressure > 0 ? harmonics.map(() => 2 * Math.PI * random()) : []
    const power = Math.sqrt(harmonics.reduce((power, a) => power + (a * a) / 2, 0))
    const scale = g / power
    const phase = (s: number) => 2 * Math.PI * (hz * s + unsteady * sum(wander, s))
    const strength = (s: number) => 1 + unsteadyStrength * sum(swell, s)
    const wave = (at: number, phases: number[]) =>
        harmonics.reduce((total, share, n) => total + share * Math.sin((n + 1) * at + phases[n]!), 0)
    return {
        shake: s => {
            const at = phase(s)
            const a = scale * strength(s)
            const along = (axis: number) => a * axes[axis]! * wave(at, phases[axis]!)
            return [along(0), along(1), along(2)]
        },
        turn: s => turn * strength(s) * Math.sin(phase(s) + turnPhase),
        ...(pressure > 0 && { pressure: s => (pressure / power) * strength(s) * wave(phase(s), pressed) }),
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
