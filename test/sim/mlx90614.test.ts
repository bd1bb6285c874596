import assert from "node:assert/strict"
import { test } from "node:test"
import { Mlx90614 } from "../../sim/devices/mlx90614.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

function start(skinC: (seconds: number) => number = () => 36.6) {
    const clock = new VirtualClock()
    const body = { reflectance: () => 0, skinTemperature: skinC }
    const chip = new Mlx90614({ clock, body, noiseC: 0 })
    const read = (command: number) => {
        chip.write(Uint8Array.of(command))
        return [...chip.read(3)]
    }
    const celsius = (command: number) => {
        const [low, high] = read(command)
        return (low! | (high! << 8)) / 50 - 273.15
    }
    return { chip, read, celsius, wait: (ms: number) => clock.run(ms) }
}

const assertNear = (celsius: number, expected: number) =>
    assert.ok(Math.abs(celsius - expected) <= 0.011, `${celsius}, not ${expected}`)

test("object and room a quarter of a second after power-up", async () => {
    const { chip, read, celsius, wait } = start()
    await wait(240)
    assert.deepEqual(read(7).slice(0, 2), [0, 0])
    await wait(20)
    assertNear(celsius(7), 36.6)
    assertNear(celsius(6), 23)
    chip.powerUp()
    assert.deepEqual(read(7).slice(0, 2), [0, 0])
})

test("the packet error code is that of the data sheet's example", async () => {
    // Melexis 3901090614, 8.4.3: SA_W 0xB4, command 0x07, SA_R 0xB5, data 0x3AD2: PEC 0x30.
    const { read, wait } = start(() => 0x3ad2 / 50 - 273.15)
    await wait(300)
    assert.deepEqual(read(7), [0xd2, 0x3a, 0x30])
})

test("what it cannot measure has the error flag", async () => {
    const { read, wait } = start(() => 500)
    await wait(300)
    assert.ok(read(7)[1]! & 0x80)
})

test("its EEPROM knows its address", () => {
    assert.equal(start().read(0x2e)[0], 0x5a)
})

test("asleep it answers no more, until the power was off; a wrong packet error code does nothing", () => {
    const { chip } = start()
    assert.equal(chip.write(Uint8Array.of(0xff, 0xe9)), true)
    assert.equal(chip.write(Uint8Array.of(0xff, 0xe8)), true)
    assert.equal(chip.write(Uint8Array.of(7)), false)
    chip.powerUp()
    assert.equal(chip.write(Uint8Array.of(7)), true)
})
