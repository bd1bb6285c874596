import assert from "node:assert/strict"
import { test } from "node:test"
import type { Body } from "../../sim/body/index.ts"
import type { AccelerometerOptions } from "../../sim/devices/acceleration.ts"
import { Faulty, type Fault } from "../../sim/devices/faults.ts"
import { Lis3dh } from "../../sim/devices/lis3dh.ts"
import { Lsm6dso } from "../../sim/devices/lsm6dso.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { runProgram } from "../../sim/mote/program.ts"

const countsPerG = 4096

/** x is a sawtooth so steep that a lost or repeated sample shows, y is beyond full scale, z is a known value. */
const risePerS = 4
const spanG = 14
const felt: Body = {
    reflectance: () => 0,
    skinTemperature: () => 30,
    acceleration: seconds => [((risePerS * seconds) % spanG) - spanG / 2, -9, -0.5],
}

async function start(
    chip: (options: AccelerometerOptions) => Lis3dh | Lsm6dso,
    ...absences: Pick<Fault, "kind" | "fromS" | "toS">[]
) {
    const clock = new VirtualClock()
    const sensor = chip({ clock, body: felt })
    const faults = absences.map(absence => ({ chip: "accelerometer", ...absence }) as const)
    const chips = [new Faulty(clock, sensor, faults)]
    const program = await runProgram("test/src/accelerometer.ts", { clock, chips })
    return { sensor, ...program }
}

/** Bursts printed by the program, in counts. */
function bursts(lines: string[]) {
    return lines
        .filter(line => line.startsWith("burst "))
        .map(line => {
            const [count, ...values] = line.split(" ").slice(1).map(Number)
            const axis = (n: number) => values.filter((_, i) => i % 3 === n)
            return { count: count!, x: axis(0), y: axis(1), z: axis(2) }
        })
}

const chips = [
    {
        name: "LIS3DH",
        make: (options: AccelerometerOptions) => new Lis3dh(options),
        addresses: [0x18, 0x19],
        hz: 25,
        gPerCount: 0.25e-3,
        steps: 64,
    },
    {
        name: "LSM6DSO",
        make: (options: AccelerometerOptions) => new Lsm6dso(options),
        addresses: [0x6a, 0x6b],
        hz: 26,
        gPerCount: 0.244e-3,
        steps: 1,
    },
]

for (const { name, make, addresses, hz, gPerCount, steps } of chips) {
    const tolerance = steps + 0.015 / gPerCount
    const assertSteady = (x: number[]) => {
        for (let i = 1; i < x.length; i++) {
            const turns = ((x[i]! - x[i - 1]!) * gPerCount - risePerS / hz) / spanG
            const error = (Math.abs(turns - Math.round(turns)) * spanG) / gPerCount
            assert.ok(error <= tolerance, `${error} counts at sample ${i}`)
        }
    }

    test(`${name}: every sample arrives once, in order and with its sign`, async () => {
        for (const address of addresses) {
            const { lines, panics, run } = await start(options => make({ ...options, address }))
            await run(5)
            const all = bursts(lines)
            const x = all.flatMap(burst => burst.x)
            assert.ok(x.length > 3.2 * hz && x.length < 5 * hz, `${x.length} samples`)
            assertSteady(x)
            assert.ok(all.flatMap(({ y }) => y).every(y => y === -0x8000))
            for (const z of all.flatMap(({ z }) => z)) assert.ok(Math.abs(z / countsPerG + 0.5) < 0.03, `${z}`)
            assert.deepEqual(panics, [])
        }
    })

    test(`${name}: an overflow is a gap, and the signal after it has none`, async () => {
        const { sensor, lines, panics, run } = await start(make)
        await run(24) // the program is late once
        sensor.overflow()
        await run(2)
        const gaps = lines.flatMap((line, i) => (line === "burst -1" ? [i] : []))
        assert.equal(gaps.length, 2)
        for (const part of [lines.slice(gaps[0]! + 1, gaps[1]), lines.slice(gaps[1]! + 1)]) {
            const x = bursts(part).flatMap(burst => burst.x)
            assert.ok(x.length > 1.4 * hz, `${x.length} samples`)
            assertSteady(x)
        }
        assert.deepEqual(panics, [])
    })

    test(`${name}: a brown-out is detected within two readings, logged once, and recovered from`, async () => {
        const { sensor, lines, panics, run } = await start(make)
        await run(3)
        lines.length = 0
        sensor.powerUp()
        await run(3)
        const said = lines.filter(line => !line.startsWith("burst"))
        assert.deepEqual(said, [`accelerometer: ${name} has stopped`, "accelerometer: works again"])
        assert.ok(bursts(lines.slice(0, 2)).some(({ count }) => count === -1))
        assertSteady(bursts(lines.slice(-4)).flatMap(burst => burst.x))
        assert.deepEqual(panics, [])
    })

    test(`${name}: is plugged in while the mote runs; vanishes and returns, reset; holds the bus`, async () => {
        const { lines, panics, run } = await start(
            make,
            { kind: "nack", fromS: 0, toS: 4 },
            { kind: "reset", fromS: 7, toS: 10 },
            { kind: "stuck", fromS: 13, toS: 15 },
        )
        await run(4)
        assert.ok(lines.includes("none"))
        assert.deepEqual(bursts(lines), [])
        for (let i = 0; i < 3; i++) {
            lines.length = 0
            await run(3)
            assertSteady(bursts(lines).flatMap(({ x }) => x))
            lines.length = 0
            await run(i === 1 ? 2 : 3)
            if (i === 2) break
            assert.ok(bursts(lines).at(-1)!.count === -1)
            assert.ok(lines.includes("none"))
        }
        assert.deepEqual(panics, [])
    })
}

test("another chip at one of the addresses is not written to", async () => {
    const written: number[][] = []
    const strangers = [0x18, 0x6b].map(address => ({
        address,
        write: (bytes: Uint8Array) => {
            written.push([...bytes])
            return true
        },
        read: (size: number) => new Uint8Array(size).fill(0x54),
    }))
    const { lines, run } = await runProgram("test/src/accelerometer.ts", { chips: strangers })
    await run(3)
    assert.ok(lines.includes("accelerometer: unknown chip"))
    assert.ok(written.length > 2 && written.every(bytes => bytes.length === 1))
})
