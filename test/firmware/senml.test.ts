import assert from "node:assert/strict"
import { test } from "node:test"
import { decode } from "cbor2"
import fc from "fast-check"
import { encodeRefusal } from "../../wire/refusal.ts"
import { decodePack } from "../../wire/senml.ts"
import { openChannel } from "./channel.ts"
import { packQuestion, type MadeReading, type PackOptions } from "./packing.ts"
import { runs } from "../support/long.ts"

const kid = Buffer.from("0011223344556677", "hex")
const baseName = "urn:dev:mac:0011223344556677_"
const ticksPerS = 16

const channel = openChannel("test/src/senml.ts")

async function pack(readings: MadeReading[], o?: PackOptions): Promise<Buffer> {
    return (await channel).ask(packQuestion(readings, o))
}

const calm: MadeReading = { atMs: 2000, bpm: 72.5, quality: 0.75, motion: false, tempC: 36.5 }

test("one reading without a clock: relative time, one unit per group", async () => {
    const bytes = await pack([calm], { now: 33 })
    assert.deepEqual(decode(bytes), [
        new Map<number, unknown>([
            [0, "hr"],
            [2, 72.5],
            [6, -1 / 16],
            [-2, baseName],
            [-4, "beat/min"],
        ]),
        new Map<number, unknown>([
            [0, "hr-q"],
            [2, 0.75],
            [6, -1 / 16],
            [-4, "/"],
        ]),
        new Map<number, unknown>([
            [0, "temp"],
            [2, 36.5],
            [6, -1 / 16],
            [-4, "Cel"],
        ]),
    ])
})

test("a note on the configuration follows the readings, dated when it is sent", async () => {
    const shift = 1_767_225_600 * ticksPerS
    const refusal = { code: "out-of-range", setting: "hrLow", min: 20, max: 200 } as const
    const note = { version: 4, refused: 5, refusal: encodeRefusal(refusal) }
    const bytes = await pack([calm], { shift, now: 5 * ticksPerS, lost: 3, note })
    const [config, refused, ...more] = decodePack(bytes, kid, 0).slice(-2)
    const at = { unit: "count", time: 1_767_225_605_000, relative: false }
    assert.deepEqual(config, { name: "config", value: 4, ...at })
    assert.deepEqual(refused, { name: "config-refused", value: 5, refusal, ...at })
    assert.deepEqual(more, [])
})

test("a note needs no readings, and no clock", async () => {
    const bytes = await pack([], { now: 99, note: { version: 0xffffffff } })
    const expected = { name: "config", unit: "count", value: 0xffffffff, time: 77, relative: true }
    assert.deepEqual(decodePack(bytes, kid, 77), [expected])
})

test("the longest note takes at most the space of two readings", async () => {
    const readings = [calm, { ...calm, atMs: 900_010 }]
    const refusal = { code: "out-of-range", setting: "every", min: 0xffff, max: 0xffffffff } as const
    const note = { version: 0xfffffffe, refused: 0xffffffff, refusal: encodeRefusal(refusal) }
    const o = { shift: 1_767_225_600 * ticksPerS + 1, now: 2 ** 24 - 1 }
    const bytes = await pack(readings, { ...o, note })
    assert.deepEqual(decodePack(bytes, kid, 0).at(-1)!.refusal, refusal)
    assert.ok(bytes.length - (await pack(readings, o)).length <= 2 * 65)
})

test("with a clock: one absolute base time, offsets for later readings", async () => {
    const shift = 1_767_225_600 * ticksPerS
    const bytes = await pack([calm, { ...calm, atMs: 4000, bpm: 80 }], { shift, lost: 3 })
    const pairs = (decode(bytes) as Map<number, unknown>[]).map(record => [...record])
    assert.deepEqual(pairs, [
        [
            [0, "hr"],
            [2, 72.5],
            [-2, baseName],
            [-3, 1_767_225_602],
            [-4, "beat/min"],
        ],
        [
            [0, "hr"],
            [2, 80],
            [6, 2],
        ],
        [
            [0, "hr-q"],
            [2, 0.75],
            [-4, "/"],
        ],
        [
            [0, "hr-q"],
            [2, 0.75],
            [6, 2],
        ],
        [
            [0, "temp"],
            [2, 36.5],
            [-4, "Cel"],
        ],
        [
            [0, "temp"],
            [2, 36.5],
            [6, 2],
        ],
        [
            [0, "lost"],
            [2, 3],
            [-4, "count"],
        ],
    ])
})

