import assert from "node:assert/strict"
import { test } from "node:test"
import type { Body } from "../../sim/body/index.ts"
import { seededNormal, seededRandom } from "../../sim/time/random.ts"
import { isLong, sampled } from "../support/long.ts"
import { beatingBody, beats, meanBpm, type Beat, type BeatsOptions } from "./beats.ts"
import { sense } from "./sense.ts"

/** Values with the mean rate of their 8 s, and the number of windows. */
async function values(options: BeatsOptions, seconds: number) {
    const { readings, panics } = await sense(beatingBody(options), seconds)
    assert.deepEqual(panics, [])
    const windows = readings.filter(({ atMs }) => atMs >= 7900)
    const reported = windows.flatMap(({ atMs, bpm }) =>
        bpm === undefined ? [] : [{ bpm, ref: meanBpm(options.beats, atMs / 1000), atMs }],
    )
    return { windows: windows.length, reported }
}

function assertNear(reported: { bpm: number; ref: number; atMs: number }[], bpm: number): void {
    for (const { bpm: value, ref, atMs } of reported)
        assert.ok(Math.abs(value - ref) < bpm, `${value} instead of ${ref} at ${atMs} ms`)
}

const regular = (bpm: number, seconds: number, seed = bpm): Beat[] => {
    const normal = seededNormal(seed)
    return beats(seconds, () => (60 / bpm) * (1 + 0.02 * normal()))
}

test("a clear pulse is reported after 8 s", async () => {
    const { readings } = await sense(beatingBody({ beats: regular(70, 12) }), 12)
    const first = readings.find(({ bpm }) => bpm !== undefined)!
    assert.ok(first.atMs < 9000, `first value at ${first.atMs} ms`)
})

for (const bpm of sampled([34, 220, 48, 150, 200], 2))
    test(`a steady pulse of ${bpm} bpm is reported within 5 bpm`, async () => {
        const { windows, reported } = await values({ beats: regular(bpm, 60) }, 60)
        assert.ok(reported.length >= 0.8 * windows, `${reported.length} of ${windows}`)
        assertNear(reported, 5)
    })

for (const bpm of sampled([60, 45, 75, 86, 110]))
    test(`a strong reflected wave does not double ${bpm} bpm`, async () => {
        const { windows, reported } = await values({ beats: regular(bpm, 50), dicrotic: 0.85 }, 50)
        assert.ok(reported.length >= 0.85 * windows, `${reported.length} of ${windows}`)
        assertNear(reported, 4)
    })

test("alternating strong and weak pulses do not halve the rate", async () => {
    let n = 0
    const alternating = beats(
        60,
        () => 0.75,
        () => (n++ % 2 ? 0.6 : 1),
    )
    const { windows, reported } = await values({ beats: alternating }, 60)
    assert.ok(reported.length >= 0.85 * windows)
    assertNear(reported, 4)
})

test("ectopic beats: the mean rate", async () => {
    const random = seededRandom(3)
    let compensates = false
    const early = () => {
        if (compensates) {
            compensates = false
            return 1.35 * 0.75
        }
        compensates = random() < 0.1
        return (compensates ? 0.65 : 1) * 0.75
    }
    const { windows, reported } = await values(
        { beats: beats(120, early, interval => Math.min(1.1, (interval / 0.75) ** 2)) },
        120,
    )
    assert.ok(reported.length >= 0.8 * windows, `${reported.length} of ${windows}`)
    assertNear(reported, 8)
})

/** Atrial fibrillation: irregular beats, of which an early one is weak. */
function fibrillating(bpm: number, deviation: number, seconds: number): Beat[] {
    const normal = seededNormal(6)
    const interval = () => (60 / bpm) * Math.max(0.5, 1 + deviation * normal())
    return beats(seconds, interval, length => Math.min(1.3, (length * bpm) / 60))
}

for (const [bpm, deviation, most, share] of sampled([
    [85, 0.22, 0.7, 0.85],
    [75, 0.15, 1, 0.95],
    [150, 0.22, 0.05, 0.95],
] as const))
    test(`beats that come when they like, ${bpm} bpm ± ${100 * deviation} %: their mean rate or no value`, async t => {
        const irregular = fibrillating(bpm, deviation, 200)
        const { windows, reported } = await values({ beats: irregular }, 200)
        const near = reported.filter(({ bpm: value, ref }) => Math.abs(value - ref) <= 5)
        t.diagnostic(`${reported.length} of ${windows} windows, ${near.length} within 5 bpm`)
        assert.ok(near.length >= share * reported.length, `${near.length} of ${reported.length}`)
        assert.ok(reported.length <= most * windows, `${reported.length} of ${windows}`)
        if (most === 1) assert.ok(reported.length >= 0.7 * windows)
    })

for (const height of sampled([0.6, 0.8]))
    test(`every second beat early and ${height} as high: not half the rate`, async () => {
        let n = 0
        const bigeminy = beats(
            80,
            () => (n++ % 2 ? 1.35 : 0.65) * 0.8,
            interval => (interval < 0.8 ? height : 1),
        )
        assertNear((await values({ beats: bigeminy }, 80)).reported, 6)
    })

test("a rate that rises from 60 to 110 bpm within 20 s is followed", async () => {
    let at = -2
    const rising = beats(80, () => {
        const bpm = 60 + 50 * Math.max(0, Math.min(1, (at - 30) / 20))
        at += 60 / bpm
        return 60 / bpm
    })
    const { windows, reported } = await values({ beats: rising }, 80)
    assert.ok(reported.length >= 0.9 * windows, `${reported.length} of ${windows}`)
    assertNear(reported, 8)
})

test("breath that moves the light three times as much as a pulse does not hide the rate", async () => {
    const baseline = (seconds: number) => 1.5 * Math.sin(2 * Math.PI * 0.2 * seconds)
    const { windows, reported } = await values({ beats: regular(70, 80), baseline }, 80)
    assert.ok(reported.length >= 0.9 * windows, `${reported.length} of ${windows}`)
    assertNear(reported, 3)
})

/** Light that changes without a pulse: a random level, on warm skin. */
function drawn(draw: (level: number, seconds: number) => number): Body {
    let at = -1
    let level = 0
    return {
        reflectance: (_, seconds) => {
            if (seconds !== at) level = draw(level, seconds)
            at = seconds
            return 260 * (1 + level)
        },
        skinTemperature: () => 33,
    }
}

const normal = seededNormal(21)
const random = seededRandom(21)
const noPulse: [string, Body][] = [
    ["noise with more low than high frequencies", drawn(last => 0.99 * last + 0.0002 * normal())],
    ["bursts", drawn((_, t) => (t % 20 < 5 ? 0.005 : 0.0001) * normal())],
    ["steps", drawn(last => (random() < 0.003 ? 0.02 * random() : last))],
    ["taps", drawn(last => 0.95 * last + (random() < 0.01 ? 0.01 * random() : 0))],
    ["a sawtooth of 7 s", drawn((_, t) => 0.02 * ((t / 7) % 1))],
    ["mains at 50 Hz, not quite", drawn((_, t) => 0.01 * Math.sin(2 * Math.PI * 50.02 * t))],
]
for (const [name, body] of noPulse)
    test(`${name}: no pulse`, async () => {
        const { readings } = await sense(body, isLong ? 300 : 100)
        assert.deepEqual(
            readings.filter(({ bpm }) => bpm !== undefined),
            [],
        )
    })
