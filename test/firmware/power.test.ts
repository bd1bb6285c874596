import assert from "node:assert/strict"
import { test } from "node:test"
import { syntheticBody, type Body } from "../../sim/body/index.ts"
import { Lis3dh } from "../../sim/devices/lis3dh.ts"
import { Max30102 } from "../../sim/devices/max30102.ts"
import { Max30205 } from "../../sim/devices/max30205.ts"
import type { I2cChip } from "../../sim/devices/sensor-bus.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

const interval = 1
const standby = 2
const everyS = 120

interface Shown {
    atMs: number
    bpm?: number
    contact?: boolean
    hasThermometer: boolean
    tempC?: number
    spo2?: number
}

/** A mote with a power mode on `body`, and its readings. */
async function start(body: Body, settings: Record<string, unknown>, without: I2cChip[] = []) {
    const clock = new VirtualClock()
    const optical = new Max30102({ clock, body })
    const accelerometer = new Lis3dh({ clock, body, seed: 2 })
    const chips = [optical, new Max30205({ clock, body, seed: 3 }), accelerometer]
    const readings: Shown[] = []
    const rests: number[] = []
    const messages: string[] = []
    const program = await runProgram("test/src/power.ts", {
        ...{ clock, settings: { every: everyS, ...settings } },
        chips: chips.filter(({ address }) => !without.some(chip => chip.address === address)),
        log: line => {
            const [what, rest] = [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" "))]
            if (what === "reading") readings.push(JSON.parse(rest) as Shown)
            else if (what === "rest") rests.push(Number(rest))
            else messages.push(line)
        },
    })
    return { ...program, clock, optical, accelerometer, readings, rests, messages }
}

function register(chip: I2cChip, address: number): number {
    chip.write(Uint8Array.of(address))
    return chip.read(1)![0]!
}

/** MAX30102 mode configuration, and LIS3DH CTRL_REG1 with its data rate. */
const isOff = (chip: Max30102) => (register(chip, 0x09) & 0x80) !== 0
const isPoweredDown = (chip: Lis3dh) => (register(chip, 0x20) & 0xf0) === 0

const wearer = () => syntheticBody({ seed: 1, bpm: 72, spo2: 97 })

test("interval: one reading per measurement with all settled values, and dark chips in between", async () => {
    const { readings, rests, optical, accelerometer, run, messages, panics } = await start(wearer(), {
        power: interval,
    })
    await run(2 * everyS + 60)
    assert.equal(readings.length, 3)
    assert.equal(rests.length, 3)
    for (const { bpm, contact, hasThermometer, tempC, spo2 } of readings) {
        assert.ok(Math.abs(bpm! - 72) < 4, String(bpm))
        assert.ok(Math.abs(tempC! - 36.7) < 0.3, String(tempC))
        assert.ok(Math.abs(spo2! - 97) <= 2, String(spo2))
        assert.deepEqual([contact, hasThermometer], [true, true])
    }
    // The first measurement waits for the thermometer to settle, which then stays settled.
    assert.ok(rests[0]! > (everyS - 50) * 1000 && rests[0]! < (everyS - 38) * 1000, `${rests[0]}`)
    for (const rest of rests.slice(1)) assert.ok(rest > (everyS - 20) * 1000 && rest < (everyS - 8) * 1000, `${rest}`)
    const gap = readings[2]!.atMs - readings[1]!.atMs
    assert.ok(Math.abs(gap - everyS * 1000) < 6000, `${gap}`)
    assert.ok(isOff(optical) && isPoweredDown(accelerometer))
    const charge = optical.ledCharge()
    await run(everyS - 70)
    assert.equal(optical.ledCharge(), charge, "no light between measurements")
    await run(30)
    assert.ok(optical.ledCharge() > charge)
    assert.deepEqual({ messages, panics }, { messages: [], panics: [] })
})

test("continuous: nothing rests", async () => {
    const { readings, rests, run } = await start(wearer(), {})
    await run(everyS)
    assert.deepEqual(rests, [])
    assert.ok(readings.length >= everyS / 2 - 2, `${readings.length}`)
})

test("a mote that nobody wears soon reports that, and rests", async () => {
    const body = syntheticBody({ seed: 2, off: [{ fromS: 0, toS: 1000 }] })
    const { readings, rests, run } = await start(body, { power: interval })
    await run(everyS + 30)
    assert.deepEqual(
        readings.map(({ contact, bpm, tempC }) => [contact, bpm, tempC]),
        [
            [false, undefined, undefined],
            [false, undefined, undefined],
        ],
    )
    for (const rest of rests) assert.ok(rest > (everyS - 12) * 1000, `${rest}`)
})

test("a missing sensor is reported within a minute", async () => {
    const body = wearer()
    const gone = new Max30102({ clock: new VirtualClock(), body })
    const { readings, rests, run } = await start(body, { power: interval }, [gone])
    await run(80)
    assert.equal(rests.length, 1)
    const [{ contact, tempC } = assert.fail("no reading")] = readings
    assert.equal(contact, undefined)
    assert.ok(Math.abs(tempC! - 36.7) < 0.3, String(tempC))
})

test("if an alarm may be due, it measures until that is decided, but not forever", async () => {
    const few = await start(wearer(), { power: interval, awaited: 3 })
    await few.run(100)
    assert.equal(few.readings.length, 4, "the settled one, and what was waited for")
    assert.equal(few.rests.length, 1)
    const [first, second] = few.readings
    assert.ok(Math.abs(second!.atMs - first!.atMs - 2000) < 200)
    const endless = await start(wearer(), { power: interval, awaited: 1000 })
    await endless.run(100)
    assert.equal(endless.rests.length, 1)
    const span = endless.readings.at(-1)!.atMs - endless.readings[0]!.atMs
    assert.ok(span >= 10_000 && span <= 16_000, `${span} ms, the delay of alarms being 10 s`)
})

test("standby on a chip without it is the same as interval", async () => {
    const { readings, rests, run } = await start(wearer(), { power: standby })
    await run(everyS + 60)
    assert.equal(readings.length, 2)
    assert.equal(rests.length, 2)
})
