import assert from "node:assert/strict"
import { test } from "node:test"
import { toObservation } from "../../../clinic/fhir/vital-sign.ts"
import { Retention } from "../../../clinic/retention/retention.ts"
import type { Periods } from "../../../clinic/retention/periods.ts"
import { hospital } from "../../../clinic/retention/rules.ts"
import type { NewMeasurement } from "../../../clinic/store/measurements.ts"
import { silentLog } from "../../../host/log.ts"
import { ManualClock } from "../../support/clock.ts"
import { delivery, measurement, oneMote } from "../support.ts"

const dayMs = 86_400_000
const minute = 60_000
const hour = 3_600_000
/** The start of an hour. */
const start = Date.UTC(2026, 0, 1)
const everything = { from: 0, before: Number.MAX_SAFE_INTEGER }

const periods = (some: Partial<Periods>): Periods => ({
    ...{ envelopes: null, readings: null, minutes: null, hours: null },
    ...some,
})

async function ward(rule?: Partial<Periods>) {
    const known = await oneMote(new ManualClock(start))
    const { clock, clinic, store, patient, mote } = known
    if (rule) await clinic.retentionRules.put(hospital, { periods: periods(rule), author: "ada" })
    const reading = (time: number, value: number, more: Partial<NewMeasurement> = {}): NewMeasurement => ({
        ...{ envelope: 1, mote: mote.id, patient: patient.id, name: "hr", unit: "beat/min", value, time },
        ...{ absent: null, quality: 0.5, relative: 0, problem: null, count: null, least: null, greatest: null },
        ...{ span: null, ...more },
    })
    const count = async (table: "measurement" | "mean" | "envelope") =>
        (await store.db.selectFrom(table).selectAll().execute()).length
    /** A walk by a process of its own, whose piece pauses take no time of the test. */
    const walk = async (retention = clinic.retention) => {
        const walked = retention.walk()
        let isOver = false
        void walked.finally(() => (isOver = true)).catch(() => {})
        while (!isOver) await clock.advance(100)
        await walked
    }
    /** Time passes, and retention with it. */
    const pass = async (days: number) => {
        await clock.advance(days * dayMs)
        await walk()
    }
    return { ...known, reading, count, walk, pass }
}

const left = { stepMs: 60_000, from: start, before: start + 2 * minute }

test("nothing is removed while nobody has decided anything", async () => {
    const { store, reading, count, pass } = await ward()
    await store.measurement.add([reading(start, 60)])
    await pass(4000)
    assert.equal(await count("measurement"), 1)
})

