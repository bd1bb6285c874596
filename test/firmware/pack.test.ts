import assert from "node:assert/strict"
import { test } from "node:test"
import { decode } from "cbor2"
import fc from "fast-check"
import { encodeRefusal } from "../../wire/refusal.ts"
import { decodePack } from "../../wire/pack.ts"
import { openChannel } from "./channel.ts"
import { packQuestion, type MadeReading, type PackOptions } from "./packing.ts"
import { runs } from "../support/long.ts"

const unixS = 1_767_225_600
const ticksPerS = 16

const channel = openChannel("test/src/pack.ts")

async function pack(readings: MadeReading[], o?: PackOptions): Promise<Buffer> {
    return (await channel).ask(packQuestion(readings, o))
}

const calm: MadeReading = { atMs: 2000, bpm: 72.5, quality: 0.75, motion: false, tempC: 36.5 }

/** As cbor2 reads it. */
const items = (bytes: Uint8Array) => decode<unknown[]>(Uint8Array.from(bytes), { preferMap: true })

test("one reading without a clock: sixteenths before the sealing, and its columns", async () => {
    const columns = new Map([
        [0, [725]],
        [1, [75]],
        [3, [3650]],
    ])
    assert.deepEqual(items(await pack([calm], { now: 33 })), [-2, [0], columns])
})

test("a note on the configuration follows the readings, dated when it is sent", async () => {
    const shift = unixS * ticksPerS
    const refusal = { code: "out-of-range", setting: "hrLow", min: 20, max: 200 } as const
    const note = { version: 4, refused: 5, refusal: encodeRefusal(refusal) }
    const bytes = await pack([calm], { shift, now: 5 * ticksPerS, lost: 3, note })
    const [config, refused, ...more] = decodePack(bytes, 0).slice(-2)
    const at = { unit: "count", time: 1_767_225_605_000, relative: false }
    assert.deepEqual(config, { name: "config", value: 4, ...at })
    assert.deepEqual(refused, { name: "config-refused", value: 5, refusal, ...at })
    assert.deepEqual(more, [])
})

test("a note needs no readings, and no clock", async () => {
    const bytes = await pack([], { now: 99, note: { version: 0xffffffff } })
    const expected = { name: "config", unit: "count", value: 0xffffffff, time: 77, relative: true }
    assert.deepEqual(decodePack(bytes, 77), [expected])
})

test("with a clock: whole seconds and sixteenths, the first step, and how steps and values change", async () => {
    const times = [2000, 4000, 6000, 8063, 300_000]
    const bpm = [72.5, 80, undefined, 50.25, undefined]
    const readings = times.map((atMs, i) => ({ ...calm, atMs, ...{ bpm: bpm[i] }, tempC: 36.5 + i / 100 }))
    const columns = new Map([
        [0, [725, 75, null, -297]],
        [1, [75, 0, 0, 0, 0]],
        [3, [3650, 1, 1, 1, 1]],
    ])
    const extras = new Map([[0, 3]])
    const steps = [7, 32, 0, 1, 4671 - 33]
    const said = items(await pack(readings, { shift: unixS * ticksPerS + 7, lost: 3 }))
    assert.deepEqual(said, [unixS + 2, steps, columns, extras])
})

test("motion is one number, whose bits are the readings", async () => {
    const readings = Array.from({ length: 30 }, (_, i) => ({
        ...{ atMs: 2000 * i, quality: 0.1, motion: i % 7 === 1 || i === 29 },
    }))
    const [, , columns] = items(await pack(readings, { shift: unixS * ticksPerS })) as [
        number,
        [],
        Map<number, unknown>,
    ]
    const flags = readings.reduce((sum, { motion }, i) => sum + (motion ? 2 ** i : 0), 0)
    assert.equal(columns.get(2), flags)
})

test("thirty readings with the largest changes, and the longest note, fit", async () => {
    const readings = Array.from({ length: 30 }, (_, i) => ({
        ...{ atMs: i * 40_000_000 + (i % 2) * 20_000_000, bpm: i % 2 ? 409.5 : 0.1, quality: i % 2, motion: i === 29 },
        ...{ tempC: i % 2 ? 50.9 : 10, ...(i > 27 && { spo2: 99 }) },
    }))
    const refusal = { code: "out-of-range", setting: "every", min: 0xffff, max: 0xffffffff } as const
    const note = { version: 0xfffffffe, refused: 0xffffffff, refusal: encodeRefusal(refusal) }
    const o = { shift: unixS * ticksPerS + 1, now: 2 ** 27, lost: 2 ** 32 - 1, note }
    const measurements = decodePack(await pack(readings, o), 0)
    assert.deepEqual(measurements.at(-1)!.refusal, refusal)
    assert.equal(measurements.filter(({ name }) => name === "temp").length, 30)
})

