import assert from "node:assert/strict"
import { test } from "node:test"
import { emptyStrap, syntheticBody, type Body, type Led } from "../../sim/body/index.ts"
import { wearableChips } from "../../sim/devices/chips.ts"
import type { FaultKind } from "../../sim/devices/faults.ts"
import { Max30102, type Max30102Options } from "../../sim/devices/max30102.ts"
import { Max30205 } from "../../sim/devices/max30205.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { sense, type SensedReading } from "./sense.ts"
import { isLong, sampled } from "../support/long.ts"

const fullScaleNa = 4096

/** A mote on `body` whose optical chip a test can look into. */
async function wear(body: Body, options: Partial<Max30102Options> = {}) {
    let chip!: Max30102
    const sensed = await sense(body, 0, clock => [
        (chip = new Max30102({ clock, body, ...options })),
        new Max30205({ clock, body }),
    ])
    return { ...sensed, chip, ...probes(chip) }
}

function probes(chip: Max30102) {
    /** Current of an LED, 0 while the chip is shut down. */
    const milliamps = (led: Led) => {
        chip.write(Uint8Array.of(0x09))
        const mode = chip.read(1)[0]!
        chip.write(Uint8Array.of(led === "red" ? 0x0c : 0x0d))
        return mode & 0x80 ? 0 : chip.read(1)[0]! * 0.2
    }
    return { milliamps }
}

/** Skin that returns so many nA per mA of infrared, and as much less of red as skin does. */
function skin(nAPerMa: number, options: Partial<Parameters<typeof syntheticBody>[0]> = {}): Body {
    const usual = syntheticBody({ seed: 5, bpm: 72, ...options })
    return {
        reflectance: (led, s) => (usual.reflectance(led, s) * nAPerMa) / 268,
        skinTemperature: s => usual.skinTemperature(s),
    }
}

const after = (readings: SensedReading[], seconds: number) => readings.filter(({ atMs }) => atMs > seconds * 1000)

const count = (readings: SensedReading[]) => readings.filter(({ bpm }) => bpm !== undefined).length

function assertRate(readings: SensedReading[], bpm: number): void {
    assert.ok(readings.length > 0)
    for (const reading of readings) assert.ok(Math.abs(reading.bpm! - bpm) < 4, `${reading.bpm} at ${reading.atMs} ms`)
}

for (const nAPerMa of sampled([60, 700, 120, 268, 500], 2))
    test(`skin of ${nAPerMa} nA/mA: both LEDs in the converter's range, the rate is right`, async () => {
        const { readings, milliamps, run, panics } = await wear(skin(nAPerMa))
        await run(40)
        assertRate(after(readings, 14), 72)
        for (const [led, reflectance] of [
            ["infrared", nAPerMa],
            ["red", (nAPerMa * 220) / 268],
        ] as const) {
            const level = (milliamps(led) * reflectance) / fullScaleNa
            assert.ok(level > 0.3 && level < 0.8, `${led} at ${level} of full scale`)
        }
        assert.deepEqual(panics, [])
    })

test("on usual skin the current stays where it is, and the first rate comes after 8 s", async () => {
    const { readings, milliamps, run } = await wear(
        skin(268, { motion: [{ fromS: 60, toS: 80, cadence: 80, strength: 8 }] }),
    )
    await run(10)
    assert.ok(readings.find(({ bpm }) => bpm !== undefined)!.atMs < 8500)
    for (let i = 0; i < 110; i++) {
        assert.ok(Math.abs(milliamps("infrared") - 7) < 0.01)
        assert.ok(Math.abs(milliamps("red") - 7) < 0.01)
        await run(1)
    }
})

