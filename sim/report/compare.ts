import { UserError } from "../../host/errors.ts"
import type { Scenario } from "../scenario/schema.ts"
import { reportFolder } from "./output.ts"
import { runAll, type Comparison, type Job } from "./pool.ts"
import { parseSweep, withValue } from "./sweep.ts"
import { sweepPage } from "./sweep-page.ts"

const defaultRuns = 3
const maxJobs = 2000

export interface CompareOptions {
    /** In the form that `parseSweep` parses. */
    sweep: string
    /** Runs per value, each with its own seed. */
    runs?: number
    seed?: number
    /** Simulated time of each run in seconds. */
    until?: number
    /** Folder for the comparison. */
    report?: string
    progress?: (done: number, all: number) => void
}

/** Runs a scenario with several values of one property, and several seeds for each. @throws UserError */
export async function compare(name: string, scenario: Scenario, options: CompareOptions): Promise<Comparison> {
    const { key, values } = parseSweep(options.sweep)
    const { progress = () => {} } = options
    const seconds = options.until ?? scenario.duration
    const firstSeed = options.seed ?? scenario.seed ?? 1
    const isSeed = key === "seed"
    if (isSeed && (options.runs !== undefined || options.seed !== undefined))
        throw new UserError("--sweep seed: each value is one run, so --runs and --seed are not allowed", 2)
    const runs = isSeed ? 1 : (options.runs ?? defaultRuns)
    if (runs * values.length > maxJobs) throw new UserError(`--sweep: more than ${maxJobs} runs`, 2)
    const points = values.flatMap(value => {
        const changed = withValue(scenario, key, value)
        return Array.from({ length: runs }, (_, i) => ({
            value,
            job: {
                ...{ scenario: changed, seconds },
                seed: isSeed ? Number(value) : firstSeed + i,
                name: isSeed ? `seed ${value}` : `${key} ${value}, seed ${firstSeed + i}`,
            } satisfies Job,
        }))
    })
    const write = options.report === undefined ? undefined : reportFolder(options.report)
    progress(0, points.length)
    const outcomes = await runAll(
        points.map(({ job }) => job),
        done => progress(done, points.length),
    )
    const words = [
        ...["vitalmote sim", name, `--sweep ${options.sweep}`],
        ...(isSeed ? [] : [`--runs ${runs}`, `--seed ${firstSeed}`]),
        ...(options.until === undefined ? [] : [`--until ${options.until}`]),
    ]
    const comparison: Comparison = {
        ...{ command: words.join(" "), scenario, seconds, key, values },
        runs: points.map(({ value, job }, i) => ({
            ...{ value, seed: job.seed, outcome: outcomes[i]! },
        })),
    }
    write?.(sweepPage(comparison), comparison)
    return comparison
}
