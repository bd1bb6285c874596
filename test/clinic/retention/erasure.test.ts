import assert from "node:assert/strict"
import { test } from "node:test"
import type { Clinic } from "../../../clinic/index.ts"
import type { Problem } from "../../../wire/tables/problems.ts"
import type { ManualClock } from "../../support/clock.ts"
import { alarmEvent } from "../../support/mote.ts"
import { delivery, measurement, oneMote } from "../support.ts"

const refused = (code: Problem["code"]) => (error: { problem?: Problem }) => error.problem?.code === code

async function erase(clinic: Clinic, clock: ManualClock): Promise<void> {
    let isOver = false
    const erased = clinic.retention.erase().finally(() => (isOver = true))
    while (!isOver) await clock.advance(50)
    await erased
}

test("a patient is erased: one asks, another confirms, and what comes late is nobody's", async () => {
    const { clinic, clock, store, patient, mote, sealer } = await oneMote()
    const { id } = patient
    const other = await clinic.patients.add({ given: "Emil", family: "Dorn" })
    const hr = (time: number) => sealer.seal([measurement("hr", 60, time), measurement("batt", 80, time)], time)
    const start = clock.now()
    const envelopes = [hr(start), hr(start + 1000), hr(start + 2000)]
    await clock.advance(10_000)
    await clinic.ingest([delivery(envelopes[0]!, start + 1000), delivery(envelopes[2]!, start + 3000)])
    const alarm = alarmEvent("hr-high", true, start + 4000, { value: 171 })
    await clinic.ingest([delivery(sealer.sealAlarms([alarm], start + 5000), start + 5000, "alarm")])
    await clinic.notes.add(id, "likes tea", "ruth")
    const password = "correct horse battery"
    await clinic.accounts.add({ name: "ada", role: "patient", password, patient: id })
    await assert.rejects(clinic.erasures.ask(id, { reason: "Art. 17", by: "ruth" }), refused("on-the-ward"))
    await clinic.discharge(id, "ruth")
    const hold = await clinic.legalHolds.begin(id, { reason: "case 7", by: "root" })
    await assert.rejects(clinic.erasures.ask(id, { reason: "Art. 17", by: "ruth" }), refused("held"))
    await clinic.legalHolds.lift(hold.id, id, "root")
    await assert.rejects(clinic.erasures.confirm(id, "root"), refused("not-found"))
    await clinic.erasures.ask(id, { reason: "Art. 17", by: "ruth" })
    await clinic.erasures.withdraw(id)
    await clinic.erasures.ask(id, { reason: "Art. 17", by: "ruth" })
    await assert.rejects(clinic.erasures.confirm(id, "ruth"), refused("two-people"))
    await clinic.erasures.confirm(id, "root")
    await assert.rejects(clinic.erasures.withdraw(id), refused("not-found"))
    assert.equal(await clinic.patients.get(id), undefined)
    assert.deepEqual(
        (await clinic.patients.page(0, 10)).map(({ id }) => id),
        [other.id],
    )
    await erase(clinic, clock)
    const rows = async (table: "measurement" | "envelope" | "alarm" | "alarm_entry" | "note" | "current") =>
        (await store.db.selectFrom(table).selectAll().execute()).length
    for (const table of ["measurement", "envelope", "alarm", "alarm_entry", "note", "current"] as const)
        assert.equal(await rows(table), 0, table)
    assert.deepEqual(
        (await clinic.accounts.all()).filter(({ name }) => name === "ada"),
        [],
    )
    const [record] = await clinic.erasures.all()
    assert.deepEqual(
        [record!.patient, record!.reason, record!.asked_by, record!.confirmed_by, record!.readings, record!.envelopes],
        [id, "Art. 17", "ruth", "root", 4, 3],
    )
    assert.ok(record!.finished_at !== null)
    const [event] = await clinic.audit.search({ limit: 1 })
    assert.deepEqual([event!.subject, event!.patients, event!.detail?.readings], ["retention", [id], 4])
    const results = await clinic.ingest([
        delivery(envelopes[0]!, start + 1000),
        delivery(envelopes[1]!, start + 2000),
        delivery(envelopes[2]!, start + 3000),
    ])
    assert.deepEqual(
        results.map(({ status }) => status),
        ["duplicate", "stored", "duplicate"],
    )
    assert.equal((await clinic.observations.unassigned(mote.id)).count, 2)
    // The mote is for the next one.
    await clinic.pair(mote.kid, { patient: other.id, by: "ruth" })
})

test("a restored clinic erases again whom it knew once more, and nobody else", async () => {
    const { clinic, clock, store, patient, sealer } = await oneMote()
    const now = clock.now()
    await clinic.ingest([delivery(sealer.seal([measurement("hr", 60, now)], now), now)])
    assert.deepEqual(await clinic.erasures.repeat([patient.id, 77, patient.id], "root"), [patient.id])
    assert.deepEqual(await clinic.erasures.repeat([patient.id], "root"), [])
    await erase(clinic, clock)
    assert.deepEqual(await store.db.selectFrom("measurement").selectAll().execute(), [])
    assert.deepEqual(await store.db.selectFrom("association").selectAll().execute(), [])
})

test("an erasure that is ended in the middle goes on", async () => {
    const { clinic, open, clock, store, patient, mote } = await oneMote()
    const all = Array.from({ length: 1200 }, (_, i) => ({
        ...{ envelope: i, mote: mote.id, patient: patient.id, name: "hr", unit: "beat/min", value: 60, time: i + 1 },
        ...{ absent: null, quality: null, relative: 0, problem: null, count: null, least: null, greatest: null },
        span: null,
    }))
    await store.measurement.add(all)
    await clinic.erasures.repeat([patient.id], "root")
    const ended = clinic.retention.erase()
    const count = async () => (await store.db.selectFrom("measurement").select("id").execute()).length
    while ((await count()) === 1200) await clock.advance(10)
    void clinic.retention.stop()
    await clock.advance(60_000)
    await ended
    assert.ok((await count()) > 0)
    assert.equal((await clinic.erasures.all())[0]!.finished_at, null)
    const again = await open()
    await erase(again, clock)
    assert.equal(await count(), 0)
    assert.equal((await again.erasures.all())[0]!.readings, 1200)
})
