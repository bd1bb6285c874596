// A mote whose crystal is off: the times of its readings are still right.
import assert from "node:assert/strict"
import { test } from "node:test"
import type { Clock } from "../../host/clock.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { virtualStartMs } from "../../sim/time/clock.ts"
import { sampled } from "../support/long.ts"
import { ScriptedRouter, upTo } from "./scripted-router.ts"

/** The same time, counted by a crystal that is `ppm` too fast. */
function skewed(clock: Clock, ppm: number): Clock {
    const rate = 1 + ppm / 1e6
    return {
        now: () => virtualStartMs + (clock.now() - virtualStartMs) * rate,
        setTimeout: (fn, ms) => clock.setTimeout(fn, ms / rate),
        clearTimeout: timer => clock.clearTimeout(timer),
    }
}

for (const ppm of sampled([-100, 100]))
    test(`a crystal ${ppm} ppm off: times right to 100 ms with receipts, over an hour without, and afterwards`, async () => {
        const router = new ScriptedRouter()
        const { clock } = router
        const madeAt: number[] = []
        const everyMs = 30_000
        const count = 188
        const { panics } = await runProgram("test/src/uplink.ts", {
            clock: skewed(clock, ppm),
            connect: router.connect,
            settings: { ...router.settings, everyMs, count, loud: true },
            log: line => {
                if (line.startsWith("reading ")) madeAt[Number(line.slice(8))] = clock.now()
            },
        })
        await clock.run(1_500_000)
        router.isReachable = false
        for (const { stream } of router.connections) stream.destroy()
        await clock.run(4_000_000)
        router.isReachable = true
        await clock.run(200_000)
        assert.deepEqual(panics, [])
        assert.deepEqual(router.readings, upTo(count))
        let worst = 0
        for (const post of router.posts)
            for (const { name, relative, time, value } of post.measurements) {
                if (name !== "hr") continue
                const number = Math.round((value - 30) * 10)
                assert.equal(relative, number === 0)
                worst = Math.max(worst, Math.abs(time - madeAt[number]!))
            }
        assert.ok(worst < 100, `${worst} ms off`)
    })
