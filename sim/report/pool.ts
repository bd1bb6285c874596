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
    /** What it is called when it fails. */
    name: string
}

/** What became of it; null where there is nothing to measure. */
export const OutcomeSchema = Type.Object(
    {
        motes: count,
        joined: { ...count, description: "that have a way to the border router at the end" },
        lastJoinedS: orNull,
        delivery: Type.Union([Type.Number({ minimum: 0, maximum: 1 }), Type.Null()]),
        medianS: orNull,
        p95S: orNull,
        meanMa: Type.Number(),
        meanHops: orNull,
        framesSent: count,
        framesLost: count,
        collisions: count,
        fails: Type.Array(Type.String(), { description: "what the scenario claims and is not so" }),
    },
    strict,
)

export const ComparisonSchema = Type.Object(
    {
        command: Type.String({ description: "gives the same again" }),
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
/** `report.json` of a comparison. */
export type Comparison = Static<typeof ComparisonSchema>

const worker = fileURLToPath(new URL("./worker.mjs", import.meta.url))
const maxErrorBytes = 10_000

/**
 * Runs each in a process of its own, as many at once as there are cores; what comes out does not depend on how many.
 * @param progress called when one is done
 * @returns in the order of the jobs
 * @throws UserError when one of them fails
 */
export async function runAll(
    jobs: Job[],
    progress: (done: number) => void,
    most = availableParallelism(),
): Promise<Outcome[]> {
    await buildFirmware() // once, before many ask for it
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
