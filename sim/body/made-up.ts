import { seededRandom } from "../time/random.ts"
import type { Body } from "./body.ts"
import { courseOf, type ConditionName, type Rest } from "./conditions.ts"
import type { MotionBout } from "./motion.ts"
import { syntheticBody } from "./synthetic.ts"
import type { Trajectory } from "./trajectory.ts"

const hoursS = 8 * 3600
const stretchS = 1500
/** Share of wearers with a fever. */
const feverish = 0.25
/** Movements that are usual on a ward. */
const movements: Omit<MotionBout, "fromS" | "toS">[] = [
    { kind: "swinging", cadence: 90, strength: 6 },
    { kind: "walking", cadence: 105, strength: 4 },
    { kind: "fidgeting", strength: 5 },
    { kind: "tapping", cadence: 180, strength: 2 },
]

/**
 * A plausible wearer for each seed: a resting rate and temperature of their own, a rate that drifts over the hours,
 * some movement now and then, and a fever in one of four.
 */
export function madeUpBody(seed: number): Body {
    const { rest, highC, ...options } = madeUp(seed)
    return syntheticBody({
        ...options,
        coreC: [
            [0, rest.coreC + (highC - rest.coreC) / 2],
            [hoursS / 4, highC],
        ],
    })
}

/**
 * The same wearer, otherwise well, with one condition.
 * @param lengthS duration of its course; default: its natural length
 */
export function illBody(condition: ConditionName, seed: number, lengthS?: number): Body {
    return syntheticBody(wearerOptions(seed, condition, lengthS))
}

/** What that wearer is made of; without a condition, one who has nothing. */
export function wearerOptions(seed: number, condition?: ConditionName, lengthS?: number) {
    const { rest, highC: _, motion, ...options } = madeUp(seed)
    const well = { ...options, coreC: rest.coreC as Trajectory, motion }
    if (!condition) return well
    const { options: course, stillFromS } = courseOf(condition, rest, lengthS)
    const moves = [...(course.motion ?? []), ...motion]
    return { ...well, ...course, motion: moves.filter(({ fromS }) => fromS < stillFromS) }
}

function madeUp(seed: number) {
    const random = seededRandom(seed)
    const between = (low: number, high: number) => low + (high - low) * random()
    const restBpm = between(54, 88)
    const bpm: Trajectory = []
    for (let s = 0; s <= hoursS; s += stretchS) bpm.push([s, restBpm + between(-6, 9)])
    const motion: MotionBout[] = []
    for (let s = between(90, 400); s < hoursS; s += between(300, 900))
        motion.push({ ...movements[motion.length % 4]!, fromS: s, toS: s + between(8, 25) })
    const normalC = between(36.5, 37.2)
    const highC = random() < feverish ? between(38, 39.3) : normalC + between(-0.2, 0.3)
    const perfusion = between(0.006, 0.02)
    const respiration = between(12, 20)
    const spo2 = between(94, 99)
    const rest: Rest = { bpm: restBpm, coreC: normalC, spo2, perfusion }
    return { seed, bpm, motion, perfusion, respiration, spo2, rest, highC }
}
