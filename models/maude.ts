import { execFile, spawnSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"

const run = promisify(execFile)
const options = ["-no-banner", "-no-advise", "-no-ansi-color"]
const maxOutputBytes = 64 * 2 ** 20
const questionsFile = fileURLToPath(new URL("claims.maude", import.meta.url))
const modelFile = fileURLToPath(new URL("attackers.maude", import.meta.url))

/**
 * A question of claims.maude: something that an attacker `cannot` do, of which nothing may be found, or something that he
 * `can` do or that a planted `fault` lets him do, of which a trace must be found.
 */
export interface Question {
    name: string
    kind: "can" | "cannot" | "fault"
    search: string
}

export interface MaudeResult {
    isFound: boolean
    states: number
    /** Of the search. */
    seconds: number
    /** The number of the state that was found. */
    state: number | undefined
}

/** What is missing to run maude, or undefined. */
export function missingForMaude(): string | undefined {
    return spawnSync("maude", ["--version"]).status === 0 ? undefined : "needs maude"
}

/** The questions in the order of the file. Throws if a search has no name. */
export function questions(): Question[] {
    const text = readFileSync(questionsFile, "utf8")
    const found = [...text.matchAll(/^\*\*\* ([\w-]+(?:, [\w-]+)?): (can|cannot|fault)\n(search [^]*? \.)$/gm)]
    if (found.length !== text.match(/^search /gm)?.length) throw new Error("claims.maude has a search without a name")
    return found.map(([, name, kind, search]) => ({ name: name!, kind: kind as Question["kind"], search: search! }))
}

/** Asks all questions. Throws if maude does not understand one. */
export async function askMaude(): Promise<(Question & MaudeResult)[]> {
    const outputs = (await maude(questionsFile)).split(/^=+$/m).slice(1)
    const asked = questions()
    if (outputs.length !== asked.length)
        throw new Error(`maude answered ${outputs.length} of ${asked.length} questions`)
    return asked.map((question, i) => ({ ...question, ...resultIn(outputs[i]!) }))
}

/** The steps that lead to what was found. */
export async function traceOf({ search, state }: Question & MaudeResult): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), "vitalmote-model-"))
    try {
        const file = join(folder, "trace.maude")
        await writeFile(file, `load ${modelFile}\n${search}\nshow path labels ${state} .\n`)
        return await maude(file)
    } finally {
        await rm(folder, { recursive: true, force: true })
    }
}

async function maude(file: string): Promise<string> {
    const running = run("maude", [...options, file], { maxBuffer: maxOutputBytes })
    running.child.stdin?.end()
    const { stdout, stderr } = await running
    const [warning] = /^Warning: .*$/m.exec(`${stdout}\n${stderr}`) ?? []
    if (warning) throw new Error(warning)
    return stdout
}

function resultIn(output: string): MaudeResult {
    const [, states, ms] = /states: (\d+) .* in (\d+)ms cpu/.exec(output) ?? []
    const [, state] = /^Solution 1 \(state (\d+)\)$/m.exec(output) ?? []
    if (states === undefined || (state === undefined && !output.includes("No solution.")))
        throw new Error(`maude did not answer: ${output}`)
    return {
        isFound: state !== undefined,
        states: Number(states),
        seconds: Number(ms) / 1000,
        state: state === undefined ? undefined : Number(state),
    }
}
