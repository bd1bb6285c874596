import assert from "node:assert/strict"
import { test } from "node:test"
import { LogSummary } from "../../host/log-summary.ts"
import { silentLog } from "../../host/log.ts"
import { ManualClock } from "../support/clock.ts"

test("a summary says at once what happens first, and then once a minute how often", async () => {
    const clock = new ManualClock()
    const lines: object[] = []
    const summary = new LogSummary("refused", { clock, log: { ...silentLog, info: fields => void lines.push(fields) } })
    summary.count("a")
    for (let i = 0; i < 1000; i++) summary.count(i % 2 ? "a" : "b")
    assert.deepEqual(lines, [{ a: 1 }])
    await clock.advance(60_000)
    assert.deepEqual(lines.at(-1), { a: 500, b: 500 })
    await clock.advance(60_000)
    summary.count("c")
    assert.deepEqual(lines, [{ a: 1 }, { a: 500, b: 500 }, { c: 1 }])
    for (let i = 0; i < 100; i++) summary.count(`reason ${i}`)
    await clock.advance(60_000)
    assert.equal(Object.keys(lines.at(-1)!).length, 17)
})
