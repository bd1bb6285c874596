import assert from "node:assert/strict"
import { test } from "node:test"
import { ManualClock } from "../support/clock.ts"
import { alarmEvent, TestMote } from "../support/mote.ts"
import { delivery, measurement, memoryClinic } from "./support.ts"

const minuteMs = 60_000
const dayMs = 86_400_000

async function ward() {
    const clock = new ManualClock()
    const clinic = await memoryClinic(clock)
    const patient = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote, secret } = await clinic.motes.register(patient.id)
    const sealer = new TestMote({ kid: mote.kid, secret })
    const router = await clinic.accounts.add({ name: "router-3", role: "router" })
    /** A heart rate, measured, received and delivered now, by a router whose clock is ahead by `aheadMs`. */
    const arrive = async (rate: number, { aheadMs = 0, saysTime = true, at = clock.now() } = {}) => {
        const envelope = sealer.seal([measurement("hr", rate, at + aheadMs)], at + aheadMs)
        const times = saysTime ? { sentAt: clock.now() + aheadMs } : {}
        const [result] = await clinic.ingest([delivery(envelope, at + aheadMs)], { account: router.id, ...times })
        return result!.reason ?? result!.status
    }
    const shown = async () => {
        const newest = await clinic.observations.newest(patient.id, "hr")
        return newest && `${newest.value} of ${(clock.now() - newest.time) / 1000} s ago`
    }
    return { clock, clinic, patient, mote, secret, sealer, router, arrive, shown }
}

test("the host's clock jumps ahead by a day and is set right: what arrives from then on is shown, with its true age", async () => {
    const { clock, clinic, mote, patient, arrive, shown } = await ward()
    await arrive(71)
    clock.step(dayMs)
    await arrive(72)
    assert.equal(await shown(), "72 of 0 s ago")
    clock.step(-dayMs + 45_000)
    await arrive(150)
    assert.equal(await shown(), "150 of 0 s ago")
    assert.equal((await clinic.completeness(mote)).newestAt, clock.now())
    await clock.advance(10_000)
    await arrive(165)
    await clock.advance(10 * minuteMs)
    assert.equal(await shown(), "165 of 600 s ago", "then nothing: it grows old")
    const all = await clinic.observations.search({
        ...{ patients: [patient.id], names: ["hr"], newestFirst: false, limit: 9 },
    })
    assert.deepEqual(
        all.map(({ value }) => value),
        [71, 150, 165, 72],
    )
})

test("what a router had kept and delivers late does not take the place of newer values", async () => {
    const { clock, arrive, shown } = await ward()
    const old = clock.now()
    await clock.advance(20 * minuteMs)
    await arrive(80)
    await arrive(60, { at: old })
    assert.equal(await shown(), "80 of 0 s ago")
})

test("a router that is ahead or behind is known by name, and its readings get their true times", async () => {
    for (const aheadMs of [10 * minuteMs, -10 * minuteMs, 3 * dayMs]) {
        const { clinic, clock, patient, arrive, shown } = await ward()
        assert.equal(await arrive(72, { aheadMs }), "stored")
        assert.equal(await shown(), "72 of 0 s ago")
        assert.deepEqual(await clinic.conditions(), [{ code: "router-clock", router: "router-3", offsetMs: -aheadMs }])
        await clock.advance(minuteMs)
        await arrive(73)
        assert.equal(await shown(), "73 of 0 s ago")
        assert.deepEqual(await clinic.conditions(), [], "its clock was set")
        assert.equal(await clinic.observations.count({ patients: [patient.id], names: ["hr"] }), 2)
    }
})

test("a router that does not say its time and is ahead: nothing is received after it was delivered", async () => {
    const { clinic, arrive, shown, mote } = await ward()
    await arrive(72, { aheadMs: 10 * minuteMs, saysTime: false })
    assert.equal(await shown(), "72 of 0 s ago")
    assert.deepEqual((await clinic.completeness(mote)).problems, { count: 0, newest: null })
})

test("a small skew, such as a delivery takes, changes nothing", async () => {
    const { clinic, arrive, shown } = await ward()
    await arrive(72, { aheadMs: -3000 })
    assert.equal(await shown(), "72 of 3 s ago")
    assert.deepEqual(await clinic.conditions(), [])
})

test("a relative time counts back from the arrival by the clinic's clock, whatever the router's says", async () => {
    const { clinic, clock, sealer, router, shown } = await ward()
    const aheadMs = 10 * minuteMs
    const sentAt = clock.now() + aheadMs
    const pack = [measurement("hr", 66, sentAt - 4000, { relative: true })]
    await clinic.ingest([delivery(sealer.seal(pack, sentAt), sentAt)], { account: router.id, sentAt })
    assert.equal(await shown(), "66 of 4 s ago")
})

