import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { toObservation } from "../../clinic/fhir/vital-sign.ts"
import type { Measurement } from "../../wire/pack.ts"
import { ManualClock } from "../support/clock.ts"
import { TestMote } from "../support/mote.ts"
import { delivery, measurement, memoryClinic } from "./support.ts"

const minuteMs = 60_000

async function ward() {
    const clock = new ManualClock()
    const clinic = await memoryClinic(clock)
    const patient = (await clinic.patients.add({ given: "Ada", family: "Beck" })).id
    const { mote, secret } = await clinic.motes.register(patient)
    const sealer = new TestMote({ kid: mote.kid, secret })
    const send = async (...pack: Measurement[]) => {
        const envelope = sealer.seal(pack, clock.now())
        await clinic.ingest([delivery(envelope, clock.now())])
    }
    const search = () =>
        clinic.observations.search({
            ...{
                patients: [patient],
                names: ["hr", "temp", "spo2"],
                newestFirst: false,
                limit: 99,
            },
        })
    return { clock, clinic, patient, mote, send, search }
}

/** As docs/link.md, "Summaries", has it. */
function summary(middle: number, minutes: number, o: { hr?: number[]; temp?: number[] }) {
    const records: Measurement[] = []
    const add = (name: string, value: number, unit: string) => records.push(measurement(name, value, middle, { unit }))
    for (const [name, unit, values] of [
        ["hr", "beat/min", o.hr],
        ["temp", "Cel", o.temp],
    ] as const) {
        if (!values) continue
        const [mean, least, greatest] = values
        add(name, mean!, unit)
        add(`${name}-min`, least!, unit)
        add(`${name}-max`, greatest!, unit)
    }
    add("span", minutes * 60, "s")
    add("count", 30 * minutes, "count")
    if (o.hr) add("hr-n", 30 * minutes, "count")
    if (o.temp) add("temp-n", 15 * minutes, "count")
    return records
}

test("a summary is one observation, with what it stands for; its readings are counted", async () => {
    const { clinic, clock, mote, send, search } = await ward()
    const middle = clock.now() - 60 * minuteMs
    await send(...summary(middle, 4, { hr: [72, 61, 140], temp: [36.5, 36, 37] }))
    const [hr, temp, ...others] = await search()
    assert.deepEqual(others, [])
    assert.deepEqual(
        [hr!.value, hr!.summary, temp!.value, temp!.summary],
        [
            72,
            { count: 120, least: 61, greatest: 140, spanMs: 4 * minuteMs },
            36.5,
            { count: 60, least: 36, greatest: 37, spanMs: 4 * minuteMs },
        ],
    )
    const complete = await clinic.completeness(mote)
    assert.deepEqual([complete.summarized, complete.problems.count], [120, 0])
    const resource = toObservation(hr!)
    assert.deepEqual(resource.effectivePeriod, {
        start: new Date(middle - 2 * minuteMs).toISOString(),
        end: new Date(middle + 2 * minuteMs).toISOString(),
    })
    assert.equal(resource.effectiveDateTime, undefined)
    assert.equal(resource.note?.[0]?.text, "Mean of 120 readings from 61 to 140.")
})

test("in a history it fills the time that it spans, and gives way to what was measured in there", async () => {
    const { clinic, clock, patient, send } = await ward()
    const start = clock.now() - 60 * minuteMs
    await send(...summary(start + 2 * minuteMs, 4, { hr: [72, 61, 140] }))
    await send(measurement("hr", 80, start + 3 * minuteMs), measurement("hr", 82, start + 9 * minuteMs))
    const history = (from: number, before: number, stepMs: number) =>
        clinic.observations.history({ patient, name: "hr", from, before, stepMs })
    const points = await history(start, start + 10 * minuteMs, minuteMs)
    const line = ({ time, count, mean, min, max }: (typeof points)[0]) =>
        [(time - start) / minuteMs, count, mean, min, max].join(" ")
    assert.deepEqual(points.map(line), [
        "0 0 72 61 140",
        "1 0 72 61 140",
        "2 120 72 61 140",
        "3 1 80 80 80",
        "4 0 72 61 140",
        "9 1 82 82 82",
    ])
    const [all] = await history(start, start + 10 * minuteMs, 10 * minuteMs)
    assert.deepEqual([all!.count, all!.min, all!.max], [122, 61, 140])
    assert.equal(all!.mean, (120 * 72 + 80 + 82) / 122)
    const part = await history(start + 3.5 * minuteMs, start + 4 * minuteMs, minuteMs / 2)
    assert.deepEqual(part.map(line), ["3.5 0 72 61 140"])
})

test("a summary that contradicts itself is none: its records are kept as they are", async () => {
    for (const pack of [
        (m: number) => summary(m, 4, { hr: [72, 80, 140] }),
        (m: number) => summary(m, 4, { hr: [72, 61, 70] }),
        (m: number) => summary(m, 4, { hr: [72, 1, 140] }),
        (m: number) => summary(m, 4, { hr: [72, 61, 140] }).filter(r => r.name !== "hr-n"),
        (m: number) => summary(m, 4, { hr: [72, 61, 140] }).filter(r => r.name !== "span"),
        (m: number) => summary(m, -1, { hr: [72, 61, 140] }),
    ]) {
        const { clinic, clock, send, search } = await ward()
        await send(...pack(clock.now() - 10 * minuteMs))
        assert.deepEqual(
            (await search()).map(o => [o.value, o.summary]),
            [[72, null]],
        )
        await clinic.close()
    }
})

test("a summary may span two days, as long as a mote keeps readings, and no more", async () => {
    for (const [minutes, isSummary] of [
        [2 * 24 * 60, true],
        [2 * 24 * 60 + 1, false],
    ] as const) {
        const { clinic, clock, mote, send, search } = await ward()
        const records = summary(clock.now() - 36 * 60 * minuteMs, minutes, { hr: [72, 61, 140] })
        await send(...records.map(r => (r.name === "count" ? { ...r, value: 65_535 } : r)))
        const [hr] = await search()
        assert.equal(hr!.summary?.spanMs, isSummary ? minutes * minuteMs : undefined)
        assert.equal((await clinic.completeness(mote)).problems.count, isSummary ? 0 : 1)
        await clinic.close()
    }
})

test("any pack of these names is stored, and never fails", async () => {
    const name = fc.constantFrom("hr", "hr-min", "hr-max", "hr-n", "span", "count", "temp", "hr-q")
    const record = fc.record({ name, value: fc.double({ noNaN: true, min: -1e6, max: 1e6 }) })
    const { clinic, clock, mote, send } = await ward()
    let sent = 0
    await fc.assert(
        fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 9 }), async records => {
            await send(...records.map(r => measurement(r.name, r.value, clock.now())))
            assert.equal((await clinic.completeness(mote)).stored, ++sent)
        }),
        { numRuns: 50 },
    )
})
