import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test, type TestContext } from "node:test"
import { emptyStrap, recordingFile, syntheticBody, type Body, type MotionBout } from "../../sim/body/index.ts"
import { seededNormal } from "../../sim/time/random.ts"
import { sharedFile } from "../support/shared.ts"
import { sense, type SensedReading } from "./sense.ts"

const rates = (readings: SensedReading[]) => readings.flatMap(({ bpm }) => (bpm === undefined ? [] : [bpm]))

for (const bpm of [45, 72, 120, 180])
    test(`a resting wearer at ${bpm} bpm`, async () => {
        const { readings, panics } = await sense(syntheticBody({ seed: bpm, bpm }), 60)
        const late = readings.filter(({ atMs }) => atMs > 11_000)
        assert.ok(late.length >= 23)
        for (const reading of late) {
            assert.ok(Math.abs(reading.bpm! - bpm) < 6, `${reading.bpm} at ${reading.atMs} ms`)
            assert.ok(reading.quality > 0.5 && reading.quality <= 1)
            assert.equal(reading.motion, false)
        }
        const mean = rates(late).reduce((a, b) => a + b) / late.length
        assert.ok(Math.abs(mean - bpm) < 1.5, `mean ${mean}`)
        assert.deepEqual(panics, [])
    })

test("below the configured quality no rate is reported, and everything else is unaffected", async () => {
    const body = () => syntheticBody({ seed: 72, bpm: 72 })
    const all = (await sense(body(), 60)).readings
    const qualities = all.filter(({ bpm }) => bpm !== undefined).map(({ quality }) => quality)
    const gate = Math.round(100 * qualities.sort((a, b) => a - b)[qualities.length >> 1]!)
    const { readings } = await sense(body(), 60, undefined, { quality: gate })
    const expected = all.map(({ bpm, ...rest }) =>
        rest.quality * 100 >= gate && bpm !== undefined ? { bpm, ...rest } : rest,
    )
    assert.deepEqual(readings, expected)
    const reported = rates(readings).length
    assert.ok(reported > 0 && reported < rates(all).length, "the gate lets some through")
})

test("readings come every 2 s on the grid of the samples", async () => {
    const { readings } = await sense(syntheticBody({ seed: 2 }), 30)
    for (let i = 1; i < readings.length; i++) assert.equal(readings[i]!.atMs - readings[i - 1]!.atMs, 2000)
})

test("the rate is tracked up and down", async () => {
    const bpm: [number, number][] = [
        [20, 60],
        [80, 130],
        [100, 130],
        [160, 70],
    ]
    const { readings } = await sense(syntheticBody({ seed: 4, bpm }), 190)
    const at = (seconds: number) => readings.find(({ atMs }) => Math.abs(atMs - seconds * 1000) <= 1000)!.bpm!
    assert.ok(Math.abs(at(18) - 60) < 4)
    assert.ok(Math.abs(at(98) - 130) < 5)
    assert.ok(Math.abs(at(186) - 70) < 4)
})

test("nobody wears it: no rate and no temperature", async () => {
    const { readings, panics } = await sense(emptyStrap, 600)
    assert.ok(readings.length > 290)
    assert.deepEqual(rates(readings), [])
    assert.ok(readings.every(({ tempC, motion }) => tempC === undefined && !motion))
    assert.deepEqual(panics, [])
})

/** Light that changes without a pulse, on warm skin. */
const lit = (change: (seconds: number) => number): Body => ({
    reflectance: (_, seconds) => 260 * (1 + change(seconds)),
    skinTemperature: () => 33,
})

/** A new number for each conversion, the same for both LEDs. */
function drawn(draw: () => number): (seconds: number) => number {
    let last = -1
    let value = 0
    return seconds => {
        if (seconds !== last) value = draw()
        last = seconds
        return value
    }
}

