import assert from "node:assert/strict"
import { test } from "node:test"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

test("sleep lasts its full time, and a slice ends in the main loop", async () => {
    const clock = new VirtualClock()
    const log: [line: string, ms: number][] = []
    const { run, panics } = await runProgram("test/src/sleep.ts", {
        clock,
        log: line => log.push([line, clock.now()]),
    })
    await run(20)
    assert.deepEqual(
        log.map(([line]) => line),
        ["start", "slept", "yielded", "waited", "raised"],
    )
    const expected = { slept: [300, 310], yielded: [1, 3], waited: [100, 103], raised: [0, 1] }
    let before = log[0]![1]
    for (const [i, [line, [least, most]]] of Object.entries(expected).entries()) {
        const at = log[i + 1]![1]
        assert.ok(at - before >= least! && at - before <= most!, `${line} after ${at - before} ms`)
        before = at
    }
    assert.deepEqual(panics, [])
})
