import assert from "node:assert/strict"
import { test } from "node:test"
import type { Body } from "../../sim/body/index.ts"
import { Faulty, type Fault, type FaultyChip } from "../../sim/devices/faults.ts"
import { Lis3dh } from "../../sim/devices/lis3dh.ts"
import { Lsm6dso } from "../../sim/devices/lsm6dso.ts"
import { Max30102 } from "../../sim/devices/max30102.ts"
import { Max30205 } from "../../sim/devices/max30205.ts"
import { Mlx90614 } from "../../sim/devices/mlx90614.ts"
import type { I2cChip } from "../../sim/devices/sensor-bus.ts"
import { Tmp117 } from "../../sim/devices/tmp117.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

const body: Body = {
    reflectance: () => 200,
    skinTemperature: () => 36.6,
    acceleration: () => [0, 0, 1],
}

type Model = I2cChip & { powerUp(): void }

interface Kind {
    name: string
    part: FaultyChip
    make(clock: VirtualClock): Model
    /** The chip has a FIFO; otherwise each reading is a new measurement. */
    hasFifo: boolean
    /** The chip has settings, which it can reject or lose. */
    hasSettings: boolean
}

/** The drivers of `src/drivers/`, each with the model of its chip. */
const kinds: Kind[] = [
    {
        name: "max30102",
        part: "optical",
        make: clock => new Max30102({ clock, body }),
        hasFifo: true,
        hasSettings: true,
    },
    {
        name: "lis3dh",
        part: "accelerometer",
        make: clock => new Lis3dh({ clock, body }),
        hasFifo: true,
        hasSettings: true,
    },
    {
        name: "lsm6dso",
        part: "accelerometer",
        make: clock => new Lsm6dso({ clock, body }),
        hasFifo: true,
        hasSettings: true,
    },
    {
        name: "max30205",
        part: "thermometer",
        make: clock => new Max30205({ clock, body }),
        hasFifo: false,
        hasSettings: true,
    },
    {
        name: "tmp117",
        part: "thermometer",
        make: clock => new Tmp117({ clock, body, address: 0x49 }),
        hasFifo: false,
        hasSettings: true,
    },
    {
        name: "mlx90614",
        part: "thermometer",
        make: clock => new Mlx90614({ clock, body }),
        hasFifo: false,
        hasSettings: false,
    },
]

interface StartOptions {
    faults?: Omit<Fault, "chip">[]
    settings?: Record<string, unknown>
    /** The chip at the address instead. */
    wrap?(chip: Model): I2cChip
}

async function start(kind: Kind, { faults = [], settings = {}, wrap = chip => chip }: StartOptions = {}) {
    const clock = new VirtualClock()
    const chip = kind.make(clock)
    const own = faults.map(fault => ({ ...fault, chip: kind.part }))
    const program = await runProgram("test/src/driver-contract.ts", {
        clock,
        chips: [new Faulty(clock, wrap(chip) as Model, own)],
        settings: { chip: kind.name, ...settings },
    })
    return { chip, ...program }
}

/** Whether a line is a possible measurement: samples of at most a second, or a body temperature. */
function isMeasurement(kind: Kind, line: string): boolean {
    const value = Number(/^read (-?[\d.]+)$/.exec(line)?.[1] ?? NaN)
    return kind.hasFifo ? value >= 0 && value <= 32 : Math.abs(value - 36.6) < 0.3
}

