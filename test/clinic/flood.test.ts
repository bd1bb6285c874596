import assert from "node:assert/strict"
import { test } from "node:test"
import { maxAlarmEvents } from "../../wire/alarms.ts"
import type { Delivery } from "../../wire/batch.ts"
import { maxRecords, type Measurement } from "../../wire/senml.ts"
import { ManualClock } from "../support/clock.ts"
import { TestMote } from "../support/mote.ts"
import { delivery, measurement, memoryClinic } from "./support.ts"

async function ward() {
    const clock = new ManualClock()
    const clinic = await memoryClinic(clock)
    const patient = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote, secret } = await clinic.motes.register(patient.id)
    const sealer = new TestMote({ kid: mote.kid, secret })
    const now = clock.now()
    const envelope = (pack: Measurement[], purpose: "vitals" | "alarm" = "vitals"): Delivery =>
        delivery(sealer.seal(pack, now, purpose), now, purpose)
    return { clinic, now, mote, patient, envelope }
}

const event = (id: number, time: number): Measurement[] => [
    measurement("alarm/hr-high", 1, time),
    measurement("alarm/hr-high/id", id, time, { unit: "count" }),
]
const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i))

test("more records or alarms than a mote sends: kept with a problem, and nothing of them is read", async () => {
    const { clinic, now, mote, patient, envelope } = await ward()
    const rates = (count: number) => times(count, () => measurement("hr", 60, now, { relative: true }))
    const problem = async (batch: Delivery) => {
        const [result] = await clinic.ingest([batch])
        assert.equal(result!.status, "stored")
        return (await clinic.completeness(mote)).problems.newest
    }
    assert.equal(await problem(envelope(rates(maxRecords))), null)
    assert.equal(await problem(envelope(rates(maxRecords + 1))), `more than ${maxRecords} SenML records`)
    const alarms = (count: number) => times(count, i => event(i, now)).flat()
    await clinic.ingest([envelope(alarms(maxAlarmEvents), "alarm")])
    assert.equal(await problem(envelope(alarms(maxAlarmEvents + 1), "alarm")), `more than ${maxAlarmEvents} alarms`)
    assert.equal(await clinic.observations.count({ patients: [patient.id], names: ["hr"] }), maxRecords)
    assert.deepEqual(
        (await clinic.alarms.ofPatient(patient.id, 1000)).map(({ count }) => count),
        [maxAlarmEvents],
    )
})

test("a large batch is stored in pieces, and others have their turn between them", async () => {
    const { clinic, now, envelope } = await ward()
    const pack = times(maxRecords, () => measurement("hr", 60, now, { relative: true }))
    const batch = times(20, () => envelope(pack))
    let turns = 0
    let isOver = false
    const others = (async () => {
        while (!isOver) {
            await clinic.patients.ward()
            await new Promise(resolve => setImmediate(resolve))
            if (!isOver) turns++
        }
    })()
    const results = await clinic.ingest(batch)
    isOver = true
    await others
    assert.deepEqual(
        results.map(({ id }) => id),
        batch.map(({ id }) => id),
        "all of them, in their order",
    )
    assert.ok(results.every(({ status }) => status === "stored"))
    assert.ok(turns >= 3, `${turns} turns`)
})

test("an envelope of alarms takes the same number of statements, whatever is open already", async () => {
    const { clinic, now, envelope, patient } = await ward()
    const statements = async (from: number) => {
        let changes = 0
        const heard = clinic.alarms
        const take = heard.take.bind(heard)
        heard.take = async (mote, generation, e, t) => {
            const { alarm } = t
            for (const name of ["find", "lasting", "newestRaised", "add", "save"] as const) {
                const method = (alarm[name] as (...a: never[]) => Promise<unknown>).bind(alarm)
                Object.assign(alarm, { [name]: async (...a: never[]) => (changes++, await method(...a)) })
            }
            await take(mote, generation, e, t)
        }
        await clinic.ingest([envelope(event(from, now), "alarm")])
        heard.take = take
        return changes
    }
    await statements(0)
    const few = await statements(1)
    await clinic.ingest(
        times(20, i => envelope(times(maxAlarmEvents, j => event(10 + i * maxAlarmEvents + j, now)).flat(), "alarm")),
    )
    assert.deepEqual(
        (await clinic.alarms.open()).map(({ count }) => count),
        [2 + 20 * maxAlarmEvents],
        "one line",
    )
    assert.equal(await statements(1000), few)
    assert.equal((await clinic.alarms.ofPatient(patient.id, 1)).at(0)?.clearedAt, null)
})