test("a level that drifts out of the range is brought back once, and the pulse survives it", async () => {
    const fading = skin(1)
    const body: Body = {
        // 240 nA/mA, then less by and by: below 30 % of full scale after some 190 s.
        reflectance: (led, s) => (240 - 0.3 * s) * fading.reflectance(led, s),
        skinTemperature: s => fading.skinTemperature(s),
    }
    const { readings, milliamps, run } = await wear(body)
    const currents = new Set<number>()
    for (let i = 0; i < 300; i++) {
        await run(1)
        currents.add(Math.round(5 * milliamps("infrared")))
    }
    assert.equal(currents.size, 2)
    const missing = after(readings, 10).filter(({ bpm }) => bpm === undefined)
    assert.ok(missing.length <= 12, `${missing.length} without a value`)
    assertRate(after(readings, 280), 72)
})

test("too much reflection brings the current down at once", async () => {
    const pulse = skin(1)
    const body: Body = {
        reflectance: (led, s) => (s < 30 ? 150 : 680) * pulse.reflectance(led, s),
        skinTemperature: s => pulse.skinTemperature(s),
    }
    const { readings, milliamps, run } = await wear(body)
    await run(30)
    const before = milliamps("infrared")
    await run(2)
    assert.ok(milliamps("infrared") < before / 2)
    await run(28)
    assertRate(after(readings, 46), 72)
    const wrong = readings.filter(({ bpm }) => bpm !== undefined && Math.abs(bpm - 72) > 6)
    assert.deepEqual(wrong, [])
})

test("taken off, the LEDs go down to almost nothing within 2 s; put on, it measures within 2 s", async () => {
    const body = skin(268, { off: [{ fromS: 30, toS: 90 }] })
    const { readings, chip, milliamps, run } = await wear(body)
    const meanMa = async (seconds: number) => {
        const before = chip.ledCharge()
        await run(seconds)
        return (chip.ledCharge() - before) / seconds
    }
    await run(10)
    assert.ok(Math.abs((await meanMa(10)) - 0.575) < 0.01)
    await run(12)
    assert.equal(milliamps("red"), 0)
    assert.ok((await meanMa(50)) < 0.005)
    await run(10)
    assert.ok(milliamps("infrared") > 5 && milliamps("red") > 5)
    await run(40)
    const off = readings.filter(({ atMs }) => atMs > 32_000 && atMs < 90_000)
    assert.equal(off.length, 29)
    assert.ok(off.every(r => r.bpm === undefined && r.quality === 0 && r.tempC === undefined))
    assertRate(after(readings, 101), 72)
})

test("light of the surroundings beyond what the chip can cancel: no value, and it is said", async () => {
    const body: Body = { ...skin(268), ambientLight: s => (s > 30 && s < 60 ? 3e5 : 5e4) }
    const { readings, messages, run } = await wear(body)
    await run(90)
    assertRate(
        readings.filter(({ atMs }) => atMs > 10_000 && atMs < 30_000),
        72,
    )
    const blind = readings.filter(({ atMs }) => atMs > 32_000 && atMs < 60_000)
    assert.ok(blind.length >= 13)
    assert.ok(blind.every(({ bpm, quality }) => bpm === undefined && quality === 0))
    assertRate(after(readings, 74), 72)
    const said = messages.filter(line => line.startsWith("optical sensor"))
    assert.deepEqual(said, ["optical sensor: too much ambient light", "optical sensor: works again"])
})

test("a dead red LED is told and costs no heart rate", async () => {
    const { readings, messages, chip, run } = await wear(skin(268))
    await run(20)
    chip.failLed("red")
    await run(30)
    assertRate(after(readings, 20), 72)
    assert.equal(messages.filter(line => line === "optical sensor: red LED dark").length, 1)
})

test("a dead infrared LED is told; there is no rate, but skin", async () => {
    const { readings, messages, chip, run } = await wear(skin(268))
    await run(30)
    chip.failLed("infrared")
    await run(30)
    assert.equal(count(after(readings, 32)), 0)
    assert.ok(after(readings, 32).every(({ quality }) => quality === 0))
    assert.ok(readings.at(-1)!.tempC! > 36)
    assert.equal(messages.filter(line => line === "optical sensor: infrared LED dark").length, 1)
})

