import { seededRandom } from "../time/random.ts"
import { exerciseKinds, usualCadences, type ExerciseKind } from "./movement.ts"
import type { SyntheticOptions } from "./synthetic.ts"

/**
 * Where the light looks, and with which colour: pulse over steady level, and how much larger than that pulse the
 * movement is, from mild to wild. Infrared reaches the deep vessels and muscles, which move more than they pulse; at
 * the wrist there are few others. Green light ends in the skin's own vessels.
 */
const sites = {
    "wrist, green": { perfusion: [0.008, 0.03], strength: [0.7, 4] },
    "wrist, infrared": { perfusion: [0.002, 0.008], strength: [1.5, 8] },
    "finger, infrared": { perfusion: [0.008, 0.03], strength: [0.5, 3] },
} as const

export type Site = keyof typeof sites
export const exerciseSites = Object.keys(sites) as Site[]

/** A rest, one exercise, and a recovery. */
export interface ExerciseSession extends SyntheticOptions {
    kind: ExerciseKind
    cadence: number
    bpm: [seconds: number, bpm: number][]
    fromS: number
    toS: number
    endS: number
}

const restS = 40
const exerciseS = 100
const recoveryS = 70
/** The heart follows effort, and later rest, with these time constants, from quick to slow. */
const effortS = [25, 60] as const
const calmS = [45, 110] as const
/** Share of the sessions in which the heart ends near the cadence, its half or its double: where the two are told apart worst. */
const coupled = 0.3
const stepS = 2

/**
 * A wearer for each seed who rests, exercises and recovers: amplitude, cadence, posture and course of the heart rate
 * vary. Hearts reach 95 to 175 beats a minute.
 */
export function exerciseSession(kind: ExerciseKind, seed: number, site: Site): ExerciseSession {
    const random = seededRandom((seed * exerciseKinds.length + exerciseKinds.indexOf(kind)) ^ 0x5907)
    const between = ([low, high]: readonly [number, number]) => low + (high - low) * random()
    const cadence = between(usualCadences(kind))
    const rest = between([56, 88])
    const free = between([95, 175])
    const multiples = [0.5, 1, 2, 3, 4].map(times => times * cadence).filter(bpm => bpm >= 90 && bpm <= 180)
    const multiple = multiples[Math.floor(random() * multiples.length)]
    const target = random() < coupled && multiple ? multiple + between([-5, 5]) : free
    const effort = between(effortS)
    const calm = between(calmS)
    const fromS = restS
    const toS = restS + exerciseS
    const endS = toS + recoveryS
    const bpm: [number, number][] = [[0, rest]]
    let rate = rest
    for (let s = stepS; s <= endS; s += stepS) {
        if (s > fromS) rate += (stepS / (s <= toS ? effort : calm)) * ((s <= toS ? target : rest + 8) - rate)
        bpm.push([s, rate])
    }
    const { perfusion, strength } = sites[site]
    return {
        ...{ kind, cadence, seed, bpm, fromS, toS, endS },
        perfusion: between(perfusion),
        respiration: between([14, 26]),
        variability: 0.02,
        motion: [{ fromS, toS, kind, cadence, strength: between(strength) }],
    }
}
