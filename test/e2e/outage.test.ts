import assert from "node:assert/strict"
import { test } from "node:test"
import { syntheticBody } from "../../sim/body/index.ts"
import { System } from "./system.ts"

const readingIntervalMs = 2000
/** Five readings make an envelope. */
const reportIntervalMs = 10_000

/** Moments between two readings that are further apart than they should be. */
function gaps(times: number[]): number[] {
    return times.slice(1).filter((time, n) => time - times[n]! > 1.5 * readingIntervalMs)
}

test("the clinic is down for ten minutes: nothing is lost, the motes never notice", async t => {
    const system = await System.start(t)
    const wearers = [await system.admit(syntheticBody({ seed: 1 }))]
    wearers.push(await system.admit(syntheticBody({ seed: 2 })))
    await system.run(60)
    const before = system.router.stats()
    system.clinicIsUp = false
    await system.run(600)
    const during = system.router.stats()
    const expected = (2 * 600_000) / reportIntervalMs
    assert.ok(during.stored - before.stored >= expected - 4, "receipts go on at the same pace")
    assert.equal(during.connections, 2)
    assert.ok(during.outbox >= expected - 4)
    system.clinicIsUp = true
    await system.run(120)
    assert.ok(system.router.stats().outbox <= 2, "the outbox is empty again")
    for (const { patient, kid } of wearers) {
        const times = (await system.values(patient, "hr")).map(({ time }) => time)
        assert.ok(times.length >= 770_000 / readingIntervalMs, `${times.length} readings`)
        assert.equal(new Set(times).size, times.length, "each reading once")
        assert.deepEqual(gaps(times), [])
        const mote = await system.clinic.motes.get(kid)
        assert.deepEqual((await system.clinic.completeness(mote!)).gaps, [])
    }
})

test("the router is away for five minutes: the mote keeps its readings and sends them all", async t => {
    const system = await System.start(t)
    const { patient } = await system.admit(syntheticBody({ seed: 3 }))
    await system.run(60)
    await system.restartRouter(300)
    await system.run(180)
    const times = (await system.values(patient, "hr")).map(({ time }) => time)
    assert.ok(times.length >= 520_000 / readingIntervalMs, `${times.length} readings`)
    assert.equal(new Set(times).size, times.length, "each reading once")
    assert.deepEqual(gaps(times), [])
})

test("a mote that restarts again and again never reuses a nonce, and goes on by itself", async t => {
    const system = await System.start(t)
    const { mote, patient, kid } = await system.admit(syntheticBody({ seed: 4 }))
    const restarts = 12
    for (let n = 0; n < restarts; n++) {
        await system.run(12 + n * 0.73)
        mote.stop()
        await system.run(0.5)
        await mote.powerUp()
    }
    await system.run(30)
    const registered = await system.clinic.motes.get(kid)
    const { stored } = await system.clinic.completeness(registered!)
    // Nothing was refused: a nonce used twice would have been stale or another envelope under a known number.
    const stats = system.router.stats()
    assert.equal(stats.olderBoot + stats.otherSalt + stats.belowWindow + stats.badMac, 0)
    assert.equal(stats.duplicate, 0, "on a line without loss nothing has to be sent again")
    assert.equal(stored, stats.stored)
    assert.ok((await system.values(patient, "hr")).length >= 4 * restarts)
})
