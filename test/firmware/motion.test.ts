import assert from "node:assert/strict"
import { test } from "node:test"
import { syntheticBody, type Body, type MotionKind } from "../../sim/body/index.ts"
import { wearableChips } from "../../sim/devices/chips.ts"
import type { Fault } from "../../sim/devices/faults.ts"
import { Lsm6dso } from "../../sim/devices/lsm6dso.ts"
import { Max30102 } from "../../sim/devices/max30102.ts"
import { sampled } from "../support/long.ts"
import { sense, type SensedReading } from "./sense.ts"

const fromS = 30
const toS = 110
const restS = 30

interface Moves {
    kind: MotionKind
    cadence: number
    strength: number
    bpm: number
    /** The share of the values that there is at least; the others are said to be motion. 0.9 unless said otherwise. */
    least?: number
}

/** At rest, moving, at rest again. */
function mover({ kind, cadence, strength, bpm }: Moves): Body {
    const motion = [{ fromS, toS, kind, cadence, strength }]
    return syntheticBody({ seed: bpm + cadence, bpm, motion })
}

/** The same light, without acceleration. */
const unfelt = (body: Body): Body => ({
    reflectance: (led, seconds) => body.reflectance(led, seconds),
    skinTemperature: seconds => body.skinTemperature(seconds),
})

/** An attack: from one beat to the next a rest becomes a tachycardia. */
const attackS = 60
function attacked(bpm: number): Body {
    const course: [number, number][] = [
        [attackS, 72],
        [attackS + 1, bpm],
    ]
    return syntheticBody({ seed: bpm, bpm: course, motion: [] })
}

for (const bpm of sampled([150, 180, 120])) {
    test(`an attack of ${bpm} bpm is believed within 24 s with an accelerometer, later without`, async () => {
        const body = attacked(bpm)
        const firstOf = async (body: Body) => {
            const { readings } = await sense(body, attackS + 30)
            const during = within(readings, attackS + 8, attackS + 30)
            assert.ok(errors(during, bpm).every(error => error < 8))
            return during.find(reading => reading.bpm !== undefined)?.atMs ?? Infinity
        }
        const first = await firstOf(body)
        assert.ok(first <= (attackS + 24) * 1000, `${first} ms`)
        assert.ok((await firstOf(unfelt(body))) > first)
    })
}

const within = (readings: SensedReading[], from: number, to: number) =>
    readings.filter(({ atMs }) => atMs > from * 1000 && atMs <= to * 1000)

const errors = (readings: SensedReading[], bpm: number) =>
    readings.flatMap(reading => (reading.bpm === undefined ? [] : [Math.abs(reading.bpm - bpm)]))

const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length

const steps: Moves[] = [
    { kind: "running", cadence: 160, bpm: 120, strength: 2 },
    { kind: "running", cadence: 170, bpm: 145, strength: 2 },
    { kind: "walking", cadence: 110, bpm: 85, strength: 2, least: 0.5 },
]
for (const moves of sampled(steps)) {
    const what = `${moves.kind} at ${moves.cadence} steps, ${moves.bpm} bpm`
    test(`${what}: a rate with an accelerometer, hardly any without`, async () => {
        const body = mover(moves)
        const { readings, panics } = await sense(body, toS + restS)
        const during = within(readings, fromS + 4, toS)
        const reported = errors(during, moves.bpm)
        assert.ok(reported.length >= (moves.least ?? 0.9) * during.length, `${reported.length} of ${during.length}`)
        assert.ok(mean(reported) < 4, `mean absolute error ${mean(reported)}`)
        assert.deepEqual(panics, [])

        const guessed = within((await sense(unfelt(body), toS)).readings, fromS + 4, toS)
        assert.ok(errors(guessed, moves.bpm).length < 0.3 * guessed.length)
    })
}

const swings: Moves[] = [
    { kind: "swinging", cadence: 50, bpm: 72, strength: 2 },
    { kind: "swinging", cadence: 55, bpm: 75, strength: 3, least: 0.4 },
    // Once at least; a strong swing at two thirds of the pulse is silenced for most of it.
    { kind: "swinging", cadence: 60, bpm: 85, strength: 3, least: 0.01 },
]
for (const moves of sampled(swings))
    test(`an arm swings ${moves.cadence} times a minute: ${moves.bpm} bpm or motion`, async () => {
        const { readings } = await sense(mover(moves), toS + restS)
        for (const { bpm, motion, atMs } of within(readings, 10, toS + restS))
            assert.ok(bpm === undefined ? motion : Math.abs(bpm - moves.bpm) < 8, `${bpm} at ${atMs} ms`)
        const during = within(readings, fromS, toS)
        assert.ok(errors(during, moves.bpm).length >= (moves.least ?? 0.9) * during.length)
    })

test("a pulse at exactly the step rate: that rate or motion, and the pulse is back at rest", async () => {
    const moves: Moves = { kind: "walking", cadence: 100, bpm: 100, strength: 2 }
    const { readings } = await sense(mover(moves), toS + restS)
    for (const { bpm, motion, atMs } of within(readings, 10, toS + restS))
        assert.ok(bpm === undefined ? motion : Math.abs(bpm - 100) < 10, `${bpm} at ${atMs} ms`)
    const after = within(readings, toS + 14, toS + restS)
    assert.ok(after.every(({ bpm }) => Math.abs(bpm! - 100) < 5))
})

test("an accelerometer at rest changes nothing", async () => {
    const body = syntheticBody({ seed: 21, bpm: 64 })
    const { readings } = await sense(body, 60)
    assert.ok(errors(readings, 64).length > 25)
    const without = (await sense(unfelt(body), 60)).readings
    // The thermometer converts at other moments, with other noise.
    const light = (all: SensedReading[]) => all.map(reading => ({ ...reading, tempC: undefined }))
    assert.deepEqual(light(readings), light(without))
})

for (const oscillatorError of sampled([-0.03, 0.03]))
    test(`clocks apart: 26 Hz of an LSM6DSO, light ${100 * oscillatorError} % off`, async () => {
        const moves: Moves = { kind: "running", cadence: 160, bpm: 120, strength: 2 }
        const body = mover(moves)
        const { readings } = await sense(body, toS, clock => [
            new Max30102({ clock, body, oscillatorError }),
            new Lsm6dso({ clock, body }),
        ])
        const during = within(readings, fromS + 4, toS)
        // The mote counts samples, so its rate is off by the error of their clock.
        const reported = errors(during, moves.bpm / (1 + oscillatorError))
        assert.ok(reported.length >= 0.9 * during.length, `${reported.length} of ${during.length}`)
        assert.ok(mean(reported) < 4, `mean absolute error ${mean(reported)}`)
    })

for (const kind of sampled(["nack", "reset", "overflow"] as const))
    test(`accelerometer ${kind} on the run: no false rate, and it is made use of again`, async () => {
        const moves: Moves = { kind: "running", cadence: 160, bpm: 120, strength: 2 }
        const body = mover(moves)
        const faults: Fault[] = [{ chip: "accelerometer", kind, fromS: 50, toS: 62 }]
        const { readings, panics } = await sense(body, toS, clock => wearableChips(clock, body, 1, { faults }))
        const wrong = errors(readings, 120).filter(error => error > 12)
        assert.deepEqual(wrong, [])
        const after = within(readings, 80, toS)
        assert.ok(errors(after, 120).length >= 0.8 * after.length)
        assert.deepEqual(panics, [])
    })