test("a router that comes with a new store is told of: what it had receipted may be missing", async () => {
    const { clinic, clock, router } = await ward()
    const deliver = async (storeSince: number) =>
        await clinic.ingest([], { account: router.id, sentAt: clock.now(), storeSince })
    const made = clock.now() - dayMs
    await deliver(made)
    await clock.advance(minuteMs)
    await deliver(made)
    assert.deepEqual(await clinic.conditions(), [])
    await clock.advance(10 * minuteMs)
    await deliver(clock.now() - 1000)
    const lost = { code: "router-store-lost", router: "router-3", at: clock.now() }
    assert.deepEqual(await clinic.conditions(), [lost])
    await clock.advance(8 * dayMs)
    assert.deepEqual(await clinic.conditions(), [])
})

test("a revoked mote is judged by the clinic's clock: what a router dates back is taken for a day, and never after", async () => {
    const { clinic, clock, mote, arrive } = await ward()
    const before = clock.now()
    await clock.advance(minuteMs)
    await clinic.revoke(mote.kid)
    await clock.advance(minuteMs)
    assert.equal(await arrive(60, { at: before }), "stored", "the router had it before")
    assert.equal(await arrive(61), "revoked")
    await clock.advance(dayMs)
    assert.equal(await arrive(62, { at: 0 }), "revoked", "received in 1970")
    assert.equal(await arrive(62, { at: before }), "revoked")
    clock.step(-30 * dayMs)
    assert.equal(await arrive(63), "revoked", "the clock was ahead when it was revoked")
})

test("the secret before a rotation ends by the clinic's clock, too", async () => {
    const { clinic, clock, mote, arrive, sealer } = await ward()
    const before = clock.now()
    await clock.advance(minuteMs)
    const { secret } = (await clinic.rotate(mote.kid))!
    const renewed = new TestMote({ kid: mote.kid, secret })
    const now = clock.now()
    // Its router is a year behind: the clinic's clock says when the new secret was heard first.
    await clinic.ingest([delivery(renewed.seal([measurement("hr", 70, now)], now), now - 365 * dayMs)])
    assert.equal(await arrive(60, { at: before }), "stored")
    await clock.advance(minuteMs)
    assert.equal(await arrive(61), "old-secret")
    await clock.advance(2 * dayMs)
    assert.equal(await arrive(62, { at: before }), "old-secret")
    assert.equal(sealer.seq, 3)
})

test("alarms are in the order in which they arrived: one of tomorrow does not stay on top", async () => {
    const { clinic, clock, sealer } = await ward()
    const raise = async (id: number, kind: string) => {
        const now = clock.now()
        const event = alarmEvent(kind, true, now, { id })
        await clinic.ingest([delivery(sealer.sealAlarms([event], now), now, "alarm")])
    }
    clock.step(dayMs)
    await raise(1, "hr-high")
    clock.step(-dayMs)
    await raise(2, "temp-high")
    assert.deepEqual(
        (await clinic.alarms.open()).map(({ kind }) => kind),
        ["temp-high", "hr-high"],
    )
})

test("the time of day is set by an hour, or by a year: nobody is logged out, and half an hour without use still counts", async () => {
    const clock = new ManualClock()
    const clinic = await memoryClinic(clock)
    await clinic.accounts.add({ name: "ruth", role: "nurse", wards: "all", password: "correct horse" })
    const { session } = (await clinic.accounts.login("ruth", "correct horse"))!
    const isIn = async () => (await clinic.accounts.bySession(session))?.name === "ruth"
    for (const step of [60 * minuteMs, -365 * dayMs, 3 * 365 * dayMs]) {
        clock.step(step)
        await clock.advance(minuteMs)
        assert.ok(await isIn())
        await clinic.accounts.login("ruth", "correct horse")
        assert.ok(await isIn(), "another login clears away what is over, and no more")
    }
    await clock.advance(31 * minuteMs)
    assert.equal(await isIn(), false)
})

test("a session ends after half a day, however much it is used", async () => {
    const clock = new ManualClock()
    const clinic = await memoryClinic(clock)
    await clinic.accounts.add({ name: "ruth", role: "nurse", wards: "all", password: "correct horse" })
    const { session } = (await clinic.accounts.login("ruth", "correct horse"))!
    for (let minutes = 0; minutes < 12 * 60; minutes += 29) {
        assert.ok(await clinic.accounts.bySession(session), `after ${minutes} minutes of use`)
        await clock.advance(29 * minuteMs)
    }
    assert.equal(await clinic.accounts.bySession(session), undefined)
})

test("a command that was given before the clock was set back is not given again", async () => {
    const { clinic, clock, mote } = await ward()
    await clinic.command(mote.kid, { command: "identify", author: "ruth" })
    assert.equal((await clinic.configurations.commands(mote)).length, 1)
    clock.step(-dayMs)
    assert.deepEqual(await clinic.configurations.commands(mote), [])
    assert.equal((await clinic.keys())[0]!.commands, undefined)
})
