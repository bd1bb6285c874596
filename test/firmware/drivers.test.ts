import assert from "node:assert/strict"
import { test } from "node:test"
import type { Body } from "../../sim/body/index.ts"
import { Max30102 } from "../../sim/devices/max30102.ts"
import { Max30205 } from "../../sim/devices/max30205.ts"
import { VirtualClock } from "../../sim/vm/clock.ts"
import { runProgram } from "../../sim/program.ts"
import { Removable } from "./chips.ts"

const risePerSample = 10 * 0.04 * 7 * (2 ** 18 / 4096)

/** Light that grows so steadily that a lost or doubled sample shows. */
const ramp: Body = {
    reflectance: (_, seconds) => 100 + 10 * seconds,
    skinTemperature: seconds => 36 + seconds / 256,
}

async function start() {
    const clock = new VirtualClock()
    const optical = new Max30102({ clock, body: ramp })
    const thermometer = new Max30205({ clock, body: ramp })
    const chips = [new Removable(optical), new Removable(thermometer)] as const
    const program = await runProgram("test/src/drivers.ts", { clock, chips: [...chips] })
    const { lines, panics, run } = program
    /** The first word of all that was said of a chip. */
    const take = (chip: string) =>
        lines.filter(line => line.startsWith(chip)).map(line => line.split(" ")[1]!)
    return { optical, thermometer, chips, lines, panics, run, take }
}

/** Samples of bursts that follow each other, with the time of each burst's last. */
function bursts(lines: string[]) {
    return lines
        .filter(line => /^optical \d+ /.test(line))
        .map(line => {
            const [count, newestMs, ...samples] = line.split(" ").slice(1).map(Number)
            return { count: count!, newestMs: newestMs!, samples }
        })
}

function assertSteady(samples: number[]): void {
    for (let i = 1; i < samples.length; i++) {
        const rise = samples[i]! - samples[i - 1]!
        assert.ok(Math.abs(rise - risePerSample) < 60, `${rise} counts at sample ${i}`)
    }
}

test("every sample arrives once and in order, a full FIFO included", async () => {
    const { lines, panics, run } = await start()
    await run(10)
    const all = bursts(lines)
    assert.ok(
        all.some(({ count }) => count === 32),
        "equal pointers of a full FIFO were read as an empty one",
    )
    const samples = all.flatMap(({ samples }) => samples)
    assert.ok(samples.length > 200)
    assertSteady(samples)
    assert.deepEqual(panics, [])
})

test("sample times are counted in samples of 40 ms", async () => {
    const { lines, run } = await start()
    await run(8)
    const all = bursts(lines)
    for (let i = 2; i < all.length; i++) {
        const passed = all[i]!.newestMs - all[i - 1]!.newestMs
        assert.equal(passed, 40 * all[i]!.count)
    }
})

test("an overflow is reported as a gap, and the signal after it has none", async () => {
    const { lines, panics, run } = await start()
    await run(24)
    const gaps = lines.filter(line => line.startsWith("optical -1"))
    assert.equal(gaps.length, 2)
    const afterGap = lines.slice(lines.indexOf(gaps[0]!) + 1, lines.indexOf(gaps[1]!))
    const samples = bursts(afterGap).flatMap(({ samples }) => samples)
    assert.ok(samples.length > 60)
    assertSteady(samples)
    assert.deepEqual(panics, [])
})

test("a chip that vanishes and comes back with its registers reset is started again", async () => {
    const { chips, optical, thermometer, lines, panics, run, take } = await start()
    await run(4)
    for (const chip of chips) chip.present = false
    await run(4)
    assert.ok(take("optical").includes("I2CError"))
    assert.ok(take("thermometer").includes("I2CError"))
    optical.powerUp()
    thermometer.powerUp()
    for (const chip of chips) chip.present = true
    lines.length = 0
    await run(4)
    const temperatures = take("thermometer").map(Number)
    assert.ok(temperatures.length > 0)
    for (const celsius of temperatures) assert.ok(celsius > 36 && celsius < 37, `${celsius}`)
    assert.ok(!take("optical").includes("I2CError"))
    assertSteady(bursts(lines.slice(-4)).flatMap(({ samples }) => samples))
    assert.deepEqual(panics, [])
})

test("a brown-out between two readings is noticed: no value of a reset chip gets through", async () => {
    const { optical, thermometer, lines, panics, run, take } = await start()
    await run(4)
    lines.length = 0
    optical.powerUp()
    thermometer.powerUp()
    await run(6)
    assert.equal(take("optical").filter(word => word === "SensorError").length, 1)
    assert.equal(take("thermometer").filter(word => word === "SensorError").length, 1)
    const temperatures = take("thermometer").map(Number)
    assert.ok(
        temperatures.every(celsius => !(celsius < 36)),
        temperatures.join(),
    )
    assert.ok(temperatures.at(-1)! > 36)
    assert.ok(bursts(lines).at(-1)!.count >= 9)
    assert.deepEqual(panics, [])
})

test("a chip that stops sampling without a word is started again", async () => {
    const { optical, lines, run, take } = await start()
    await run(3)
    optical.write(Uint8Array.of(0x09, 0x83)) // shutdown
    lines.length = 0
    await run(6)
    assert.ok(take("optical").includes("SensorError"))
    assert.ok(bursts(lines).at(-1)!.count >= 9)
})

test("another chip at the address is left alone", async () => {
    const written: number[][] = []
    const stranger = {
        address: 0x57,
        write: (bytes: Uint8Array) => {
            written.push([...bytes])
            return true
        },
        read: (size: number) => new Uint8Array(size),
    }
    const { lines, run } = await runProgram("test/src/drivers.ts", { chips: [stranger] })
    await run(3)
    assert.ok(lines.includes("optical SensorError"))
    assert.ok(written.every(bytes => bytes.length === 1))
})
