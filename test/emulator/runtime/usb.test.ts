// A Jacdac client at the board's USB cable, on the real runtime; only where VITALMOTE_RUNTIME names one.
import assert from "node:assert/strict"
import { test } from "node:test"
import { jacdac, JacdacClient } from "../../support/jacdac.ts"
import { World } from "../../proof/world.ts"
import { live } from "./silicon.ts"

const { SRV_HEART_RATE, SRV_TEMPERATURE, SRV_PULSE_OXIMETER, SystemReg, SystemStatusCodes } = jacdac
const forGood = Uint8Array.of(255)

test("a Jacdac client at the USB cable finds the mote's services, and their readings stream", async t => {
    const world = new World(10)
    t.after(() => world.close())
    const client = new JacdacClient(world.clock)
    const life = await live(world, { frame: client.receive })
    client.mote = life.mote
    await life.run(8)
    const heartRate = client.sensor(SRV_HEART_RATE)
    const others = [client.sensor(SRV_TEMPERATURE), client.sensor(SRV_PULSE_OXIMETER)]
    const ask = (seconds: number) => life.run(seconds)
    for (const sensor of [heartRate, ...others]) {
        await sensor.send(0x2000 | SystemReg.StreamingSamples, forGood)
        assert.equal((await sensor.get(SystemReg.StatusCode, ask))![0], SystemStatusCodes.Initializing)
    }
    await life.run(60, () => heartRate.readings.length >= 3)
    assert.ok(heartRate.readings.length >= 3)
    for (const value of heartRate.readings) assert.ok(value > 40 && value < 150, String(value))
    assert.deepEqual(await heartRate.get(SystemReg.StatusCode, ask), [SystemStatusCodes.Ready, 0])
    assert.deepEqual(await heartRate.get(SystemReg.ReadingError, ask), [5])
    // What the cable says is what arrives at the clinic.
    await life.run(15)
    const arrived = world
        .arrived()
        .flatMap(({ measurements }) => measurements)
        .filter(({ name }) => name === "hr")
        .map(({ value }) => value)
    const streamed = heartRate.readings.map(value => Math.round(value * 8) / 8)
    const shared = arrived.filter(value => streamed.includes(Math.round(value * 8) / 8))
    assert.ok(shared.length >= 3, `${arrived.join()} and ${streamed.join()}`)
    assert.equal(life.mote.board.halt, undefined)
})
