// How much processor time the tests take: loaded into each process that runs test files, it notes at the end what that process
// and those it started have used. Only on Linux, which says so of processes that have ended.
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"
import { isMainThread } from "node:worker_threads"
import { sourceOf } from "./test-plan.mjs"

/** Of this run: there may be another one. */
const run = (process.env.VITALMOTE_RUN ??= String(process.pid))
const file = fileURLToPath(new URL(`../.build/cpu-${run}.txt`, import.meta.url))
const shownProcesses = 10

// What a test starts counts as the test's own.
if (isMainThread && process.env.NODE_TEST_CONTEXT && !process.env.VITALMOTE_COUNTED) {
    process.env.VITALMOTE_COUNTED = "1"
    process.on("exit", () => {
        const seconds = processorSeconds()
        if (seconds === undefined) return
        mkdirSync(dirname(file), { recursive: true }) // a fresh clone has none
        appendFileSync(file, `${seconds} ${nameOf(process.argv[1])}\n`)
    })
}

/** A test file, or the group of them that shares a process. */
function nameOf(path) {
    const [, folder, number] = /groups\/(.*)-(\d+)\.test\.mjs$/.exec(path) ?? []
    return folder ? `test/${folder.replaceAll("-", "/")}, group ${Number(number) + 1}` : sourceOf(path)
}

/** Of this process and of those it started that have ended, in seconds; undefined where the system does not say. */
export function processorSeconds() {
    try {
        const [, rest] = readFileSync("/proc/self/stat", "utf8").split(") ")
        const ticks = rest.split(" ").slice(11, 15).map(Number) // utime, stime, cutime, cstime: proc(5)
        return ticks.reduce((sum, each) => sum + each) / 100
    } catch {
        return undefined
    }
}

/** What used the most, and all together; `checks` are the seconds of the checks before. */
export function processorTime(checks) {
    if (!existsSync(file)) return ""
    const used = readFileSync(file, "utf8")
        .trimEnd()
        .split("\n")
        .map(line => ({ seconds: Number(line.split(" ")[0]), what: line.slice(line.indexOf(" ") + 1) }))
        .sort((a, b) => b.seconds - a.seconds)
    rmSync(file)
    const tests = used.reduce((sum, { seconds }) => sum + seconds, 0)
    const lines = used.slice(0, shownProcesses).map(({ seconds, what }) => `cpu  ${shown(seconds)} ${what}\n`)
    return `${lines.join("")}cpu  ${shown(tests + checks)} in all, ${checks.toFixed(1)} s of them for the checks\n`
}

function shown(seconds) {
    return `${seconds.toFixed(1)} s`.padStart(8)
}
