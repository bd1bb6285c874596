import assert from "node:assert/strict"
import { test } from "node:test"
import { Tmp117 } from "../../sim/devices/tmp117.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

function start(skinC: (seconds: number) => number = () => 36.5) {
    const clock = new VirtualClock()
    const body = { reflectance: () => 0, skinTemperature: skinC }
    const chip = new Tmp117({ clock, body })
    const read = (register: number) => {
        chip.write(Uint8Array.of(register))
        const [high, low] = chip.read(2)
        return (high! << 8) | low!
    }
    const celsius = () => ((read(0) << 16) >> 16) / 128
    const configure = (value: number) => chip.write(Uint8Array.of(1, value >> 8, value & 255))
    return { chip, read, celsius, configure, wait: (ms: number) => clock.run(ms) }
}

const assertNear = (celsius: number, expected: number) =>
    assert.ok(Math.abs(celsius - expected) < 0.05, `${celsius}, not ${expected}`)

test("0x8000 until the mean of the first eight conversions, then a new one every second", async () => {
    const { read, celsius, wait } = start(seconds => 30 + Math.floor(seconds))
    assert.equal(read(0x0f), 0x0117)
    assert.equal(read(1), 0x0220)
    await wait(123)
    assert.equal(read(0), 0x8000)
    await wait(2)
    assert.equal(read(1), 0x2220)
    assertNear(celsius(), 30)
    await wait(900)
    assertNear(celsius(), 30)
    await wait(200)
    assertNear(celsius(), 31)
})

test("the flag of a new result goes when the configuration or the result is read", async () => {
    const { read, wait } = start()
    await wait(130)
    assert.equal(read(1), 0x2220)
    assert.equal(read(1), 0x0220)
    await wait(1000)
    read(0)
    assert.equal(read(1), 0x0220)
})

test("one-shot converts once and shuts down", async () => {
    const { read, celsius, configure, wait } = start(seconds => 30 + seconds)
    configure(0x0420)
    await wait(5000)
    assert.equal(read(0), 0x8000)
    configure(0x0c20)
    await wait(120)
    assert.equal(read(1), 0x0c20)
    await wait(10)
    assert.equal(read(1), 0x2420)
    assertNear(celsius(), 35.124)
    await wait(5000)
    assertNear(celsius(), 35.124)
})

test("below zero", async () => {
    const { celsius, wait } = start(() => -1.5)
    await wait(130)
    assertNear(celsius(), -1.5)
})

test("half a register is not written, a result not at all; power-up and soft reset restore them", async () => {
    const { chip, read, configure, wait } = start()
    configure(0x0420)
    chip.write(Uint8Array.of(1, 0x02))
    assert.equal(read(1) & 0x0fff, 0x0420)
    chip.write(Uint8Array.of(0x0f, 1, 2))
    assert.equal(read(0x0f), 0x0117)
    chip.powerUp()
    assert.equal(read(1), 0x0220)
    await wait(130)
    configure(0x0422)
    assert.equal(read(1), 0x0220)
    assert.equal(read(0), 0x8000)
})

test("there are four addresses", () => {
    const body = { reflectance: () => 0, skinTemperature: () => 20 }
    const clock = new VirtualClock()
    for (const address of [0x48, 0x4b]) assert.ok(new Tmp117({ clock, body, address }))
    for (const address of [0x47, 0x4c]) assert.throws(() => new Tmp117({ clock, body, address }), RangeError)
})
