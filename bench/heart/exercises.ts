import { exerciseKinds, exerciseSession, exerciseSites, syntheticBody } from "../../sim/index.ts"
import { runHeart } from "./host.ts"
import type { Judged } from "./measures.ts"
import { sample } from "./sample.ts"

/** A simulated session of rest, exercise and recovery, judged with or without accelerometer. */
export interface ExerciseRun {
    kind: string
    site: string
    seed: number
    isFelt: boolean
    /** From the start of the exercise until nothing of it is in the 8 s any more. */
    exercise: Judged[]
    /** Before it and after it. */
    calm: Judged[]
    /** Seconds from the end of the exercise to the first right value; Infinity without one. */
    backS: number
    /** Seconds from the first sample to the first right value. */
    firstS: number
}

const windowS = 2
const signalS = 8
/** A value this near to the rate is right. */
const rightBpm = 5

/** Runs the sessions of a seed, each with and without accelerometer. About 30 s of a core. */
export async function exerciseRuns(seed: number): Promise<ExerciseRun[]> {
    const runs: ExerciseRun[] = []
    for (const kind of exerciseKinds)
        for (const site of exerciseSites) {
            const session = exerciseSession(kind, seed, site)
            const { fromS, toS, endS, bpm } = session
            const sampled = sample(syntheticBody(session), endS, seed, true)
            for (const isFelt of [true, false]) {
                const windows = await runHeart(isFelt ? sampled : { light: sampled.light })
                const judged = windows
                    .filter(({ t }) => t >= signalS)
                    .map(({ t, bpm: value }) => ({ t, bpm: value, ref: meanBpm(bpm, t) }))
                const isDuring = ({ t }: Judged) => t > fromS && t <= toS + signalS
                const firstRight = (after: number) =>
                    judged.find(({ t, bpm, ref }) => t > after && bpm !== null && Math.abs(bpm - ref) < rightBpm)
                runs.push({
                    ...{ kind, site, seed, isFelt },
                    exercise: judged.filter(isDuring),
                    calm: judged.filter(window => !isDuring(window)),
                    backS: (firstRight(toS)?.t ?? Infinity) - toS,
                    firstS: firstRight(0)?.t ?? Infinity,
                })
            }
        }
    return runs
}

/** Mean of a course over the 8 s that end at `t`; it has a value every 2 s. */
function meanBpm(course: [seconds: number, bpm: number][], t: number): number {
    const at = (s: number) => course[Math.min(course.length - 1, Math.round(s / windowS))]![1]
    return (at(t - 8) / 2 + at(t - 6) + at(t - 4) + at(t - 2) + at(t) / 2) / 4
}