test("both LEDs dark at once is not taken for a wearer who left", async () => {
    const { readings, messages, chip, run } = await wear(skin(268))
    await run(20)
    chip.failLed("red")
    chip.failLed("infrared")
    await run(30)
    assert.equal(count(after(readings, 22)), 0)
    assert.ok(messages.includes("optical sensor: LEDs dark"))
    assert.ok(!messages.includes("optical sensor: works again"))
})

test("a wearer who takes the mote off is no failure", async () => {
    const { messages, run } = await wear(skin(268, { off: [{ fromS: 20, toS: 40 }] }))
    await run(60)
    assert.deepEqual(
        messages.filter(line => line.startsWith("optical sensor")),
        [],
    )
})

const faultMessages: [FaultKind, RegExp][] = [
    ["nack", /I2C error/],
    ["stuck", /I2C error/],
    ["reset", /I2C error/],
    ["overflow", /samples lost/],
    ["saturation", /too much ambient light/],
    ["led", /LEDs dark/],
]
for (const [kind, message] of faultMessages)
    test(`fault ${kind}: told once, readings go on without a value, and all is well when it is over`, async () => {
        const body = skin(268)
        const fault = { chip: "optical", kind, fromS: 20, toS: 33 } as const
        const { readings, messages, panics } = await sense(body, 70, clock =>
            wearableChips(clock, body, 1, { faults: [fault] }),
        )
        const during = readings.filter(({ atMs }) => atMs > 22_000 && atMs < 33_000)
        assert.ok(during.length >= 5)
        assert.ok(during.every(({ bpm, quality }) => bpm === undefined && quality === 0))
        const said = messages.filter(line => line.startsWith("optical sensor: "))
        assert.equal(said.filter(line => message.test(line)).length, 1, said.join("\n"))
        assert.equal(said.at(-1), "optical sensor: works again")
        assertRate(
            readings.filter(({ atMs }) => atMs > 10_000 && atMs < 20_000),
            72,
        )
        assertRate(after(readings, 48), 72)
        const gaps = readings.slice(1).map(({ atMs }, i) => atMs - readings[i]!.atMs)
        assert.ok(Math.max(...gaps) < 4000, gaps.join())
        assert.deepEqual(panics, [])
    })

test("a chip that loses power while nobody wears it is set up again", async () => {
    const { readings, messages, chip, milliamps, run } = await wear(skin(268, { off: [{ fromS: 5, toS: 40 }] }))
    await run(20)
    chip.powerUp()
    await run(6)
    assert.ok(messages.includes("optical sensor: MAX30102 lost power"))
    assert.ok(messages.includes("optical sensor: works again"))
    await run(4)
    assert.equal(milliamps("red"), 0)
    await run(30)
    assertRate(after(readings, 52), 72)
})

test("lying on a white desk, nobody wears it; in the hand and on the arm again, it measures", async () => {
    const wearer = skin(268)
    const body: Body = {
        reflectance: (led, s) => (s < 120 ? (led === "red" ? 380 : 300) : s < 124 ? 5 : wearer.reflectance(led, s)),
        skinTemperature: s => (s < 124 ? 23 : wearer.skinTemperature(s)),
    }
    const { readings, chip, run } = await wear(body)
    await run(70)
    const before = chip.ledCharge()
    await run(45)
    assert.ok((chip.ledCharge() - before) / 45 < 0.005)
    await run(45)
    const desk = readings.filter(({ atMs }) => atMs < 120_000)
    assert.ok(desk.every(({ bpm, tempC }) => bpm === undefined && tempC === undefined))
    assertRate(after(readings, 138), 72)
})

test("the weakest pulse that counts is no thing that lies still", async () => {
    const body: Body = {
        reflectance: (led, s) => (led === "red" ? 220 : 268) * (1 - 0.00025 * Math.sin(2 * Math.PI * 1.2 * s)),
        skinTemperature: () => 36,
    }
    const { readings, run } = await wear(body)
    await run(200)
    assertRate(after(readings, 20), 72)
})

