import assert from "node:assert/strict"
import { test } from "node:test"
import { Max30205 } from "../../sim/devices/max30205.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

function start(skinC: (seconds: number) => number = () => 36.5) {
    const clock = new VirtualClock()
    const body = { reflectance: () => 0, skinTemperature: skinC }
    const chip = new Max30205({ clock, body, noiseC: 0 })
    const read = (register: number, size = 2) => {
        chip.write(Uint8Array.of(register))
        return [...chip.read(size)]
    }
    const configure = (value: number) => chip.write(Uint8Array.of(1, value))
    return { chip, read, configure, wait: (ms: number) => clock.run(ms) }
}

test("reads 0 °C until the first conversion, then what the skin has, in 1/256 °C", async () => {
    const { read, wait } = start()
    assert.deepEqual(read(0), [0, 0])
    await wait(40)
    assert.deepEqual(read(0), [0, 0])
    await wait(11)
    assert.deepEqual(read(0), [36, 128])
})

test("below zero and the extended format, which takes 64 °C off", async () => {
    const cold = start(() => -1.5)
    await cold.wait(60)
    assert.deepEqual(cold.read(0), [0xfe, 0x80])
    const warm = start()
    warm.configure(0x20)
    await warm.wait(60)
    assert.deepEqual(warm.read(0), [(36 - 64) & 255, 128])
})

test("shutdown keeps the last value; one-shot converts once and goes back", async () => {
    const { read, configure, wait } = start(seconds => 30 + seconds)
    await wait(1000)
    configure(0x01)
    await wait(5000)
    assert.deepEqual(read(0), [31, 0])
    configure(0x81)
    assert.deepEqual(read(1, 1), [0x01])
    await wait(49)
    assert.deepEqual(read(0), [31, 0])
    await wait(9951)
    assert.equal(read(0)[0], 36)
})

test("one-shot outside shutdown does nothing of its own", async () => {
    const { read, configure, wait } = start(seconds => 30 + seconds)
    configure(0x80)
    assert.deepEqual(read(1, 1), [0])
    await wait(3001)
    assert.deepEqual(read(0), [33, 0])
})

test("power-up restores the registers", async () => {
    const { chip, read, configure, wait } = start()
    configure(0x21)
    await wait(100)
    chip.powerUp()
    assert.deepEqual(read(1, 1), [0])
    assert.deepEqual(read(0), [0, 0])
    assert.deepEqual(read(2), [0x4b, 0])
    assert.deepEqual(read(3), [0x50, 0])
})