const white = seededNormal(11)
const steps = seededNormal(12)
let walk = 0
const noPulse: [string, Body][] = [
    ["a lifeless surface", lit(() => 0)],
    ["weak white noise", lit(drawn(() => 0.0005 * white()))],
    ["strong white noise", lit(drawn(() => 0.01 * white()))],
    ["a wandering level", lit(drawn(() => (walk = 0.9999 * walk + 0.0003 * steps())))],
    ["drift", lit(seconds => 0.1 * Math.sin(seconds / 30) + 0.03 * Math.sin(seconds / 4))],
    ["breath alone", lit(seconds => 0.01 * Math.sin(2 * Math.PI * 0.25 * seconds))],
    ["a lamp at 120 Hz", lit(seconds => 0.01 * Math.abs(Math.sin(2 * Math.PI * 60 * seconds)))],
]
for (const [name, body] of noPulse)
    test(`${name} is no pulse`, async () => {
        const { readings } = await sense(body, 400)
        assert.deepEqual(rates(readings), [])
    })

test("pulse and temperature end when the strap comes off, and come back when it is put on", async () => {
    const body = syntheticBody({ seed: 6, bpm: 80, off: [{ fromS: 60, toS: 120 }] })
    const { readings } = await sense(body, 320)
    const between = (from: number, to: number) => readings.filter(({ atMs }) => atMs > from * 1000 && atMs < to * 1000)
    assert.ok(rates(between(12, 58)).length >= 22)
    assert.deepEqual(rates(between(64, 120)), [])
    assert.ok(between(64, 120).every(({ tempC }) => tempC === undefined))
    assert.ok(rates(between(134, 318)).length > 86)
    // Warming up again: no value before it has settled, then the correct one.
    const warm = between(120, 320).flatMap(({ tempC }) => (tempC === undefined ? [] : [tempC]))
    assert.ok(warm.length > 5)
    for (const celsius of warm) assert.ok(Math.abs(celsius - 36.7) < 0.25, `${celsius}`)
})

test("a fever shows in the temperature", async () => {
    const coreC: [number, number][] = [
        [60, 37],
        [660, 39],
    ]
    const { readings } = await sense(syntheticBody({ seed: 3, coreC }), 720)
    assert.ok(Math.abs(readings[25]!.tempC! - 36.7) < 0.1)
    assert.ok(Math.abs(readings.at(-1)!.tempC! - 38.7) < 0.1)
})

test("movement is reported as motion; the pulse returns afterwards", async () => {
    const motion = [{ fromS: 60, toS: 120, cadence: 76, strength: 8 }]
    const { readings } = await sense(syntheticBody({ seed: 8, bpm: 100, motion }), 200)
    const during = readings.filter(({ atMs }) => atMs > 64_000 && atMs < 120_000)
    assert.ok(during.filter(({ motion }) => motion).length > 0.9 * during.length)
    const reported = rates(readings)
    assert.ok(
        reported.every(bpm => Math.abs(bpm - 100) < 8),
        reported.join(),
    )
    const after = readings.filter(({ atMs }) => atMs > 150_000)
    assert.ok(after.every(({ bpm }) => Math.abs(bpm! - 100) < 5))
})

test("taps 90 times a minute that no accelerometer feels do not halve 75 bpm", async () => {
    const motion: MotionBout[] = [{ fromS: 30, toS: 110, kind: "tapping", cadence: 90, strength: 2 }]
    const body = syntheticBody({ seed: 2, bpm: 75, motion })
    const unfelt: Body = {
        reflectance: (led, seconds) => body.reflectance(led, seconds),
        skinTemperature: seconds => body.skinTemperature(seconds),
    }
    const reported = rates((await sense(unfelt, 110)).readings)
    assert.ok(reported.length > 10)
    for (const bpm of reported) assert.ok(Math.abs(bpm - 75) < 10, `${bpm}`)
})

test("too much light for the converter at any current: no value", async () => {
    const blinded: Body = { reflectance: () => 30_000, skinTemperature: () => 35 }
    const { readings } = await sense(blinded, 30)
    assert.ok(readings.length >= 13)
    assert.deepEqual(rates(readings), [])
})

