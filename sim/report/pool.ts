import { fork } from "node:child_process"
import { availableParallelism } from "node:os"
import { fileURLToPath } from "node:url"
import { Type, type Static } from "@sinclair/typebox"
import { UserError } from "../../host/errors.ts"
import { buildFirmware } from "../../devicescript/build.ts"
import { ScenarioSchema, type Scenario } from "../scenario/schema.ts"

const strict = { additionalProperties: false }
const count = Type.Integer({ minimum: 0 })
const orNull = Type.Union([Type.Number(), Type.Null()])

/** One run of a comparison. */
export interface Job {
    scenario: Scenario
    seed: number
    seconds: number
    /** Name in the error message if it fails. */
    name: string
}

/** Outcome of a run; null if there is nothing to measure. */
export const OutcomeSchema = Type.Object(
    {
        motes: count,
        joined: { ...count, description: "with a route to the border router at the end" },
        lastJoinedS: orNull,
        delivery: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()]),
        medianS: orNull,
        p95S: orNull,
        meanMa: Type.Number(),
        meanHops: orNull,
        framesSent: count,
        framesLost: count,
        collisions: count,
        fails: Type.Array(Type.String(), { description: "claims of the scenario that fail" }),
    },
    strict,
)

export const ComparisonSchema = Type.Object(
    {
        command: Type.String({ description: "command that reproduces it" }),
        scenario: ScenarioSchema,
        seconds: Type.Number({ minimum: 0 }),
        key: Type.String(),
        values: Type.Array(Type.Union([Type.Number(), Type.String()])),
        runs: Type.Array(
            Type.Object(
                {
                    value: Type.Union([Type.Number(), Type.String()]),
                    seed: Type.Integer(),
                    outcome: OutcomeSchema,
                },
                strict,
            ),
        ),
    },
    strict,
)

export type Outcome = Static<typeof OutcomeSchema>
/** The content of `report.json` for a comparison. */
export type Comparison = Static<typeof ComparisonSchema>

const worker = fileURLToPath(new URL("./worker.mjs", import.meta.url))
const maxErrorBytes = 10_000

/**
 * Runs each job in its own process, as many in parallel as there are cores. The results do not depend on their number.
 * @param progress called after each job
 * @returns outcomes in the order of the jobs
 * @throws UserError if one of them fails
 */
export async function runAll(
    jobs: Job[],
    progress: (done: number) => void,
    most = availableParallelism(),
): Promise<Outcome[]> {
    await buildFirmware() // once, before many processes need it
    const outcomes = new Array<Outcome>(jobs.length)
    const stop = new AbortController()
    let next = 0
    let done = 0
    const work = async () => {
        while (next < jobs.length) {
            const at = next++
            outcomes[at] = await runApart(jobs[at]!, stop.signal)
            progress(++done)
        }
    }
    try {
        await Promise.all(Array.from({ length: Math.min(most, jobs.length) }, work))
    } finally {
        next = jobs.length
        stop.abort()
    }
    return outcomes
}

function runApart(job: Job, signal: AbortSignal): Promise<Outcome> {
    return new Promise((resolve, reject) => {
        const child = fork(worker, { stdio: ["ignore", "ignore", "pipe", "ipc"] })
        let errors = ""
        let outcome: Outcome | undefined
        const stop = () => child.kill()
        signal.addEventListener("abort", stop)
        child.stderr!.on("data", text => (errors = (errors + String(text)).slice(-maxErrorBytes)))
        child.once("message", message => (outcome = message as Outcome))
        child.once("error", reject)
        child.once("close", code => {
            signal.removeEventListener("abort", stop)
            if (outcome) return resolve(outcome)
            const reason = errors.trim().split("\n").at(-1) || `exit code ${code}`
            reject(new UserError(`the run with ${job.name} failed: ${reason}`))
        })
        child.send(job, error => error && child.kill())
    })
}
