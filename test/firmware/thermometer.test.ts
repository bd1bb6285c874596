import assert from "node:assert/strict"
import { test } from "node:test"
import { syntheticBody, type Body } from "../../sim/body/index.ts"
import { Faulty, faultyBody, type Fault, type FaultKind } from "../../sim/devices/faults.ts"
import { Max30205 } from "../../sim/devices/max30205.ts"
import { Mlx90614 } from "../../sim/devices/mlx90614.ts"
import type { I2cChip } from "../../sim/devices/sensor-bus.ts"
import { Tmp117 } from "../../sim/devices/tmp117.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

const body = syntheticBody({ seed: 1 })
const skinC = 36.7
const toleranceC = 0.25
const readingS = 2

type MakeChip = (clock: VirtualClock, body: Body) => I2cChip

const kinds: Record<string, MakeChip> = {
    MAX30205: (clock, body) => new Max30205({ clock, body }),
    TMP117: (clock, body) => new Tmp117({ clock, body }),
    MLX90614: (clock, body) => new Mlx90614({ clock, body }),
}
/** From the first reading of a chip to the first value: settling, and one reading. */
const settlingS: Record<string, number> = { MAX30205: 42, TMP117: 42, MLX90614: 122 }

/** Output of test/src/thermometer.ts every 2 s. */
interface TakenReading {
    atS: number
    runs: boolean
    celsius: number | undefined
}

async function start(chipsOf: (clock: VirtualClock) => I2cChip[]) {
    const clock = new VirtualClock()
    const startMs = clock.now()
    const readings: TakenReading[] = []
    const messages: string[] = []
    const { panics, run } = await runProgram("test/src/thermometer.ts", {
        clock,
        chips: chipsOf(clock),
        log: line => {
            const [word, state, celsius] = line.split(" ")
            if (word !== "reading") return messages.push(line)
            readings.push({
                atS: (clock.now() - startMs) / 1000,
                runs: state === "runs",
                celsius: celsius === "undefined" ? undefined : Number(celsius),
            })
        },
    })
    const between = (fromS: number, toS: number) => readings.filter(({ atS }) => atS >= fromS && atS < toS)
    return { readings, messages, panics, run, between }
}

/** Chips on the bus one after another, each for some seconds. */
class Succession implements I2cChip {
    private readonly clock: VirtualClock
    private readonly chips: I2cChip[]
    private readonly eachS: number
    private readonly startMs: number

    constructor(clock: VirtualClock, chips: I2cChip[], eachS: number) {
        this.clock = clock
        this.chips = chips
        this.eachS = eachS
        this.startMs = clock.now()
    }

    private chip(): I2cChip | undefined {
        return this.chips[Math.floor((this.clock.now() - this.startMs) / 1000 / this.eachS)]
    }

    get address(): number {
        return this.chip()?.address ?? -1
    }

    write(bytes: Uint8Array): boolean {
        return this.chip()!.write(bytes)
    }

    read(size: number): Uint8Array {
        return this.chip()!.read(size)
    }
}

/** Records which addresses are accessed. */
function recorded(chip: I2cChip, written: number[][]): I2cChip {
    return {
        address: chip.address,
        write: bytes => {
            written.push([...bytes])
            return chip.write(bytes)
        },
        read: size => chip.read(size),
    }
}

test("any of the three at any of its addresses is found within two readings, and may be replaced while the mote is on", async () => {
    const eachS = 8
    let chips: I2cChip[] = []
    const { between, panics, run } = await start(clock => {
        const max30205 = (address: number) => new Max30205({ clock, body, address })
        const tmp117 = (address: number) => new Tmp117({ clock, body, address })
        const mlx90614 = () => new Mlx90614({ clock, body })
        chips = [mlx90614(), max30205(0x5a), mlx90614()]
        for (let address = 0x48; address <= 0x4b; address++) chips.push(tmp117(address), max30205(address))
        for (let address = 0x40; address <= 0x5f; address++)
            if (address !== 0x57) chips.push(max30205(address), tmp117(0x49))
        return [new Succession(clock, chips, eachS)]
    })
    await run(eachS * chips.length)
    chips.forEach((chip, n) => {
        // The reading that finds another chip instead of the last one fails; two more search.
        const readings = between(eachS * n, eachS * (n + 1))
        const first = readings.findIndex(({ runs }) => runs)
        const name = `${chip.constructor.name} at ${chip.address.toString(16)}`
        assert.ok(first >= 0 && first <= 3, `${name}: ${JSON.stringify(readings)}`)
        assert.ok(
            readings.slice(first).every(({ runs }) => runs),
            name,
        )
    })
    assert.deepEqual(panics, [])
})

test("another chip at a possible address of a thermometer is read, never written to", async () => {
    const answers: [string, (size: number) => Uint8Array][] = [
        ["zeros", size => new Uint8Array(size)],
        ["ones", size => new Uint8Array(size).fill(0xff)],
        ["a temperature", size => Uint8Array.of(36, 128, 36).subarray(0, size)],
    ]
    for (const [name, read] of answers) {
        const written: number[][] = []
        const { readings, run } = await start(() =>
            Array.from({ length: 32 }, (_, n) => recorded({ address: 0x40 + n, write: () => true, read }, written)),
        )
        await run(10)
        assert.ok(written.length > 31, name)
        assert.ok(
            written.every(bytes => bytes.length === 1),
            name,
        )
        assert.ok(readings.every(({ runs }) => !runs))
    }
})

