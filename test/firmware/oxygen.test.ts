import assert from "node:assert/strict"
import { test } from "node:test"
import { emptyStrap, syntheticBody, type Body, type SyntheticOptions } from "../../sim/body/index.ts"
import { sense, type SensedReading } from "./sense.ts"
import { sampled } from "../support/long.ts"

/** The readings with a saturation. */
const saturations = (readings: SensedReading[]) =>
    readings.flatMap(({ atMs, spo2 }) => (spo2 === undefined ? [] : [{ atMs, spo2 }]))

/** Saturations of a synthetic wearer. */
async function worn(options: SyntheticOptions, seconds = 100) {
    return saturations((await sense(syntheticBody(options), seconds)).readings)
}

for (const spo2 of sampled([75, 97, 80, 85, 90, 94, 100], 2))
    test(`a resting wearer with ${spo2} % is reported within 2 %`, async () => {
        const found = await worn({ seed: spo2, spo2, perfusion: 0.01 })
        assert.ok(found.length >= 11, `${found.length} values`)
        for (const value of found) assert.ok(Math.abs(value.spo2 - spo2) < 2 && value.spo2 <= 100, `${value.spo2}`)
    })

test("a value every 8 s, in the reading that ends them, the first with the first heart rate", async () => {
    const { readings } = await sense(syntheticBody({ seed: 1, spo2: 97 }), 100)
    const found = saturations(readings)
    assert.equal(found[0]!.atMs, readings.find(({ bpm }) => bpm !== undefined)!.atMs)
    for (let i = 1; i < found.length; i++) assert.equal(found[i]!.atMs - found[i - 1]!.atMs, 8000)
})

/** The light of a wearer, without acceleration. */
function seen(body: Body): Body {
    return {
        reflectance: (led, seconds) => body.reflectance(led, seconds),
        skinTemperature: seconds => body.skinTemperature(seconds),
    }
}

for (const [spo2, bpm] of sampled([
    [80, 72],
    [92, 45],
    [97, 150],
] as const))
    test(`a pulse of 0.1 %: ${spo2} % at ${bpm} bpm within 3 %`, async () => {
        const found = await worn({ seed: bpm, spo2, bpm, perfusion: 0.001 }, 300)
        assert.ok(found.length >= 25, `${found.length} values`)
        for (const value of found) assert.ok(Math.abs(value.spo2 - spo2) < 3, `${value.spo2}`)
        const mean = found.reduce((sum, value) => sum + value.spo2, 0) / found.length
        assert.ok(Math.abs(mean - spo2) < 0.6, `mean ${mean}`)
    })

test("a pulse of 0.02 % gives a rate, but no saturation", async () => {
    const { readings } = await sense(syntheticBody({ seed: 4, perfusion: 0.0002 }), 200)
    assert.ok(readings.some(({ bpm }) => bpm !== undefined))
    assert.deepEqual(saturations(readings), [])
})

test("the saturation falls and rises with the wearer's", async () => {
    const low: Body = syntheticBody({ seed: 5, spo2: 84 })
    const high: Body = syntheticBody({ seed: 5, spo2: 96 })
    const body: Body = {
        ...high,
        reflectance: (led, s) => (s > 60 && s < 120 ? low : high).reflectance(led, s),
        skinTemperature: () => 36,
    }
    const found = saturations((await sense(body, 180)).readings)
    const between = (from: number, to: number) => found.filter(({ atMs }) => atMs > from * 1000 && atMs < to * 1000)
    for (const { spo2 } of between(0, 60)) assert.ok(Math.abs(spo2 - 96) < 2, `${spo2}`)
    for (const { spo2 } of between(72, 120)) assert.ok(Math.abs(spo2 - 84) < 2, `${spo2}`)
    for (const { spo2 } of between(132, 180)) assert.ok(Math.abs(spo2 - 96) < 2, `${spo2}`)
    assert.ok(between(72, 120).length >= 4 && between(132, 180).length >= 4)
})

test("movement affects red and infrared equally, which would read 85 %: no value", async () => {
    const motion = [{ fromS: 40, toS: 100, cadence: 76, strength: 8 }]
    const found = await worn({ seed: 8, bpm: 100, spo2: 97, motion }, 140)
    assert.ok(found.length >= 4)
    assert.deepEqual(
        found.filter(({ atMs }) => atMs > 42_000 && atMs < 100_000),
        [],
    )
    for (const { spo2 } of found) assert.ok(Math.abs(spo2 - 97) < 2, `${spo2}`)
})

for (const strength of sampled([0.4, 0.2, 0.8]))
    test(`movement of ${strength} of the pulse, too little to hide the rate: no value or the right one`, async () => {
        const motion = [{ fromS: 0, toS: 200, cadence: 50, strength }]
        for (const { spo2 } of await worn({ seed: 9, spo2: 97, motion }, 120))
            assert.ok(Math.abs(spo2 - 97) < 2, `${spo2}`)
    })

for (const kind of sampled(["walking", "fidgeting"] as const))
    test(`${kind}: the accelerometer feels it, so there may be a rate, but no saturation`, async () => {
        const motion = [{ kind, fromS: 40, toS: 120, cadence: 65, strength: 2 }]
        const { readings } = await sense(syntheticBody({ seed: 1, bpm: 80, spo2: 97, motion }), 120)
        const moving = readings.filter(({ atMs }) => atMs > 44_000)
        assert.ok(moving.some(({ bpm }) => bpm !== undefined))
        assert.deepEqual(saturations(moving), [])
    })

test("without accelerometer, what makes the pulse grow and the saturation fall is movement", async () => {
    const motion = [{ fromS: 60, toS: 200, cadence: 65, strength: 2 }]
    for (const seed of [1, 2]) {
        const body = seen(syntheticBody({ seed, bpm: 80, spo2: 97, motion }))
        const found = saturations((await sense(body, 180)).readings)
        assert.ok(found.length >= 5)
        for (const { spo2 } of found) assert.ok(Math.abs(spo2 - 97) < 3, `${spo2}`)
    }
})

test("a jerk invalidates the 8 s that include it, not the next", async () => {
    const still = syntheticBody({ seed: 10, spo2: 96 })
    const body: Body = {
        skinTemperature: () => 36,
        reflectance: (led, s) => still.reflectance(led, s) * (s > 61 && s < 61.6 ? 0.9 : 1),
    }
    const found = saturations((await sense(body, 120)).readings)
    for (const { spo2 } of found) assert.ok(Math.abs(spo2 - 96) < 2, `${spo2}`)
    assert.ok(found.filter(({ atMs }) => atMs > 70_000).length >= 4)
})

const blind = (led: "red" | "infrared", counts: number): Body => {
    const wearer = syntheticBody({ seed: 11 })
    return {
        skinTemperature: () => 36,
        reflectance: (of, s) => (of === led ? counts : wearer.reflectance(of, s)),
    }
}
const absent: [string, Body][] = [
    ["nobody wears it", emptyStrap],
    ["the red LED is dead", blind("red", 0)],
    ["the infrared LED is dead", blind("infrared", 0)],
    ["red does not pulse", blind("red", 220)],
    ["red blinds the converter", blind("red", 2000)],
    ["a ratio beyond physiology: 60 %", syntheticBody({ seed: 12, spo2: 60 })],
    ["a ratio beyond physiology: 106 %", syntheticBody({ seed: 13, spo2: 106 })],
]
for (const [name, body] of absent)
    test(`${name}: no saturation`, async () => {
        const { readings, panics } = await sense(body, 90)
        assert.ok(readings.length > 40)
        assert.deepEqual(saturations(readings), [])
        assert.deepEqual(panics, [])
    })