test("a heart rate lost to motion is absent, with motion in its place", async () => {
    const measurements = decodePack(await pack([{ ...calm, motion: true }], { now: 32 }), 1e12)
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
    const names = async (reading: MadeReading) =>
        decodePack(await pack([reading], { now: 32 }), 1e12).map(({ name }) => name)
    for (const bpm of [NaN, Infinity, -1, 0, 0.04, 410, 5000])
        assert.ok(!(await names({ ...calm, bpm })).includes("hr"), `${bpm}`)
    for (const tempC of [NaN, -Infinity, 9.99, 51, 2000])
        assert.ok(!(await names({ ...calm, tempC })).includes("temp"), `${tempC}`)
    for (const spo2 of [NaN, Infinity, -3, 0.2, 101])
        assert.ok(!(await names({ ...calm, spo2 })).includes("spo2"), `${spo2}`)
})

test("any pack contains exactly its input, rounded to its grid", async () => {
    const optional = (o: fc.FloatConstraints) => fc.option(fc.float({ noNaN: true, ...o }), { nil: undefined })
    const reading = fc.record({
        stepMs: fc.oneof(fc.integer({ min: 1900, max: 2100 }), fc.integer({ min: 0, max: 200_000 })),
        bpm: optional({ min: 20, max: 300 }),
        quality: fc.integer({ min: 0, max: 1000 }).map(q => q / 1000),
        motion: fc.boolean(),
        tempC: optional({ min: 10, max: 50 }),
        spo2: optional({ min: 1, max: 100 }),
    })
    const property = fc.asyncProperty(
        fc.oneof(
            fc.tuple(
                fc.array(reading, { minLength: 1, maxLength: 26 }),
                fc.integer({ min: 1.7e9 * ticksPerS, max: 2.5e9 * ticksPerS }),
            ),
            fc.tuple(fc.array(reading, { minLength: 1, maxLength: 1 }), fc.constant(undefined)),
        ),
        fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 100_000 })),
        async ([steps, shift], lost) => {
            let atMs = 1000
            const readings = steps.map(({ stepMs, ...r }) => ({ ...r, atMs: (atMs += stepMs) }))
            const now = Math.ceil((atMs + 10) / 62.5)
            const receivedAt = 1.8e12
            const measurements = decodePack(await pack(readings, { shift, now, lost }), receivedAt)
            const zeroMs = shift === undefined ? receivedAt - now * 62.5 : shift * 62.5
            const all = <T>(name: string, unit: string, value: (r: MadeReading) => T | undefined) =>
                readings.flatMap(r => {
                    const v = value(r)
                    const time = Math.round(Math.round(r.atMs / 62.5) * 62.5 + zeroMs)
                    return v === undefined ? [] : [{ name, unit, value: v, time, relative: shift === undefined }]
                })
            const on = (perUnit: number, v?: number) =>
                v === undefined ? undefined : Math.round(v * perUnit) / perUnit + 0
            const wanted = [
                ...all("hr", "beat/min", r => (r.motion ? undefined : on(10, r.bpm))),
                ...all("hr-q", "/", r => on(100, r.quality)),
                ...all("motion", "/", r => (r.motion ? 1 : undefined)),
                ...all("temp", "Cel", r => on(100, r.tempC)),
                ...all("spo2", "%", r => (r.motion ? undefined : on(1, r.spo2))),
                ...all("lost", "count", r => (r === readings[0] && lost > 0 ? lost : undefined)),
            ]
            assert.deepEqual(measurements, wanted)
        },
    )
    await fc.assert(property, { numRuns: runs(100) })
})

test("times stay correct when the ticks of the queue wrap around", async () => {
    const turnMs = 2 ** 24 * 62.5
    const readings = [turnMs - 1000, turnMs + 1000, turnMs + 3000].map(atMs => ({ ...calm, atMs }))
    const measurements = decodePack(await pack(readings, { shift: unixS * ticksPerS }), 0)
    const times = measurements.filter(({ name }) => name === "hr").map(({ time }) => time - unixS * 1000)
    assert.deepEqual(
        times,
        readings.map(({ atMs }) => atMs),
    )
})
