// The estimator's sources run by Node, as the sweeps of exercises do, give what the bytecode gives.
import assert from "node:assert/strict"
import { test } from "node:test"
import { runHeart } from "../../bench/heart/host.ts"
import { sample } from "../../bench/heart/sample.ts"
import { syntheticBody } from "../../sim/body/index.ts"
import { sense } from "./sense.ts"

test("rest, a run and rest: the same values from Node and from the mote's VM", async () => {
    const motion = [{ fromS: 20, toS: 50, kind: "running" as const, cadence: 160, strength: 2 }]
    const body = syntheticBody({ seed: 11, bpm: 100, motion })
    const { readings } = await sense(body, 70)
    const windows = await runHeart(sample(body, 70, 1, true))
    const onMote = readings.filter(({ atMs }) => atMs >= 7900).map(({ bpm }) => bpm ?? null)
    const onHost = windows.filter(({ t }) => t >= 8).map(({ bpm }) => bpm)
    // The noise of the chips and the first moment differ.
    const pairs = onHost.slice(0, onMote.length).map((bpm, i) => [bpm, onMote[i]!] as const)
    const near = pairs.filter(([a, b]) => (a === null ? b === null : b !== null && Math.abs(a - b) < 2))
    assert.ok(pairs.length >= 28, String(pairs.length))
    assert.ok(near.length >= 0.9 * pairs.length, JSON.stringify(pairs))
    assert.ok(onHost.filter(bpm => bpm !== null).length > 20)
})