test("the optical sensor among the addresses is not accessed", async () => {
    const written: number[][] = []
    const optical: I2cChip = {
        address: 0x57,
        write: () => true,
        read: size => new Uint8Array(size),
    }
    const { readings, run } = await start(() => [recorded(optical, written)])
    await run(200)
    assert.ok(readings.length > 90)
    assert.deepEqual(written, [])
})

test("no thermometer: fewer and fewer addresses are probed, and it is still found when connected", async () => {
    const clock = new VirtualClock()
    const asked: number[] = []
    let address = -1
    const late = new Max30205({ clock, body, address: 0x5d })
    const { lines, run } = await runProgram("test/src/thermometer.ts", {
        clock,
        chips: [
            {
                get address() {
                    asked.push(clock.now())
                    return address
                },
                write: bytes => late.write(bytes),
                read: size => late.read(size),
            },
        ],
    })
    await run(60)
    assert.ok(asked.length <= 17 * 30, `${asked.length} in the first minute`)
    await run(10)
    const before = asked.length
    await run(100)
    assert.ok(asked.length - before <= 51 * 2 * 2, `${asked.length - before} in 100 s`)
    assert.deepEqual(
        lines.filter(line => !line.startsWith("reading")),
        ["thermometer: none found"],
    )
    address = 0x5d
    await run(70)
    assert.equal(lines.at(-1)!.slice(0, 12), "reading runs")
})

for (const [name, make] of Object.entries(kinds))
    for (const fromC of [15, 38])
        test(`${name} on a slow strap, from ${fromC} °C: no value further than 0.2 °C from the skin, and its noise`, async () => {
            const strap: Body = {
                reflectance: () => 0,
                skinTemperature: seconds => 33.5 + (fromC - 33.5) * Math.exp(-seconds / 180),
            }
            const { readings, run, panics } = await start(clock => [make(clock, strap)])
            await run(1200)
            const values = readings.flatMap(({ celsius }) => celsius ?? [])
            assert.ok(values.length > 50)
            const bound = 0.2 + (name === "MLX90614" ? 0.22 : 0.04)
            for (const celsius of values) assert.ok(Math.abs(celsius - 33.5) <= bound, `${celsius}`)
            assert.deepEqual(panics, [])
        })

const faultFromS = 150
const faultToS = 170
for (const [name, make] of Object.entries(kinds)) {
    const withFault = async (kind: FaultKind, { fromS = faultFromS, toS = faultToS } = {}) => {
        const faults: Fault[] = [{ chip: "thermometer", kind, fromS, toS }]
        const mote = await start(clock => [new Faulty(clock, make(clock, faultyBody(body, faults)), faults)])
        await mote.run(faultToS + settlingS[name]! + 10)
        // Correct values before and after; never a wrong one.
        const settledS = settlingS[name]! + 4
        const before = mote.between(settledS, fromS)
        assert.ok(before.length > 5)
        assert.ok(before.every(({ celsius }) => celsius !== undefined))
        for (const { celsius, atS } of mote.readings)
            if (celsius !== undefined) assert.ok(Math.abs(celsius - skinC) < toleranceC, `${celsius} at ${atS} s`)
        assert.ok(mote.readings.at(-1)!.celsius !== undefined, "no value after the fault")
        assert.deepEqual(mote.panics, [])
        return mote
    }

    for (const kind of ["nack", "stuck", "reset"] as const)
        test(`${name}, ${kind}: noticed within two readings, said, and over within two`, async () => {
            const { between, messages } = await withFault(kind)
            const during = between(faultFromS + 2 * readingS, faultToS)
            assert.ok(during.length >= 7)
            assert.ok(during.every(({ runs, celsius }) => !runs && celsius === undefined))
            const after = between(faultToS + 2 * readingS, Infinity)
            assert.ok(after.every(({ runs }) => runs))
            const status = kind === "stuck" ? 2 : 1
            assert.ok(
                messages.some(line => line.startsWith(`thermometer: I2C error ${status}`)),
                messages.join(),
            )
            assert.equal(messages.at(-1), "thermometer: works again")
        })

    test(`${name}, saturation: no value`, async () => {
        const { between } = await withFault("saturation")
        const during = between(faultFromS + readingS, faultToS)
        assert.ok(during.every(({ celsius }) => celsius === undefined))
    })

    if (name !== "MLX90614")
        test(`${name}: a momentary brown-out is detected, too`, async () => {
            const { between, messages } = await withFault("reset", {
                fromS: faultFromS + 1,
                toS: faultFromS + 1.05,
            })
            const noticed = between(faultFromS + 1, faultFromS + 1 + 2 * readingS)
            assert.ok(noticed.some(({ runs }) => !runs))
            assert.ok(between(faultFromS + 3 * readingS, Infinity).every(({ runs }) => runs))
            assert.deepEqual(messages, [`thermometer: ${name} lost power`, "thermometer: works again"])
        })
}
