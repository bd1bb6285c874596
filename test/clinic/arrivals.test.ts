import assert from "node:assert/strict"
import { test } from "node:test"
import { delivery, measurement, oneMote } from "./support.ts"

const minute = 60_000

async function ward() {
    const { clock, open, clinic, patient, mote, sealer } = await oneMote()
    await clinic.arrivals.check()
    const seal = (hr = 72, at = clock.now()) => sealer.seal([measurement("hr", hr, at)], clock.now())
    const deliver = async (...envelopes: Uint8Array[]) => {
        const results = await clinic.ingest(envelopes.map(envelope => delivery(envelope, clock.now())))
        assert.deepEqual([...new Set(results.map(({ status }) => status))], ["stored"])
    }
    const good = async (count: number) => {
        for (let i = 0; i < count; i++) await deliver(seal())
    }
    const alarms = async (watched = clinic) => {
        await watched.arrivals.check()
        const all = await clinic.alarms.ofPatient(patient.id, 100)
        return all.map(({ kind, isOpen, raisedValue }) =>
            `${kind} ${isOpen ? "open" : "over"} ${raisedValue ?? ""}`.trim(),
        )
    }
    return { clock, clinic, mote, open, seal, deliver, good, alarms }
}

test("readings with a problem: three of the last ten envelopes are an alarm, one line however many there are", async () => {
    const { clock, seal, deliver, good, alarms } = await ward()
    await good(20)
    await deliver(seal(999))
    await good(9)
    await deliver(seal(999), seal(999))
    assert.deepEqual(await alarms(), [], "two, and one that is too long ago")
    await deliver(seal(72, clock.now() + 86_400_000))
    assert.deepEqual(await alarms(), ["readings-flawed open"])
    for (let i = 0; i < 50; i++) await deliver(seal(999))
    assert.deepEqual(await alarms(), ["readings-flawed open"])
    // Neither time nor silence ends it, nor some that are good.
    await clock.advance(24 * 60 * minute)
    await good(9)
    assert.deepEqual(await alarms(), ["readings-flawed open"])
    await good(1)
    assert.deepEqual(await alarms(), ["readings-flawed over"])
})

test("readings with a problem: over a restart of the clinic the alarm stays, once", async () => {
    const { clinic, open, seal, deliver, good, alarms } = await ward()
    await deliver(seal(999), seal(999), seal(999))
    assert.deepEqual(await alarms(), ["readings-flawed open"])
    const again = await open()
    assert.deepEqual(await alarms(again), ["readings-flawed open"])
    await deliver(seal(999), seal(999), seal(999))
    assert.deepEqual(await alarms(again), ["readings-flawed open"])
    assert.equal((await clinic.alarms.open())[0]!.count, 1)
    await good(10)
    assert.deepEqual(await alarms(again), ["readings-flawed over"])
})

test("a gap that closes within ten minutes is no alarm; one that does not is, until it closes", async () => {
    const { clock, open, seal, deliver, good, alarms } = await ward()
    await good(3)
    const late = [seal(), seal(), seal()]
    await good(3)
    await clock.advance(9 * minute)
    assert.deepEqual(await alarms(), [])
    await deliver(...late)
    await clock.advance(20 * minute)
    assert.deepEqual(await alarms(), [])

    const later = [seal(), seal(), seal()]
    await good(1)
    await clock.advance(11 * minute)
    assert.deepEqual(await alarms(), ["readings-missing open 3"])
    // Silence ends nothing, nor does a restart, nor a part of it.
    await clock.advance(2 * 24 * 60 * minute)
    assert.deepEqual(await alarms(), ["readings-missing open 3"])
    const again = await open()
    await again.arrivals.check()
    await deliver(later[1]!)
    assert.deepEqual(await alarms(again), ["readings-missing open 3"])
    await deliver(later[0]!, later[2]!)
    assert.deepEqual(await alarms(again), ["readings-missing over 3"])
})

test("a gap that never closes is told of once; the alarm is over when much has come without another one", async () => {
    const { clock, open, seal, deliver, good, alarms } = await ward()
    await good(1)
    seal()
    await good(1)
    await clock.advance(11 * minute)
    assert.deepEqual(await alarms(), ["readings-missing open 1"])
    await good(60)
    seal()
    await good(60)
    await clock.advance(11 * minute)
    assert.deepEqual(await alarms(), ["readings-missing open 1"], "another one began the count anew")
    await good(100)
    assert.deepEqual(await alarms(), ["readings-missing over 1"])
    await clock.advance(11 * minute)
    assert.deepEqual(await alarms(), ["readings-missing over 1"])
    assert.deepEqual(await alarms(await open()), ["readings-missing over 1"])
    const late = seal()
    await good(1)
    await clock.advance(11 * minute)
    assert.deepEqual(await alarms(), ["readings-missing open 3", "readings-missing over 1"])
    // Those of before were told of: it is over when the newer one is closed.
    await deliver(late)
    assert.deepEqual(await alarms(), ["readings-missing over 3", "readings-missing over 1"])
})

test("nothing is to be heard of a revoked mote", async () => {
    const { clinic, clock, mote, seal, deliver, good, alarms } = await ward()
    await good(1)
    seal()
    await deliver(seal(999), seal(999))
    await clinic.revoke(mote.kid)
    await clock.advance(11 * minute)
    assert.deepEqual(await alarms(), [])
})