/** The condition that each driver is tested under, and its expected result. */
const cases: { what: string; applies?(kind: Kind): boolean; check(kind: Kind): Promise<void> }[] = [
    {
        what: "a chip that works: started once, and then measurements only",
        check: async kind => {
            const { lines, panics, run } = await start(kind)
            await run(10)
            assert.equal(lines.shift(), "start true")
            assert.ok(lines.length >= 12, lines.join())
            for (const line of lines) assert.ok(isMeasurement(kind, line), line)
            if (kind.hasFifo) assert.ok(lines.some(line => Number(line.slice(5)) >= 9))
            assert.deepEqual(panics, [])
        },
    },
    {
        what: "a chip that is not there: start says I2CError",
        check: async kind => {
            const { lines, run } = await start(kind, { faults: [{ kind: "nack", fromS: 0, toS: 1000 }] })
            await run(5)
            assert.ok(lines.length >= 5)
            assert.deepEqual(new Set(lines), new Set(["start I2CError"]))
        },
    },
    {
        what: "a chip that holds the bus: start says I2CError",
        check: async kind => {
            const { lines, run } = await start(kind, { faults: [{ kind: "stuck", fromS: 0, toS: 1000 }] })
            await run(5)
            assert.ok(lines.length >= 5)
            assert.deepEqual(new Set(lines), new Set(["start I2CError"]))
        },
    },
    {
        what: "another chip at its address: start says false, and has written nothing",
        check: async kind => {
            const written: Uint8Array[] = []
            const stranger = (chip: Model): I2cChip => ({
                address: chip.address,
                write: bytes => {
                    written.push(bytes)
                    return true
                },
                read: size => new Uint8Array(size).fill(0x54),
            })
            const { lines, run } = await start(kind, { wrap: stranger })
            await run(5)
            assert.ok(lines.length >= 5)
            assert.deepEqual(new Set(lines), new Set(["start false"]))
            assert.ok(written.length >= 5)
            // The first byte only selects the register to be read.
            assert.ok(written.every(({ length }) => length === 1))
        },
    },
    {
        what: "a chip that goes and comes back: read says I2CError once, start until it is back",
        check: async kind => {
            const { lines, panics, run } = await start(kind, { faults: [{ kind: "nack", fromS: 4, toS: 7 }] })
            await run(12)
            const first = lines.indexOf("read I2CError")
            const back = lines.lastIndexOf("start true")
            assert.ok(first > 3 && back > first, lines.join())
            for (const line of lines.slice(1, first)) assert.ok(isMeasurement(kind, line), line)
            assert.deepEqual(new Set(lines.slice(first + 1, back)), new Set(["start I2CError"]))
            for (const line of lines.slice(back + 1)) assert.ok(isMeasurement(kind, line), line)
            assert.deepEqual(panics, [])
        },
    },
    {
        what: "a chip that takes no settings, and acknowledges them all the same: start says SensorError",
        applies: kind => kind.hasSettings,
        check: async kind => {
            const deaf = (chip: Model): I2cChip => ({
                address: chip.address,
                write: bytes => chip.write(bytes.subarray(0, 1)),
                read: size => chip.read(size),
            })
            const { lines, run } = await start(kind, { wrap: deaf })
            await run(5)
            assert.ok(lines.length >= 3)
            assert.deepEqual(new Set(lines), new Set(["start SensorError"]))
        },
    },
    {
        what: "a chip that loses its settings: read says SensorError before it says anything wrong, and start helps",
        applies: kind => kind.hasSettings,
        check: async kind => {
            const { chip, lines, panics, run } = await start(kind)
            await run(4)
            lines.length = 0
            chip.powerUp()
            await run(4)
            const first = lines.indexOf("read SensorError")
            assert.ok(first >= 0 && first <= 2, lines.join())
            for (const line of lines.slice(0, first)) assert.ok(isMeasurement(kind, line) || line === "read gap", line)
            assert.equal(lines[first + 1], "start true")
            for (const line of lines.slice(first + 2)) assert.ok(isMeasurement(kind, line), line)
            assert.deepEqual(panics, [])
        },
    },
    {
        what: "samples that are lost: read says so once, and goes on without a new start",
        applies: kind => kind.hasFifo,
        check: async kind => {
            const { lines, panics, run } = await start(kind, { settings: { lateAfter: 5 } })
            await run(10)
            assert.equal(lines.filter(line => line === "read gap").length, 1, lines.join())
            assert.equal(lines.filter(line => line.startsWith("start")).length, 1)
            const after = lines.slice(lines.indexOf("read gap") + 1)
            assert.ok(after.length >= 8)
            for (const line of after) assert.ok(isMeasurement(kind, line), line)
            assert.deepEqual(panics, [])
        },
    },
    {
        what: "a program that is late: there is no gap, for the reading is of now",
        applies: kind => !kind.hasFifo,
        check: async kind => {
            const { lines, run } = await start(kind, { settings: { lateAfter: 5 } })
            await run(10)
            assert.ok(lines.length >= 10)
            for (const line of lines.slice(1)) assert.ok(isMeasurement(kind, line), line)
        },
    },
    {
        what: "a chip that was stopped measures again after a start",
        check: async kind => {
            const { lines, panics, run } = await start(kind, { settings: { stopAfter: 5 } })
            await run(10)
            const at = lines.indexOf("stop")
            assert.equal(at, 6, lines.join())
            assert.equal(lines[at + 1], "start true")
            for (const line of lines.slice(at + 2)) assert.ok(isMeasurement(kind, line), line)
            assert.deepEqual(panics, [])
        },
    },
]

for (const { what, applies = () => true, check } of cases)
    for (const kind of kinds.filter(applies)) test(`${kind.name}: ${what}`, () => check(kind))
