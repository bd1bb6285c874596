import assert from "node:assert/strict"
import { test } from "node:test"
import type { Body } from "../../sim/body/index.ts"
import { Faulty, type Fault } from "../../sim/devices/faults.ts"
import { Max30102 } from "../../sim/devices/max30102.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { runProgram } from "../../sim/mote/program.ts"

const risePerSample = 10 * 0.04 * 7 * (2 ** 18 / 4096)

/** Light that increases so evenly that a lost or repeated sample shows. */
const ramp: Body = {
    reflectance: (_, seconds) => 100 + 10 * seconds,
    skinTemperature: () => 36,
}

async function start(faults: Fault[] = []) {
    const clock = new VirtualClock()
    const optical = new Max30102({ clock, body: ramp })
    const { lines, panics, run } = await runProgram("test/src/drivers.ts", {
        clock,
        chips: [new Faulty(clock, optical, faults)],
    })
    /** The first words of all lines. */
    const words = () => lines.map(line => line.split(" ")[1]!)
    return { optical, lines, panics, run, words }
}

/** Samples of consecutive bursts, with the time of the last sample of each burst. */
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
    const { lines, panics, run, words } = await start([{ chip: "optical", kind: "reset", fromS: 4, toS: 6 }])
    await run(6)
    assert.ok(words().includes("I2CError"))
    lines.length = 0
    await run(2.5)
    assert.ok(!words().includes("I2CError"))
    assertSteady(bursts(lines.slice(-4)).flatMap(({ samples }) => samples))
    assert.deepEqual(panics, [])
})

test("a brown-out between two readings is noticed", async () => {
    const { optical, lines, panics, run, words } = await start()
    await run(4)
    lines.length = 0
    optical.powerUp()
    await run(6)
    assert.equal(words().filter(word => word === "SensorError").length, 1)
    assert.ok(bursts(lines).at(-1)!.count >= 9)
    assert.deepEqual(panics, [])
})

test("a chip that stops sampling silently is restarted", async () => {
    const { optical, lines, run, words } = await start()
    await run(3)
    optical.write(Uint8Array.of(0x09, 0x83)) // shutdown
    lines.length = 0
    await run(6)
    assert.ok(words().includes("SensorError"))
    assert.ok(bursts(lines).at(-1)!.count >= 9)
})
