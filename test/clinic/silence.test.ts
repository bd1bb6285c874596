import assert from "node:assert/strict"
import { test } from "node:test"
import { delivery, measurement, oneMote } from "./support.ts"

async function ward() {
    const { clock, open, clinic, patient, mote, sealer } = await oneMote()
    const report = async (account = 0) => {
        const now = clock.now()
        const pack = [measurement("hr", 72, now)]
        const [result] = await clinic.ingest([delivery(sealer.seal(pack, now), now)], { account })
        assert.equal(result!.status, "stored")
    }
    /** Seconds pass, one by one; the seconds at which the alarm of a silent mote began and ended. */
    const watch = async (seconds: number, watched = clinic) => {
        for (let i = 0; i < seconds; i++) {
            await clock.advance(1000)
            await watched.silence.check()
        }
        const alarms = await clinic.alarms.ofPatient(patient.id, 10)
        return alarms.filter(({ kind }) => kind === "mote-silent").map(({ isOpen }) => (isOpen ? "open" : "over"))
    }
    return { clock, clinic, open, mote, sealer, report, watch }
}

test("silence: a mote that reports every 10 s and then does not is an alarm after 30 s, once, until it is heard", async () => {
    const { report, watch } = await ward()
    await report()
    assert.deepEqual(await watch(31), [])
    assert.deepEqual(await watch(1), ["open"])
    assert.deepEqual(await watch(600), ["open"])
    await report()
    assert.deepEqual(await watch(1), ["over"])
    assert.deepEqual(await watch(40), ["open"], "the same line again")
    for (let i = 0; i < 8; i++) {
        await report()
        await watch(10)
    }
    assert.deepEqual(await watch(40), ["open", "over"], "another one")
})

test("silence: a mote that rests between measurements may be silent for as long as its settings say", async () => {
    const { clinic, mote, sealer, clock, report, watch } = await ward()
    await clinic.configure(mote.kid, { settings: { power: 1, every: 300 }, author: "ruth" })
    await report()
    // Nothing counts but what the mote says it works by.
    assert.deepEqual(await watch(40), ["open"])
    const now = clock.now()
    const pack = [measurement("config", 1, now, { unit: "count" })]
    await clinic.ingest([delivery(sealer.seal(pack, now), now)])
    assert.deepEqual(await watch(370), ["over"])
    assert.deepEqual(await watch(20), ["open", "over"])
})

test("silence: a clock that is set makes no mote silent, nor heard", async () => {
    const { clock, report, watch } = await ward()
    await report()
    await watch(5)
    clock.step(86_400_000)
    assert.deepEqual(await watch(20), [])
    clock.step(-86_400_000)
    assert.deepEqual(await watch(20), ["open"])
})

test("silence: a mote that was never heard is not on any patient yet", async () => {
    const { watch } = await ward()
    assert.deepEqual(await watch(100), [])
})

test("silence: over a restart of the clinic an open alarm stays, and is not raised again", async () => {
    const { clinic, open, report, watch } = await ward()
    await report()
    assert.deepEqual(await watch(40), ["open"])
    const again = await open()
    assert.deepEqual(await watch(100, again), ["open"])
    await report()
    assert.deepEqual(await watch(1, again), ["over"])
    assert.deepEqual(await clinic.alarms.open(), [])
})

test("silence: nothing is to be heard of a revoked mote", async () => {
    const { clinic, mote, report, watch } = await ward()
    await report()
    await watch(5)
    await clinic.revoke(mote.kid)
    assert.deepEqual(await watch(100), [])
})

test("silence: a router that goes is one condition, not an alarm for each of its motes; they have their time when it is back", async () => {
    const { clinic, clock, report, watch } = await ward()
    await clinic.setUp()
    const router = (await clinic.accounts.all()).find(({ role }) => role === "router")!
    await report(router.id)
    assert.deepEqual(await watch(300), [])
    const [condition, ...more] = await clinic.conditions()
    assert.deepEqual(more, [])
    assert.deepEqual(condition, { code: "router-silent", router: "router", silentMs: 300_000 })
    await clinic.routers.heard(router.id, {}, clock.now())
    assert.deepEqual(await clinic.conditions(), [])
    assert.deepEqual(await watch(25), [])
    // It is asked for keys, and nothing comes from the mote.
    for (let i = 0; i < 3; i++) {
        await clinic.routers.heard(router.id, {}, clock.now())
        await watch(5)
    }
    assert.deepEqual(await watch(1), ["open"])
})
