import assert from "node:assert/strict"
import { test } from "node:test"
import { syntheticBody, type Body } from "../../sim/body/index.ts"
import { wearableChips } from "../../sim/devices/chips.ts"
import type { Fault } from "../../sim/devices/faults.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { jacdac, JacdacClient } from "../support/jacdac.ts"

const { SRV_HEART_RATE, SRV_TEMPERATURE, SRV_PULSE_OXIMETER, SystemReg, SystemStatusCodes } = jacdac
const { Initializing, Ready, WaitingForInput } = SystemStatusCodes
const forGood = Uint8Array.of(255)

/** A mote and somebody at its cable; a mote needs no identity for that. */
async function start(body: Body, settings: Record<string, unknown> = {}, faults: Fault[] = []) {
    const clock = new VirtualClock()
    const client = new JacdacClient(clock)
    const chips = wearableChips(clock, body, 1, { faults })
    const program = await runProgram("src/main.ts", {
        ...{ clock, chips, settings },
        frame: client.receive,
    })
    client.mote = program.mote
    await program.run(3)
    return { ...program, client }
}

test("a client sees heart rate, temperature and oxygen saturation once they are known", async () => {
    const { client, run, panics } = await start(syntheticBody({ seed: 1, bpm: 72, spo2: 97 }))
    const heartRate = client.sensor(SRV_HEART_RATE)
    const temperature = client.sensor(SRV_TEMPERATURE)
    const oxygen = client.sensor(SRV_PULSE_OXIMETER)
    for (const sensor of [heartRate, temperature, oxygen]) {
        await sensor.send(0x2000 | SystemReg.StreamingSamples, forGood)
        assert.equal(await sensor.get(SystemReg.Reading, run), undefined)
        assert.equal((await sensor.get(SystemReg.StatusCode, run))![0], Initializing)
    }
    assert.deepEqual(await heartRate.get(SystemReg.ReadingError, run), [210])

    await run(50)
    for (const [sensor, seconds, expected, tolerance] of [
        [heartRate, 2, 72, 4],
        [temperature, 2, 36.7, 0.3],
        [oxygen, 8, 97, 2],
    ] as const) {
        const before = sensor.readings.length
        await run(24)
        const readings = sensor.readings.slice(before)
        assert.ok(Math.abs(readings.length - 24 / seconds) <= 1, `${readings.length} readings`)
        for (const value of readings) assert.ok(Math.abs(value - expected) < tolerance, `${value}`)
        assert.deepEqual(sensor.changes, [[Ready, 0]])
        const last = sensor.readings.at(-1)
        assert.deepEqual(await sensor.get(SystemReg.Reading, run), [last])
        assert.deepEqual(await sensor.get(SystemReg.StatusCode, run), [Ready, 0])
    }
    assert.deepEqual(await heartRate.get(SystemReg.ReadingError, run), [5])
    assert.deepEqual(await temperature.get(SystemReg.MinReading, run), [30])
    assert.deepEqual(await temperature.get(SystemReg.MaxReading, run), [45])
    const variant = await temperature.get(SystemReg.Variant, run)
    assert.deepEqual(variant, [jacdac.TemperatureVariant.Body])
    assert.deepEqual(panics, [])
})

/** `vendor_code` of the status where there is no value. */
const [noSensor, noSkin, motion] = [1, 2, 3]

test("a value that is not known any more is gone, and the reason is told", async () => {
    const wearer = syntheticBody({
        seed: 3,
        motion: [{ fromS: 40, toS: 60, cadence: 100, strength: 8 }],
        off: [{ fromS: 100, toS: 1000 }],
    })
    // Without accelerometer: motion cannot be removed.
    const body: Body = {
        reflectance: (led, seconds) => wearer.reflectance(led, seconds),
        skinTemperature: seconds => wearer.skinTemperature(seconds),
    }
    const stuck: Fault = { chip: "optical", kind: "stuck", fromS: 125, toS: 1000 }
    const { client, run, panics } = await start(body, {}, [stuck])
    const heartRate = client.sensor(SRV_HEART_RATE)
    const temperature = client.sensor(SRV_TEMPERATURE)
    await heartRate.send(0x2000 | SystemReg.StreamingSamples, forGood)
    const states: [seconds: number, status: number, reason: number][] = [
        [47, WaitingForInput, motion],
        [40, Ready, 0],
        [10, WaitingForInput, noSkin],
    ]
    for (const [seconds, status, reason] of states) {
        await run(seconds)
        assert.deepEqual(await heartRate.get(SystemReg.StatusCode, run), [status, reason])
        const { length } = heartRate.readings
        const answer = await heartRate.get(SystemReg.Reading, run)
        assert.equal(answer === undefined, status !== Ready)
        const [error] = (await heartRate.get(SystemReg.ReadingError, run))!
        assert.equal(error, status === Ready ? 5 : 210)
        await run(5)
        assert.equal(heartRate.readings.length > length, status === Ready)
    }
    const noticed = heartRate.changes.filter(([, reason]) => reason !== 4)
    assert.deepEqual(noticed, [
        [Ready, 0],
        [WaitingForInput, motion],
        [Ready, 0],
        [WaitingForInput, noSkin],
    ])
    await run(20)
    for (const sensor of [heartRate, temperature]) {
        assert.deepEqual(await sensor.get(SystemReg.StatusCode, run), [Initializing, noSensor])
        assert.equal(await sensor.get(SystemReg.Reading, run), undefined)
    }
    assert.deepEqual(panics, [])
})

test("whatever a client sends, the mote answers or ignores it and goes on", async () => {
    const { client, run, panics, lines } = await start(syntheticBody({ seed: 4 }))
    const heartRate = client.sensor(SRV_HEART_RATE)
    for (const code of [0x000, 0x080, 0x1001, 0x1101, 0x1fff, 0x2003, 0x2004, 0x2107, 0x3000, 0xffff])
        for (const size of [0, 1, 3, 200]) {
            await heartRate.send(code, new Uint8Array(size).fill(0xff))
            await run(0.1)
        }
    assert.equal(await heartRate.get(SystemReg.ClientVariant, run), undefined)
    assert.equal(heartRate.isImplemented(SystemReg.ClientVariant), false)
    assert.equal(heartRate.isImplemented(SystemReg.Reading), true)
    await heartRate.send(0x2000 | SystemReg.StreamingInterval, Uint8Array.of(0, 0, 0, 0))
    assert.deepEqual(await heartRate.get(SystemReg.StreamingInterval, run), [2000])
    await heartRate.send(0x2000 | SystemReg.StreamingSamples, Uint8Array.of(2))
    await run(20)
    assert.equal(heartRate.readings.length, 2, "as many as were asked for")
    assert.deepEqual({ lines, panics }, { lines: ["setting kid: 16 hex digits are needed"], panics: [] })
})

test("the setting jacdac keeps vitals off the cable", async () => {
    const { client, run, panics } = await start(syntheticBody({ seed: 5 }), { jacdac: "off" })
    await run(3)
    for (const serviceClass of [SRV_HEART_RATE, SRV_TEMPERATURE, SRV_PULSE_OXIMETER])
        assert.throws(() => client.sensor(serviceClass), /no service/)
    assert.deepEqual(panics, [])
})
