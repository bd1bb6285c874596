import { UserError } from "../../host/errors.ts"
import { reportFolder } from "../../sim/report/output.ts"
import { runAll, type Comparison, type Job, type Outcome } from "../../sim/report/pool.ts"
import { parseSweep, withValue } from "../../sim/report/sweep.ts"
import { sweepPage } from "../../sim/report/sweep-page.ts"
import type { Scenario } from "../../sim/scenario/schema.ts"
import { progressLine } from "../progress.ts"

const defaultRuns = 3
const maxJobs = 2000

export interface SweepOptions {
    sweep: string
    runs?: number
    seed?: number
    until?: number
    report?: string
    json?: boolean
}

/** Runs a scenario with several values of something, and several seeds of each. */
export async function runSweep(name: string, scenario: Scenario, options: SweepOptions): Promise<void> {
    const { key, values } = parseSweep(options.sweep)
    const seconds = options.until ?? scenario.duration
    const firstSeed = options.seed ?? scenario.seed ?? 1
    const isSeed = key === "seed"
    if (isSeed && (options.runs !== undefined || options.seed !== undefined))
        throw new UserError("--sweep seed: each value is a run; no --runs, no --seed", 2)
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
    const progress = progressLine()
    progress(`0 of ${points.length} runs`)
    const outcomes = await runAll(
        points.map(({ job }) => job),
        done => progress(`${done} of ${points.length} runs`),
    ).finally(() => progress(""))
    const asked = [
        ...["vitalmote sim", name, `--sweep ${options.sweep}`],
        ...(isSeed ? [] : [`--runs ${runs}`, `--seed ${firstSeed}`]),
        ...(options.until === undefined ? [] : [`--until ${options.until}`]),
    ]
    const comparison: Comparison = {
        ...{ command: asked.join(" "), scenario, seconds, key, values },
        runs: points.map(({ value, job }, i) => ({
            ...{ value, seed: job.seed, outcome: outcomes[i]! },
        })),
    }
    if (options.json) console.log(JSON.stringify(comparison))
    else print(comparison)
    write?.(sweepPage(comparison), comparison)
}

function print({ key, runs }: Comparison): void {
    const shown = (value: number | null, digits: number) => value?.toFixed(digits) ?? "–"
    const rows = runs.map(({ value, seed, outcome }) => [...[String(value), String(seed), ...measures(outcome)]])
    const head = [key, "seed", "delivered %", "median s", "95 % s", "mA", "joined", "last joined s"]
    const widths = head.map((text, i) => Math.max(text.length, ...rows.map(row => row[i]!.length)))
    for (const row of [head, ...rows])
        console.log(
            row
                .map((text, i) => text.padEnd(widths[i]!))
                .join("  ")
                .trimEnd(),
        )

    function measures(o: Outcome): string[] {
        return [
            ...[shown(o.delivery === null ? null : 100 * o.delivery, 1), shown(o.medianS, 2)],
            ...[shown(o.p95S, 2), shown(o.meanMa, 2), `${o.joined}/${o.motes}`],
            shown(o.lastJoinedS, 1),
        ]
    }
}
