// Prints a line per test, the whole story of each failure, and at the very end `N passed, N failed, N skipped`.
import { relative } from "node:path"

export default async function* report(events) {
    const checks = Object.values(JSON.parse(process.env.VITALMOTE_CHECKS ?? "{}"))
    const count = { passed: checks.filter(Boolean).length, skipped: 0 }
    const failures = checks.filter(ok => !ok).map(() => undefined)
    for await (const { type, data } of events) {
        if (type === "test:stderr" || type === "test:stdout") yield data.message
        if (type !== "test:pass" && type !== "test:fail") continue
        const file = data.file ? relative(process.cwd(), data.file) : ""
        const skip = data.skip !== undefined && data.skip !== false
        if (data.details?.type === "suite") continue
        if (skip) {
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
        yield `\n--- ${failure.file}: ${failure.name}\n${cause?.stack ?? cause?.message ?? cause}\n`
    }
    yield `\n${count.passed} passed, ${failures.length} failed, ${count.skipped} skipped\n`
}
