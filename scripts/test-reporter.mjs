// Prints one line per test, the details of each failure, the ten slowest files, the ten processes that used the most
// processor time, and on the last line `N passed, N failed, N skipped`.
import { inspect } from "node:util"
import { existsSync } from "node:fs"
import { processorTime } from "./test-cpu.mjs"
import { sourceOf } from "./test-plan.mjs"

const isCi = process.env.VITALMOTE_CI === "1"
const shownFiles = 10

export default async function* report(events) {
    const checks = Object.values(JSON.parse(process.env.VITALMOTE_CHECKS ?? "{}"))
    const count = { passed: checks.filter(Boolean).length, skipped: 0 }
    const failures = checks.filter(holds => !holds).map(() => undefined)
    const times = new Times()
    for await (const { type, data } of events) {
        if (type === "test:stderr" || type === "test:stdout") yield data.message
        if (type !== "test:pass" && type !== "test:fail") continue
        const file = data.file ? sourceOf(data.file) : ""
        if (data.nesting === 0) times.add(file, data.name, data.details.duration_ms)
        const skip = data.skip !== undefined && data.skip !== false
        if (data.details?.type === "suite") continue
        if (skip && isCi && !lacksShared(String(data.skip))) {
            failures.push({ file, name: data.name, error: `skipped: ${data.skip}` })
            yield `FAIL ${file}: ${data.name} (skipped: ${data.skip})\n`
        } else if (skip) {
            count.skipped++
            yield `SKIP ${file}: ${data.name} (${data.skip === true ? "no reason given" : data.skip})\n`
        } else if (type === "test:pass") {
            count.passed++
            yield `ok   ${file}: ${data.name} (${Math.round(data.details.duration_ms)} ms)\n`
        } else if (data.details.error?.failureType !== "subtestsFailed") {
            failures.push({ file, name: data.name, error: data.details.error })
            yield `FAIL ${file}: ${data.name}\n`
        }
    }
    for (const failure of failures.filter(Boolean)) {
        const cause = failure.error?.cause ?? failure.error
        yield `\n--- ${failure.file}: ${failure.name}\n${cause?.stack ?? cause?.message ?? inspect(cause)}\n`
    }
    const cpu = processorTime(Number(process.env.VITALMOTE_CHECKS_SECONDS ?? 0))
    yield `\n${times.slowest()}${cpu}\n${count.passed} passed, ${failures.length} failed, ${count.skipped} skipped\n`
}

/** Whether the reason names a missing file in `../shared`; a clone does not include that folder. */
function lacksShared(reason) {
    const path = /\.\.\/shared\/[\w./-]*\w/.exec(reason)?.[0]
    return path !== undefined && !existsSync(path)
}

/** The time that the tests of each file took in sequence. */
class Times {
    files = new Map()

    add(file, name, ms) {
        const known = this.files.get(file) ?? { ms: 0, tests: 0, longestMs: 0, longest: "" }
        known.ms += ms
        known.tests++
        if (ms > known.longestMs) Object.assign(known, { longestMs: ms, longest: name })
        this.files.set(file, known)
    }

    slowest() {
        return [...this.files]
            .sort(([, a], [, b]) => b.ms - a.ms)
            .slice(0, shownFiles)
            .map(([file, { ms, tests, longestMs, longest }]) => {
                const most = tests > 1 ? `${tests} tests, ${seconds(longestMs)} of them: ${longest}` : longest
                return `slow ${seconds(ms).padStart(7)} ${file} (${most})\n`
            })
            .join("")
    }
}

function seconds(ms) {
    return `${(ms / 1000).toFixed(1)} s`
}
