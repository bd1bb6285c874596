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

for (const [grown, withinS] of [
    [1, 30],
    [2, 110],
    [2.5, 60],
] as const)
    test(`a heart block, 38 after 75 bpm, a pulse of ${grown} times the height, no accelerometer: back within ${withinS} s`, async () => {
        const blockS = 120
        const bpm: [number, number][] = [
            [blockS, 75],
            [blockS + 4, 38],
        ]
        const perfusion: [number, number][] = [
            [blockS, 0.01],
            [blockS + 4, 0.01 * grown],
        ]
        for (const seed of [1, 2, 3]) {
            const body = syntheticBody({ seed, variability: 0.02, bpm, perfusion })
            const windows = await runHeart(sample(body, blockS + withinS + 12, seed, false))
            const late = windows.filter(({ t }) => t > blockS + withinS)
            assert.ok(late.length > 4)
            for (const { t, bpm } of late)
                assert.ok(bpm !== null && Math.abs(bpm - 38) < 5, `${seed}: ${bpm} at ${t} s`)
        }
    })
