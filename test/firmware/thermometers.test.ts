import assert from "node:assert/strict"
import { test } from "node:test"
import type { Body } from "../../sim/body/index.ts"
import { Faulty, type Fault } from "../../sim/devices/faults.ts"
import { Max30205 } from "../../sim/devices/max30205.ts"
import { Mlx90614, type Mlx90614Options } from "../../sim/devices/mlx90614.ts"
import type { I2cChip } from "../../sim/devices/sensor-bus.ts"
import { Tmp117 } from "../../sim/devices/tmp117.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

const names = ["max30205", "tmp117", "mlx90614"]
/** Noise of the noisiest chip, four standard deviations, plus half a step. */
const toleranceC = 0.21

const skin = (skinTemperature: (seconds: number) => number): Body => ({
    reflectance: () => 0,
    skinTemperature,
})

interface StartOptions {
    body?: Body
    faults?: Omit<Fault, "chip">[]
    infrared?: Partial<Mlx90614Options>
    /** Sits between each chip and the bus. */
    wrap?: (chip: I2cChip) => I2cChip
}

/** One chip of each type, each with the same faults, read every second. */
async function start({ body = skin(() => 36.6), faults = [], infrared, wrap = chip => chip }: StartOptions = {}) {
    const clock = new VirtualClock()
    const chips = [
        new Max30205({ clock, body }),
        new Tmp117({ clock, body, address: 0x49 }),
        new Mlx90614({ clock, body, ...infrared }),
    ]
    const own = faults.map(fault => ({ ...fault, chip: "thermometer" as const }))
    const { lines, panics, run } = await runProgram("test/src/thermometers.ts", {
        clock,
        chips: chips.map(chip => new Faulty(clock, wrap(chip), own)),
    })
    return { lines, panics, run }
}

/** The output for a chip. */
function of(name: string, lines: string[]): string[] {
    return lines.filter(line => line.startsWith(`${name} `)).map(line => line.slice(name.length + 1))
}

const values = (said: string[]) => said.map(Number).filter(celsius => !Number.isNaN(celsius))

function assertTrue(said: string[], expected: number): void {
    for (const celsius of values(said))
        assert.ok(Math.abs(celsius - expected) < toleranceC, `${celsius}, not ${expected}`)
}

for (const celsius of [-1.5, 36.6, 42.1])
    test(`each measures ${celsius} °C`, async () => {
        const { lines, panics, run } = await start({ body: skin(() => celsius) })
        await run(6)
        for (const name of names) {
            const said = of(name, lines)
            assert.ok(said.length >= 4)
            assert.equal(values(said).length, said.length, said.join())
            assertTrue(said, celsius)
        }
        assert.deepEqual(panics, [])
    })

test("each reading is a new measurement: no old value is read again", async () => {
    const { lines, run } = await start({ body: skin(seconds => 20 + 2 * seconds) })
    await run(8)
    for (const name of names) {
        const measured = values(of(name, lines)).slice(1) // the first took longer
        assert.ok(measured.length >= 5)
        for (let i = 1; i < measured.length; i++)
            assert.ok(Math.abs(measured[i]! - measured[i - 1]! - 2) < 0.5, measured.join())
    }
})

test("a vanished chip is reported, and works again when it returns", async () => {
    const { lines, panics, run } = await start({ faults: [{ kind: "nack", fromS: 4, toS: 8 }] })
    await run(12)
    for (const name of names) {
        const said = of(name, lines)
        assert.ok(said.filter(what => what.startsWith("I2CError")).length >= 3, said.join())
        assertTrue(said, 36.6)
        assert.ok(
            said.slice(-2).every(what => !what.includes("Error")),
            said.join(),
        )
    }
    assert.deepEqual(panics, [])
})

test("brown-outs at any moment: never a wrong value, and a value in the next but one reading", async () => {
    // Every 2.13 s, so that they occur in all phases of a reading.
    const faults = Array.from({ length: 80 }, (_, n) => {
        const toS = 3 + 2.13 * n
        return { kind: "reset" as const, fromS: toS - 0.01, toS }
    })
    const { lines, panics, run } = await start({ faults })
    await run(175)
    for (const name of names) {
        const said = of(name, lines)
        assertTrue(said, 36.6)
        const failed = said.map(what => what.includes("Error"))
        for (let i = 2; i < failed.length; i++)
            assert.ok(!(failed[i] && failed[i - 1] && failed[i - 2]), said.join("\n"))
        // An MLX90614 loses only the value that it is about to send.
        const least = name === "mlx90614" ? 5 : 40
        assert.ok(failed.filter(Boolean).length >= least, `${name}: ${failed.filter(Boolean).length}`)
    }
    assert.deepEqual(panics, [])
})

test("one wrong bit in the packet of an MLX90614, any of the 24: never a temperature", async () => {
    let transfers = 0
    const wrap = (chip: I2cChip): I2cChip => {
        if (chip.address !== 0x5a) return chip
        let command = 0
        return {
            address: 0x5a,
            maxKHz: 100,
            write(bytes) {
                command = bytes[0]!
                return chip.write(bytes)
            },
            read(size) {
                const bytes = chip.read(size)
                if (command !== 0x07 || transfers === 0) return bytes
                const bit = transfers++ % 24
                bytes[bit >> 3]! ^= 1 << (bit & 7)
                return bytes
            },
        }
    }
    const { lines, run } = await start({ wrap })
    await run(5)
    assert.ok(values(of("mlx90614", lines)).length >= 2)
    lines.length = 0
    transfers = 1
    await run(30)
    const said = of("mlx90614", lines)
    assert.ok(transfers > 24)
    assert.ok(
        said.every(what => what === "SensorError: MLX90614 packet error"),
        said.join(),
    )
})

test("an MLX90614 that cannot measure: its error flag, and a package out of its range", async () => {
    const hot = await start({ body: skin(() => 500) })
    const cold = await start({ infrared: { ambientC: () => -5 } })
    for (const { lines, run } of [hot, cold]) {
        await run(5)
        const said = of("mlx90614", lines)
        assert.ok(said.length >= 3)
        assert.deepEqual(values(said), [])
    }
})

test("more than a chip can measure is not a temperature of skin", async () => {
    const { lines, run } = await start({ body: skin(() => 1000) })
    await run(5)
    for (const name of names)
        for (const celsius of values(of(name, lines))) assert.ok(celsius > 100, `${name} ${celsius}`)
})
