import assert from "node:assert/strict"
import { test } from "node:test"
import { UserError } from "../../host/errors.ts"
import { emptyStrap, recordingBody, syntheticBody, type Body, type Led } from "../../sim/body/index.ts"

const range = (from: number, to: number, step: number) =>
    Array.from({ length: Math.round((to - from) / step) }, (_, i) => from + i * step)

/** Seconds at which the light falls fastest: the upstroke of each pulse. */
function beats(body: Body, fromS: number, toS: number): number[] {
    const step = 0.004
    const times = range(fromS, toS, step)
    const light = times.map(t => body.reflectance("infrared", t))
    const fall = light.map((v, i) => (light[i - 5] ?? v) - v)
    const limit = 0.6 * Math.max(...fall)
    const found: number[] = []
    fall.forEach((value, i) => {
        const isPeak = value > limit && value >= (fall[i - 1] ?? 0) && value > (fall[i + 1] ?? 0)
        if (isPeak && times[i]! - (found.at(-1) ?? -1) > 0.2) found.push(times[i]!)
    })
    return found
}

function bpm(body: Body, fromS: number, toS: number): number {
    const found = beats(body, fromS, toS)
    return (60 * (found.length - 1)) / (found.at(-1)! - found[0]!)
}

const sine = (hz: number, rate: number, seconds: number) =>
    range(0, seconds * rate, 1)
        .map(i => Math.sin((2 * Math.PI * hz * i) / rate).toFixed(6))
        .join("\n")

test("a synthetic wearer has the heart rate it was given, along its trajectory", () => {
    for (const rate of [45, 72, 120, 180]) {
        const measured = bpm(syntheticBody({ seed: 5, bpm: rate }), 0, 60)
        assert.ok(Math.abs(measured - rate) < 2, `${rate}: ${measured}`)
    }
    const rising = syntheticBody({
        seed: 1,
        bpm: [
            [60, 60],
            [120, 120],
        ],
    })
    assert.ok(Math.abs(bpm(rising, 0, 60) - 60) < 2)
    assert.ok(Math.abs(bpm(rising, 120, 180) - 120) < 3)
})

test("beats vary, and not at all when told so", () => {
    const deviation = (variability: number) => {
        const times = beats(syntheticBody({ seed: 9, variability }), 0, 120)
        const intervals = times.slice(1).map((t, i) => t - times[i]!)
        const mean = intervals.reduce((a, b) => a + b) / intervals.length
        return Math.sqrt(intervals.reduce((a, b) => a + (b - mean) ** 2, 0) / intervals.length)
    }
    assert.ok(deviation(0) < 0.008)
    assert.ok(deviation(0.04) > 0.02 && deviation(0.04) < 0.06)
})

test("the same seed is the same wearer, in whatever order one looks; another is not", () => {
    const light = (seed: number, times: number[]) => {
        const body = syntheticBody({
            seed,
            motion: [{ fromS: 3, toS: 6, cadence: 90, strength: 5 }],
        })
        return new Map(times.map(t => [t, body.reflectance("red", t)]))
    }
    const times = range(0, 10, 0.37)
    const forward = light(7, times)
    const backward = light(7, times.slice().reverse())
    for (const t of times) assert.equal(forward.get(t), backward.get(t))
    assert.notDeepEqual(forward, light(8, times))
})

test("perfusion is the pulse over the steady level; motion is larger; an empty strap is dark and cool", () => {
    const swing = (body: Body, from: number, to: number) => {
        const light = range(from, to, 0.02).map(t => body.reflectance("infrared", t))
        return (Math.max(...light) - Math.min(...light)) / Math.max(...light)
    }
    const calm = syntheticBody({ seed: 2, perfusion: 0.01 })
    assert.ok(swing(calm, 0, 2) > 0.008 && swing(calm, 0, 2) < 0.025, `${swing(calm, 0, 2)}`)
    const moving = syntheticBody({
        seed: 2,
        perfusion: 0.01,
        motion: [{ fromS: 0, toS: 9, cadence: 80, strength: 8 }],
    })
    assert.ok(swing(moving, 0, 9) > 4 * swing(calm, 0, 9))
    const off = syntheticBody({ seed: 2, off: [{ fromS: 10, toS: 400 }] })
    assert.equal(off.reflectance("infrared", 11), emptyStrap.reflectance("infrared", 11))
    assert.ok(Math.abs(off.skinTemperature(399) - emptyStrap.skinTemperature(399)) < 0.1)
})

test("temperature follows the fever, and warms up after the sensor was put on", () => {
    const fever = syntheticBody({
        seed: 1,
        putOn: true,
        coreC: [
            [300, 37],
            [900, 39.5],
        ],
        skinOffsetC: 0.3,
    })
    assert.ok(fever.skinTemperature(1) < 25)
    assert.ok(Math.abs(fever.skinTemperature(300) - 36.7) < 0.01)
    assert.ok(Math.abs(fever.skinTemperature(1000) - 39.2) < 0.01)
})