test("readings become means of minutes, these means of hours, and these go", async () => {
    const { clinic, store, reading, count, pass, patient } = await ward({ readings: 10, minutes: 20, hours: 30 })
    const { observations } = clinic
    await store.measurement.add([
        ...[reading(start, 60, { quality: 1 }), reading(start + 30_000, 80), reading(start + minute, 100)],
        ...[reading(start + 2 * minute, 0, { value: null, absent: "motion" }), reading(start + 9 * dayMs, 70)],
        reading(start + minute, 20, { name: "batt" }),
    ])
    const chart = async (stepMs: number) =>
        (
            await observations.history({ patient: patient.id, name: "hr", from: start, before: start + hour, stepMs })
        ).map(({ time, count, mean, min, max }) => [time - start, count, mean, min, max])
    const before = await chart(hour)
    await pass(9)
    assert.equal(await count("measurement"), 6)
    await pass(2)
    assert.deepEqual([await count("measurement"), await count("mean")], [1, 2])
    assert.deepEqual(await chart(hour), before)
    assert.deepEqual(await chart(minute), [
        [0, 2, 70, 60, 80],
        [minute, 1, 100, 100, 100],
    ])
    // A mean fills the steps that are shorter than it.
    assert.equal((await chart(10_000)).length, 12)
    assert.deepEqual(await observations.left(patient.id, everything), [left])
    const search = { patients: [patient.id], names: ["hr"] as const, newestFirst: true, limit: 10 }
    const found = await observations.search(search)
    assert.deepEqual(
        found.map(({ value, summary, isLeft }) => [value, summary?.count, isLeft]),
        [
            [70, undefined, undefined],
            [100, 1, true],
            [70, 2, true],
        ],
    )
    assert.equal(found[2]!.quality, 0.75)
    assert.equal(await observations.count({ patients: [patient.id], names: ["hr"] }), 3)
    for (const one of found) assert.deepEqual(await observations.get(one.id), one)
    // Page by page the same, in both directions.
    for (const newestFirst of [true, false]) {
        const paged = []
        for (let after; ; after = { time: paged.at(-1)!.time, id: paged.at(-1)!.id }) {
            const page = await observations.search({ ...search, newestFirst, limit: 1, ...(after && { after }) })
            if (page.length === 0) break
            paged.push(...page)
        }
        assert.deepEqual(newestFirst ? paged : paged.reverse(), found)
    }
    await pass(10)
    assert.deepEqual(await chart(hour), before)
    assert.deepEqual(await observations.left(patient.id, { from: start, before: start + dayMs }), [
        { stepMs: hour, from: start, before: start + hour },
    ])
    await pass(20)
    assert.deepEqual([await count("measurement"), await count("mean")], [0, 0])
})

test("what comes late is joined with the means that are there", async () => {
    const { clinic, store, reading, pass, walk, patient } = await ward({ readings: 2 })
    await store.measurement.add([reading(start, 60)])
    await pass(4)
    await store.measurement.add([reading(start + 1000, 90), reading(start + 2000, 30)])
    await walk()
    const [mean] = await clinic.observations.search({
        ...{ patients: [patient.id], names: ["hr"], newestFirst: true, limit: 10 },
    })
    const { count, least, greatest } = mean!.summary!
    assert.deepEqual([mean!.value, count, least, greatest], [60, 3, 30, 90])
})

test("more than one piece, and a walk that is ended in the middle: the next one goes on, and nothing counts twice", async () => {
    const { clinic, clock, store, reading, count, walk, patient } = await ward({ readings: 2 })
    const all = Array.from({ length: 2500 }, (_, i) => reading(start + i * 1000, i % 200))
    for (let i = 0; i < all.length; i += 500) await store.measurement.add(all.slice(i, i + 500))
    await clock.advance(4 * dayMs)
    const ended = clinic.retention.walk()
    void ended.catch(() => {})
    while ((await count("measurement")) === 2500) await clock.advance(10)
    void clinic.retention.stop()
    await clock.advance(minute)
    await assert.rejects(ended)
    assert.ok((await count("measurement")) > 0)
    await walk(new Retention({ ...clinic, store, clock, log: silentLog, rules: clinic.retentionRules }))
    assert.equal(await count("measurement"), 0)
    const range = { patient: patient.id, name: "hr" as const, from: start, before: start + hour, stepMs: hour }
    const [point] = await clinic.observations.history(range)
    assert.deepEqual([point!.count, point!.min, point!.max], [2500, 0, 199])
    const [event] = await clinic.audit.search({ limit: 10 })
    assert.equal(event!.subject, "retention")
    assert.deepEqual(event!.detail, { envelopes: 0, readings: 2500, minutes: 0, hours: 0 })
})

test("a ward's own periods hold for its patients, and those of where a patient is now; after a move only a day later", async () => {
    const { clinic, store, reading, count, pass, patient } = await ward({ readings: 10 })
    await clinic.retentionRules.put("ICU", { periods: periods({ readings: 100 }), author: "ada" })
    const data = { ...patient, ward: "ICU" }
    await clinic.patients.update(patient.id, data)
    await store.measurement.add([reading(start, 60)])
    await pass(50)
    assert.equal(await count("measurement"), 1)
    await clinic.patients.update(patient.id, { ...data, ward: null })
    await pass(0.9)
    assert.equal(await count("measurement"), 1)
    await pass(0.2)
    assert.equal(await count("measurement"), 0)
})

