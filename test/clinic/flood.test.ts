import assert from "node:assert/strict"
import { test } from "node:test"
import { maxAlarmEvents, type AlarmEvent } from "../../wire/alarms.ts"
import type { Delivery } from "../../wire/batch.ts"
import { maxReadings, maxValues, type Measurement } from "../../wire/pack.ts"
import { ManualClock } from "../support/clock.ts"
import { alarmEvent, TestMote } from "../support/mote.ts"
import { delivery, measurement, memoryClinic } from "./support.ts"

async function ward() {
    const clock = new ManualClock()
    const clinic = await memoryClinic(clock)
    const patient = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote, secret } = await clinic.motes.register(patient.id)
    const sealer = new TestMote({ kid: mote.kid, secret })
    const now = clock.now()
    const envelope = (pack: Measurement[]): Delivery => delivery(sealer.seal(pack, now), now)
    const alarms = (events: AlarmEvent[]): Delivery => delivery(sealer.sealAlarms(events, now), now, "alarm")
    return { clinic, now, mote, patient, envelope, alarms }
}

const event = (id: number, time: number): AlarmEvent => alarmEvent("hr-high", true, time, { id })
const names = ["hr", "temp", "spo2", "x-7", "x-8", "x-9", "x-10", "x-11", "x-12"]
/** So many values, `maxReadings` of each quantity. */
function values(count: number, now: number): Measurement[] {
    return times(count, i => {
        const name = names[Math.floor(i / maxReadings)]!
        return measurement(name, name === "temp" ? 37 : 60, now - 2000 * (i % maxReadings))
    })
}
const times = <T>(count: number, make: (i: number) => T) => Array.from({ length: count }, (_, i) => make(i))

test("more values or alarms than a mote sends: kept with a problem, and nothing of them is read", async () => {
    const { clinic, now, mote, patient, envelope, alarms } = await ward()
    const problem = async (batch: Delivery) => {
        const [result] = await clinic.ingest([batch])
        assert.equal(result!.status, "stored")
        return (await clinic.completeness(mote)).problems.newest
    }
    assert.equal(await problem(envelope(values(maxValues, now))), null)
    assert.equal(await problem(envelope(values(maxValues + 1, now))), `more than ${maxValues} values`)
    const raised = (count: number) => alarms(times(count, i => event(i, now)))
    await clinic.ingest([raised(maxAlarmEvents)])
    assert.equal(await problem(raised(maxAlarmEvents + 1)), `more than ${maxAlarmEvents} alarms`)
    assert.equal(await clinic.observations.count({ patients: [patient.id], names: ["hr"] }), maxReadings)
    assert.deepEqual(
        (await clinic.alarms.ofPatient(patient.id, 1000)).map(({ count }) => count),
        [maxAlarmEvents],
    )
})

test("a large batch is stored in pieces, and others have their turn between them", async () => {
    const { clinic, now, envelope } = await ward()
    const pack = values(maxValues, now)
    const batch = times(60, () => envelope(pack))
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
    const { clinic, now, alarms, patient } = await ward()
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
        await clinic.ingest([alarms([event(from, now)])])
        heard.take = take
        return changes
    }
    await statements(0)
    const few = await statements(1)
    await clinic.ingest(times(20, i => alarms(times(maxAlarmEvents, j => event(10 + i * maxAlarmEvents + j, now)))))
    assert.deepEqual(
        (await clinic.alarms.open()).map(({ count }) => count),
        [2 + 20 * maxAlarmEvents],
        "one line",
    )
    assert.equal(await statements(1000), few)
    assert.equal((await clinic.alarms.ofPatient(patient.id, 1)).at(0)?.clearedAt, null)
})