test("a recording comes back at any rate, upside down: more blood, less light", () => {
    for (const rate of [25, 32, 125, 1000]) {
        const body = recordingBody(sine(1.25, rate, 20), rate)
        const start = body.reflectance("infrared", 100) // looked at late: the recording begins now
        assert.equal(body.startedAt, 100)
        const top = body.reflectance("infrared", 100 + 8.2) // a quarter of a period
        const bottom = body.reflectance("infrared", 100 + 8.6)
        assert.ok(top < start && start < bottom)
        const perfusion = (bottom - top) / start
        assert.ok(perfusion > 0.011 && perfusion < 0.013, `${rate} Hz: ${perfusion}`)
    }
})

test("what a slower sampler would mistake for a pulse is filtered out", () => {
    // 26.2 Hz looks like 1.2 Hz when sampled at 25 Hz.
    const lines = range(0, 20 * 125, 1)
        .map(i => Math.sin((2 * Math.PI * 26.2 * i) / 125) + Math.sin((2 * Math.PI * 2 * i) / 125))
        .join("\n")
    const clean = recordingBody(sine(2, 125, 20), 125)
    const mixed = recordingBody(lines, 125, { perfusion: 0.02 })
    clean.reflectance("infrared", 0)
    mixed.reflectance("infrared", 0)
    const amplitude = (body: Body, hz: number) => {
        const times = range(5, 15, 0.04)
        const re = times.reduce((a, t) => a + body.reflectance("infrared", t) * Math.cos(2 * Math.PI * hz * t), 0)
        const im = times.reduce((a, t) => a + body.reflectance("infrared", t) * Math.sin(2 * Math.PI * hz * t), 0)
        return Math.hypot(re, im)
    }
    assert.ok(amplitude(mixed, 1.2) < 0.02 * amplitude(mixed, 2))
    assert.ok(amplitude(clean, 2) > 0)
})

test("a recording ends with the sensor taken off, or loops", () => {
    const csv = sine(1, 50, 4)
    const once = recordingBody(csv, 50)
    once.reflectance("red", 0)
    assert.equal(once.reflectance("red", 4.1), emptyStrap.reflectance("red", 4.1))
    assert.equal(once.skinTemperature(4.1), emptyStrap.skinTemperature(4.1))
    const looped = recordingBody(csv, 50, { loop: true })
    assert.ok(Math.abs(looped.reflectance("red", 0.5) - looped.reflectance("red", 8.5)) < 1e-6)
})

test("a file that is no recording gets one clear line", () => {
    const cases: [string, number, RegExp][] = [
        ["", 25, /x\.csv is empty/],
        ["1\n2\n3\n", 25, /x\.csv: 3 samples: at least 2 s/],
        ["1\n".repeat(99) + "x1\n", 25, /x\.csv: line 100: "x1" is not a number/],
        ["1.5,2\n".repeat(99), 25, /line 1: .*choose one with --column/],
        ["1e999\n".repeat(99), 25, /line 1: "1e999" is not a number/],
        ["1\n".repeat(99), 0, /sampling rate 0/],
        ["1\n".repeat(99), NaN, /sampling rate NaN/],
        ["\u0000\u0001\u0002".repeat(99), 25, /line 1: /],
    ]
    for (const [csv, rate, message] of cases)
        assert.throws(
            () => recordingBody(csv, rate, { name: "x.csv" }),
            (error: unknown) =>
                error instanceof UserError && message.test(error.message) && !error.message.includes("\n"),
        )
    recordingBody("ppg\r\n" + "1\r\n".repeat(99), 25)
})

test("melanin takes more of the red light than of the infrared, and makes a low saturation look a little higher", () => {
    const seconds = range(0, 4, 0.02)
    const light = (led: Led, melanin: number) => {
        const body = syntheticBody({ seed: 3, spo2: 75, variability: 0, melanin })
        return seconds.map(t => body.reflectance(led, t))
    }
    const passed = (led: Led) => light(led, 0.4)[0]! / light(led, 0)[0]!
    assert.ok(passed("red") < 0.4 && passed("infrared") > 0.5 && passed("infrared") < 0.8)
    const pulsation = (values: number[]) => 1 - Math.min(...values) / Math.max(...values)
    const ratio = (melanin: number) => pulsation(light("red", melanin)) / pulsation(light("infrared", melanin))
    assert.ok(ratio(0.4) < ratio(0) && ratio(0.4) > 0.97 * ratio(0), `${ratio(0.4)} ${ratio(0)}`)
})