test("a shorter period counts a day after it was made, and may be taken back until then", async () => {
    const { clinic, store, reading, count, pass } = await ward({ readings: 100 })
    await store.measurement.add([reading(start, 60)])
    await pass(50)
    await clinic.retentionRules.put(hospital, { periods: periods({ readings: 2 }), author: "ada" })
    await pass(0.9)
    await clinic.retentionRules.put(hospital, { periods: periods({ readings: 90 }), author: "ada" })
    await pass(10)
    assert.equal(await count("measurement"), 1)
    await clinic.retentionRules.put(hospital, { periods: periods({ readings: 2 }), author: "ada" })
    await pass(1.1)
    assert.equal(await count("measurement"), 0)
})

test("a clock that jumps ahead removes nothing that its own time has not reached", async () => {
    const { clock, store, reading, count, walk, pass } = await ward({ readings: 10 })
    await store.measurement.add([reading(start, 60)])
    await pass(9.5)
    clock.step(5 * dayMs)
    await walk()
    await clock.advance(hour)
    await walk()
    assert.equal(await count("measurement"), 1)
    clock.step(-5 * dayMs)
    await walk()
    await clock.advance(dayMs)
    await walk()
    assert.equal(await count("measurement"), 0)
})

test("envelopes go before readings, and what is delivered once more is a duplicate all the same", async () => {
    const { clinic, clock, sealer, patient, count, pass } = await ward({ envelopes: 5 })
    const now = clock.now()
    const sealed = Array.from({ length: 3 }, (_, i) => sealer.seal([measurement("hr", 60 + i, now)], now))
    const [first, missing, last] = sealed.map(envelope => delivery(envelope, now))
    await clinic.ingest([first!, last!])
    await pass(8)
    assert.deepEqual([await count("envelope"), await count("measurement")], [0, 2])
    const results = await clinic.ingest([first!, missing!, last!])
    assert.deepEqual(
        results.map(({ status }) => status),
        ["duplicate", "stored", "duplicate"],
    )
    assert.deepEqual([await count("envelope"), await count("measurement")], [1, 3])
    const search = { patients: [patient.id], names: ["hr"] as const, newestFirst: true, limit: 9 }
    assert.equal((await clinic.observations.search(search)).length, 3)
})

test("a legal hold keeps readings and envelopes, until it is lifted", async () => {
    const { clinic, clock, sealer, patient, count, pass, walk } = await ward({ envelopes: 5, readings: 5, minutes: 9 })
    const now = clock.now()
    const { id } = await clinic.legalHolds.begin(patient.id, { reason: "case 7", by: "ada" })
    const second = await clinic.legalHolds.begin(patient.id, { reason: "case 8", by: "ada" })
    await clinic.ingest([delivery(sealer.seal([measurement("hr", 60, now)], now), now)])
    await pass(20)
    assert.equal(await clinic.legalHolds.lift(second.id, patient.id, "ada"), true)
    await walk()
    assert.deepEqual([await count("envelope"), await count("measurement")], [1, 1])
    assert.equal(await clinic.legalHolds.lift(id, patient.id, "ada"), true)
    await walk()
    assert.deepEqual([await count("envelope"), await count("measurement"), await count("mean")], [0, 0, 1])
    const search = { patients: [patient.id], names: ["hr"] as const, newestFirst: true, limit: 9 }
    const [mean] = await clinic.observations.search(search)
    const { effectivePeriod, note } = toObservation(mean!)
    assert.deepEqual(effectivePeriod, { start: "2026-01-01T00:00:00.000Z", end: "2026-01-01T00:59:59.999Z" })
    assert.match(JSON.stringify(note), /kept no longer/)
})