test("a heart rate lost to motion is absent, with motion in its place", async () => {
    const measurements = decodePack(await pack([{ ...calm, motion: true }], { now: 32 }), kid, 1e12)
    assert.deepEqual(
        measurements.map(m => [m.name, m.value, m.unit]),
        [
            ["hr-q", 0.75, "/"],
            ["motion", 1, "/"],
            ["temp", 36.5, "Cel"],
        ],
    )
})

test("a value that is not a number or out of range is absent", async () => {
    for (const bpm of [NaN, Infinity, -1, 0, 5000])
        assert.doesNotMatch((await pack([{ ...calm, bpm }])).toString("latin1"), /beat/)
    for (const tempC of [NaN, -Infinity, 64, 2000])
        assert.doesNotMatch((await pack([{ ...calm, tempC }])).toString("latin1"), /temp/)
    for (const spo2 of [NaN, Infinity, -3, 0.2, 101])
        assert.doesNotMatch((await pack([{ ...calm, spo2 }])).toString("latin1"), /spo2/)
})

test("any pack contains exactly its input, rounded to its grid", async () => {
    const optional = (o: fc.FloatConstraints) => fc.option(fc.float({ noNaN: true, ...o }), { nil: undefined })
    const reading = fc.record({
        stepMs: fc.oneof(fc.integer({ min: 1900, max: 2100 }), fc.integer({ min: 0, max: 200_000 })),
        bpm: optional({ min: 20, max: 300 }),
        quality: fc.integer({ min: 0, max: 1000 }).map(q => q / 1000),
        motion: fc.boolean(),
        tempC: optional({ min: -20, max: 60 }),
        spo2: optional({ min: 1, max: 100 }),
    })
    const property = fc.asyncProperty(
        fc.array(reading, { minLength: 1, maxLength: 30 }),
        fc.option(fc.integer({ min: 1.7e9 * ticksPerS, max: 2.5e9 * ticksPerS }), {
            nil: undefined,
        }),
        fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100_000 })),
        async (steps, shift, lost) => {
            let atMs = 1000
            const readings = steps.map(({ stepMs, ...r }) => ({ ...r, atMs: (atMs += stepMs) }))
            const now = Math.ceil((atMs + 10) / 62.5)
            const receivedAt = 1.8e12
            const measurements = decodePack(await pack(readings, { shift, now, lost }), kid, receivedAt)
            const zeroMs = shift === undefined ? receivedAt - now * 62.5 : shift * 62.5
            const all = <T>(name: string, unit: string, value: (r: MadeReading) => T | undefined) =>
                readings.flatMap(r => {
                    const v = value(r)
                    const time = Math.round(Math.round(r.atMs / 62.5) * 62.5 + zeroMs)
                    return v === undefined ? [] : [{ name, unit, value: v, time, relative: shift === undefined }]
                })
            const on = (grid: number, v?: number) => (v === undefined ? undefined : Math.round(v * grid) / grid + 0)
            const wanted = [
                ...all("hr", "beat/min", r => (r.motion ? undefined : onBinary16(r.bpm))),
                ...all("hr-q", "/", r => on(64, r.quality)),
                ...all("motion", "/", r => (r.motion ? 1 : undefined)),
                ...all("temp", "Cel", r => on(32, r.tempC)),
                ...all("spo2", "%", r => (r.motion ? undefined : on(1, r.spo2))),
                ...all("lost", "count", r => (r === readings[0] && lost > 0 ? lost : undefined)),
            ]
            assert.deepEqual(measurements, wanted)
        },
    )
    await fc.assert(property, { numRuns: runs(100) })
})

test("the oxygen saturation, if present, comes last and in percent", async () => {
    const bytes = await pack([calm, { ...calm, atMs: 4000, spo2: 96.6 }], { now: 64 })
    const last = (decode(bytes) as Map<number, unknown>[]).at(-1)!
    assert.deepEqual(
        [...last],
        [
            [0, "spo2"],
            [2, 97],
            [-4, "%"],
        ],
    )
})

test("times stay correct when the ticks of the queue wrap around", async () => {
    const turnMs = 2 ** 24 * 62.5
    const readings = [turnMs - 1000, turnMs + 1000, turnMs + 3000].map(atMs => ({ ...calm, atMs }))
    const now = (turnMs + 3000) / 62.5
    const times = decodePack(await pack(readings, { now }), kid, 1e12).map(m => m.time)
    assert.deepEqual(times.slice(0, 3), [1e12 - 4000, 1e12 - 2000, 1e12])
})

/** To 1/16, and above 128 to the resolution of binary16. */
function onBinary16(bpm: number | undefined): number | undefined {
    if (bpm === undefined) return undefined
    const sixteenths = Math.round(bpm * 16)
    const step = sixteenths < 2048 ? 1 : sixteenths < 4096 ? 2 : 4
    return (Math.round(sixteenths / step) * step) / 16
}
