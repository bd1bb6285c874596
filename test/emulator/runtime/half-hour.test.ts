// What a mote costs its processor, on the real runtime; only where VITALMOTE_RUNTIME names one, and with --long.
import assert from "node:assert/strict"
import { reportOf } from "../../../emulator/report.ts"
import { World } from "../../proof/world.ts"
import { longTest } from "../../support/long.ts"
import { checkNonces, live } from "./silicon.ts"

/** Loading the program takes the runtime one long pass. */
const startS = 5
const mostPassMs = 60
const mostShare = 0.19
/** To start, to find the chips, and to measure for the first time. */
const settledS = 20

for (const scheme of ["coap+tcp", "mqtt"])
    longTest(
        `half an hour of sensing over ${scheme}: no pass of the main loop is long, and the processor rests`,
        async t => {
            const world = new World(12)
            t.after(() => world.close())
            const life = await live(world, { scheme })
            const { board } = life.mote
            await life.run(startS)
            const { longestPassNanos } = board.activity
            board.activity.longestPassNanos = 0
            const usage = process.cpuUsage()
            await life.run(1800 - startS)
            const { user, system } = process.cpuUsage(usage)
            const report = reportOf(board, (user + system) / 1000)
            t.diagnostic(`first ${startS} s: a pass of ${longestPassNanos / 1e6} ms; ${checkNonces(world)} envelopes`)
            t.diagnostic(JSON.stringify(report))
            assert.deepEqual(life.events, [])
            assert.ok(report.longestPassMs <= mostPassMs, String(report.longestPassMs))
            assert.ok(report.cpuShare <= mostShare, String(report.cpuShare))
        },
    )

longTest("ten minutes of sensing without a network: the processor rests", async t => {
    const world = new World(12)
    t.after(() => world.close())
    const life = await live(world, { isOffline: true })
    const { board } = life.mote
    await life.run(settledS)
    const { nanos, activity } = board
    const { idleNanos } = activity
    await life.run(600)
    const share = 1 - (activity.idleNanos - idleNanos) / (board.nanos - nanos)
    t.diagnostic(`${(100 * share).toFixed(1)} % of its processor`)
    assert.deepEqual(life.events, [])
    assert.ok(share <= mostShare, String(share))
})