test("no chip at all: readings without values, and no crash", async () => {
    const { readings, panics } = await sense(emptyStrap, 20, () => [])
    assert.ok(readings.length >= 8)
    assert.ok(readings.every(({ bpm, tempC }) => bpm === undefined && tempC === undefined))
    assert.deepEqual(panics, [])
})

/** The values for a recording's windows of 8 s with a reference. Undefined if the recording is missing. */
async function recorded(t: TestContext, name: string) {
    const file = sharedFile(t, `ppg/${name}.csv`)
    if (!file) return undefined
    const { fs, ref_bpm } = JSON.parse(readFileSync(file.replace(".csv", ".json"), "utf8")) as {
        fs: number
        ref_bpm: (number | null)[]
    }
    const body = recordingFile(file, fs)
    const { readings } = await sense(body, body.durationS + 4)
    // The first sample is the start of the recording; a window of the reference ends every 2 s from 8 s on.
    const windows = ref_bpm.flatMap((ref, n) => (ref === null ? [] : [{ ref, ...readings[n + 3]! }]))
    const errors = windows.flatMap(({ ref, bpm }) => (bpm === undefined ? [] : [Math.abs(bpm - ref)]))
    const moved = windows.filter(({ motion, bpm }) => motion && bpm === undefined)
    return { windows: windows.length, errors, moved: moved.length }
}

for (const name of ["bidmc01_125hz", "heartpy2_117hz", "heartpy3_100hz"])
    test(`${name}, at rest: 95 % of the windows are reported, with a mean error of 1 bpm at most`, async t => {
        const result = await recorded(t, name)
        if (!result) return
        const { windows, errors } = result
        const mean = errors.reduce((a, b) => a + b) / errors.length
        t.diagnostic(`${errors.length} of ${windows} windows, mean error ${mean.toFixed(2)} bpm`)
        assert.ok(errors.length >= 0.95 * windows, `${errors.length} of ${windows}`)
        assert.ok(mean <= 1, `${mean} bpm`)
        assert.ok(errors.filter(error => error > 5).length <= Math.ceil(0.005 * errors.length))
    })

for (const name of ["troika_01_type01_25hz", "troika_03_type02_25hz"])
    test(`${name}, running: 90 % of the values are within 5 bpm; without a value it says motion`, async t => {
        const result = await recorded(t, name)
        if (!result) return
        const { windows, errors, moved } = result
        t.diagnostic(`${errors.length} of ${windows} windows`)
        assert.ok(errors.length >= 0.05 * windows, `${errors.length} of ${windows}`)
        assert.ok(errors.filter(error => error <= 5).length >= 0.9 * errors.length)
        assert.ok(moved >= 0.8 * (windows - errors.length), `${moved} of ${windows}`)
    })

test("a run that began before the measurement: wrong in at most one of 20 windows", async t => {
    const file = sharedFile(t, "ppg/troika_01_type01_25hz.csv")
    if (!file) return
    const { fs, ref_bpm } = JSON.parse(readFileSync(file.replace(".csv", ".json"), "utf8")) as {
        fs: number
        ref_bpm: (number | null)[]
    }
    const body = recordingFile(file, fs)
    body.reflectance("infrared", 0) // the recording starts with its first sample
    const errors: number[] = []
    let windows = 0
    for (const from of [30, 45, 60, 75, 90, 105]) {
        const late: Body = {
            reflectance: (led, seconds) => body.reflectance(led, seconds + 2 * from),
            skinTemperature: seconds => body.skinTemperature(seconds),
        }
        const { readings } = await sense(late, 28)
        readings.slice(3).forEach(({ bpm }, n) => {
            const ref = ref_bpm[from + n]
            if (ref === null || ref === undefined) return
            windows++
            if (bpm !== undefined) errors.push(Math.abs(bpm - ref))
        })
    }
    const wrong = errors.filter(error => error > 5).length
    t.diagnostic(`${errors.length} of ${windows} windows, ${wrong} off by more than 5 bpm`)
    assert.ok(wrong <= 0.05 * windows)
})
