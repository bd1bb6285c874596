import { execFile, spawnSync } from "node:child_process"
import { existsSync } from "node:fs"
import { copyFile, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import type { SpinCheck } from "./checks.ts"

const run = promisify(execFile)
const maxOutputBytes = 64 * 2 ** 20
/** The length of a path at which the search would stop; every check ends far below it. */
const maxDepth = 3_000_000

/** What a search found, and what it took. */
export interface SpinResult {
    /** Each step that leads to the error, with the line of the model. Undefined if there is no error. */
    trace: string | undefined
    states: number
    depth: number
    /** Of processor time, for the search without the compilation. */
    seconds: number
}

/** What is missing to run spin, or undefined. Spin writes a program in C, which is then compiled. */
export function missingForSpin(): string | undefined {
    if (spawnSync("spin", ["-V"]).status !== 0) return "needs spin"
    return spawnSync("gcc", ["--version"]).status === 0 ? undefined : "needs gcc and libc6-dev"
}

/** Searches all states of a model. Throws if the search did not end, or if the model is wrong. */
export async function runSpin({ model, defines = [], isLiveness, fault }: SpinCheck): Promise<SpinResult> {
    const folder = await mkdtemp(join(tmpdir(), "vitalmote-model-"))
    try {
        const o = { cwd: folder, maxBuffer: maxOutputBytes }
        const symbols = defines.map(define => `-D${define}`)
        // The trail of a model is read from where the model is.
        await copyFile(new URL(model, import.meta.url), join(folder, model))
        await run("spin", ["-a", ...symbols, model], o)
        // A fault shows soon: its search takes less time than an optimized compilation.
        const how = [fault ? "-O0" : "-O2", "-w", "-DCOLLAPSE", ...(isLiveness ? ["-DNFAIR=3"] : ["-DSAFETY"])]
        await run("gcc", [...how, "-o", "pan", "pan.c"], o)
        const search = isLiveness ? ["-a", "-f"] : []
        const { stdout } = await run("sh", ["-c", '"$@"; times', "sh", "./pan", ...search, `-m${maxDepth}`, "-w20"], o)
        const [, depth, errors] = /depth reached (\d+), errors: (\d+)/.exec(stdout) ?? []
        const [, states] = /^ *(\d+) states, stored/m.exec(stdout) ?? []
        const [, minutes, seconds] = /^(\d+)m([\d.]+)s \S+\s*$/m.exec(stdout.trimEnd().split("\n").at(-1)!) ?? []
        if (errors === undefined || states === undefined || /max search depth too small|out of memory/.test(stdout))
            throw new Error(`${model}: the search did not end\n${stdout}`)
        const trail = join(folder, `${model}.trail`)
        const isFound = errors !== "0"
        if (isFound !== existsSync(trail)) throw new Error(`${model}: errors without a trail\n${stdout}`)
        const trace = isFound ? (await run("spin", ["-t", "-p", ...symbols, model], o)).stdout : undefined
        return { trace, states: Number(states), depth: Number(depth), seconds: 60 * Number(minutes) + Number(seconds) }
    } finally {
        await rm(folder, { recursive: true, force: true })
    }
}
