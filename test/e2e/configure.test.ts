import assert from "node:assert/strict"
import { test } from "node:test"
import { syntheticBody } from "../../sim/body/index.ts"
import { System } from "./system.ts"

/** The router asks the clinic every ten seconds; the mote answers with its next envelope. */
const appliedS = 40

test("a configuration made in the clinic is applied by the mote, and its new limit raises an alarm there", async t => {
    const system = await System.start(t)
    const { clinic } = system
    const { kid, patient } = await system.admit(syntheticBody({ seed: 1, bpm: 75 }))
    await system.run(30)
    const mote = (await clinic.motes.get(kid))!
    const heard = await clinic.configurations.inForce(mote)
    assert.equal(heard.version, 0)
    assert.notEqual(heard.heardAt, null, "a mote says at its start what it works by")

    const settings = { hrHigh: 60, delay: 4 }
    const { version } = (await clinic.configure(kid, { settings, author: "doctor" }))!
    await system.run(appliedS)
    assert.equal((await clinic.configurations.newest(mote))?.state, "applied")
    assert.equal((await clinic.configurations.inForce(mote)).version, version)
    await system.run(30)
    const [alarm, ...others] = await clinic.alarms.open()
    assert.deepEqual([alarm?.kind, alarm?.patient, others], ["hr-high", patient, []])
    assert.ok(Math.abs(alarm!.raisedValue! - 75) < 10, `at ${alarm!.raisedValue}`)
    assert.ok(!alarm!.raisedAbout)

    await clinic.configure(kid, { settings: { hrHigh: 130 }, author: "doctor" })
    await clinic.alarms.acknowledge(alarm!.id, "ruth")
    await system.run(appliedS + 30)
    assert.deepEqual(await clinic.alarms.open(), [], "it is over, and somebody has seen it")
})

test("a configuration that would cut the mote off is taken back, and the clinic knows why", async t => {
    const system = await System.start(t)
    const { clinic } = system
    const { kid } = await system.admit(syntheticBody({ seed: 2 }))
    await system.run(30)
    const mote = (await clinic.motes.get(kid))!
    const settings = { router: "coap+tcp://nowhere.invalid:5683", trial: 30, hrHigh: 150 }
    await clinic.configure(kid, { settings, author: "doctor" })
    await system.run(120)
    const newest = (await clinic.configurations.newest(mote))!
    assert.deepEqual([newest.state, newest.reason], ["rolled-back", { code: "no-receipt", seconds: 30 }])
    assert.equal((await clinic.configurations.inForce(mote)).version, 0)
})

test("a mote without the router gets its configuration when it is back", async t => {
    const system = await System.start(t)
    const { clinic } = system
    const { kid } = await system.admit(syntheticBody({ seed: 3 }))
    await system.run(20)
    const mote = (await clinic.motes.get(kid))!
    await clinic.configure(kid, { settings: { report: 30 }, author: "doctor" })
    await system.restartRouter(60)
    assert.equal((await clinic.configurations.newest(mote))?.state, "pending")
    await system.run(90)
    assert.equal((await clinic.configurations.newest(mote))?.state, "applied")
})