/** Mains light is a little off the chip's 100 Hz, so that it beats like a heart of 72 bpm. */
const beating = 0.012
const lamp = (hz: number, nA: number) => (s: number) => nA * Math.abs(Math.sin(Math.PI * hz * s))
const noSkin: [string, Body, number][] = [
    ["a dark glass", { ...emptyStrap, reflectance: () => 8 }, 0],
    ["a desk", { ...emptyStrap, reflectance: () => 25 }, 0],
    ["nothing at all", { ...emptyStrap, reflectance: () => 0 }, 0],
    ["sunlight and clouds", { ...emptyStrap, ambientLight: s => 1e5 + 8e4 * Math.sin(s / 5) }, 0],
    ["full sunlight", { ...emptyStrap, ambientLight: s => 2e5 + 5e4 * Math.sin(s / 7) }, 0],
    ["a lamp at 100 Hz", { ...emptyStrap, ambientLight: lamp(100, 3000) }, beating],
    ["a lamp at 120 Hz", { ...emptyStrap, ambientLight: lamp(120, 3000) }, beating],
    ["a lamp at 100 Hz, near", { ...emptyStrap, ambientLight: lamp(100, 30_000) }, beating],
]
for (const [name, body, oscillatorError] of noSkin)
    test(`${name}: no skin, no value, LEDs down`, async () => {
        const { readings, chip, run } = await wear(body, { oscillatorError })
        await run(10)
        const before = chip.ledCharge()
        const restS = isLong ? 300 : 60
        await run(restS)
        assert.equal(count(readings), 0)
        assert.ok(readings.every(({ tempC }) => tempC === undefined))
        assert.ok(after(readings, 10).every(({ quality }) => quality === 0))
        assert.ok((chip.ledCharge() - before) / restS < 0.005)
    })

test("what a strap lets through of a lamp does not disturb the rate", async () => {
    const body: Body = { ...skin(268), ambientLight: lamp(100, 100) }
    const { readings, run } = await wear(body, { oscillatorError: 0.004 })
    await run(60)
    const late = after(readings, 14)
    assert.ok(count(late) > 0.9 * late.length)
    assertRate(
        late.filter(({ bpm }) => bpm !== undefined),
        72,
    )
})

for (const led of sampled([3, 12]))
    test(`no LED gets more than ${led} mA when that is the maximum`, async () => {
        const { milliamps, lines, run } = await wearUnder({ led })
        for (let i = 0; i < 20; i++) {
            await run(0.5)
            assert.ok(milliamps("infrared") <= led + 0.01)
            assert.ok(milliamps("red") <= led + 0.01)
        }
        assert.ok(Math.abs(milliamps("infrared") - led) < 0.01)
        assert.equal(lines.at(-1)!.split(" ").at(-1), "1", "skin all the same")
    })

test("a lower maximum holds within seconds, a higher one is used", async () => {
    for (const [led, laterLed] of [
        [12, 3],
        [3, 12],
    ] as const) {
        const { milliamps, run } = await wearUnder({ led, laterLed })
        await run(8)
        assert.ok(Math.abs(milliamps("infrared") - led) < 0.01)
        await run(6)
        assert.ok(Math.abs(milliamps("infrared") - laterLed) < 0.01)
        assert.ok(milliamps("red") <= laterLed + 0.01)
    }
})

/** The optical sensor under dark skin, which takes all the current that it can get. */
async function wearUnder(settings: Record<string, number>) {
    const clock = new VirtualClock()
    const chip = new Max30102({ clock, body: skin(60) })
    const { milliamps } = probes(chip)
    const { lines, run } = await runProgram("test/src/optical.ts", { clock, chips: [chip], settings })
    return { milliamps, lines, run }
}
