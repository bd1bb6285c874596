import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { syntheticBody } from "../../sim/body/index.ts"
import { wearableChips } from "../../sim/devices/chips.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { seededNormal } from "../../sim/time/random.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { runs } from "../support/long.ts"

const readingS = 2
/** The firmware's guarantee: `settledC`, for sensors no slower than `timeConstantS`. */
const settledC = 0.2
const slowestS = 180
/** Standard deviations of the noise of one value, and of the block means. */
const deviations = 4.5
const cases = runs(200)

interface Wearing {
    /** Start and final temperature of the sensor in °C. */
    fromC: number
    toC: number
    timeConstantS: number
    noiseC: number
    isInfrared: boolean
    seed: number
}

/** A reading every 2 s while the sensor warms up or cools down. */
function readings(wearing: Wearing, seconds: number): number[] {
    const { fromC, toC, timeConstantS, noiseC, seed } = wearing
    const normal = seededNormal(seed)
    return Array.from({ length: seconds / readingS }, (_, n) => {
        const left = (fromC - toC) * Math.exp((-n * readingS) / timeConstantS)
        return toC + left + noiseC * normal()
    })
}

/** The firmware's values for series of readings, one wearer after another; undefined without a value. */
async function judge(series: { celsius: number[]; isInfrared: boolean }[]): Promise<(number | undefined)[][]> {
    const size = 50
    const bursts = series.flatMap(({ celsius, isInfrared }, n) => {
        const infrared = isInfrared ? 2 : 0
        return Array.from({ length: Math.ceil(celsius.length / size) }, (_, i) => {
            const burst = Buffer.alloc(1 + 2 * size)
            burst[0] = infrared | (i === 0 ? 1 : 0)
            celsius
                .slice(i * size, (i + 1) * size)
                .forEach((value, k) => burst.writeUInt16LE(Math.round(value * 1000), 1 + 2 * k))
            return { n, burst }
        })
    })
    const values: (number | undefined)[][] = series.map(() => [])
    let done = 0
    const { panics, run } = await runProgram("test/src/temperature.ts", {
        chips: [
            {
                address: 0x10,
                read: () => bursts[done]?.burst ?? new Uint8Array(1 + 2 * size),
                write(bytes) {
                    const burst = bursts[done++]
                    if (!burst) return true
                    for (let k = 0; k < size; k++) {
                        const milliC = bytes[2 * k]! | (bytes[2 * k + 1]! << 8)
                        values[burst.n]!.push(milliC === 0 ? undefined : milliC / 1000)
                    }
                    return true
                },
            },
        ],
    })
    await run(3600, () => done >= bursts.length)
    assert.deepEqual(panics, [])
    assert.ok(done >= bursts.length)
    return values.map((all, n) => all.slice(0, series[n]!.celsius.length))
}

const firstAtS = (values: (number | undefined)[]) => (values.findIndex(value => value !== undefined) + 1) * readingS

const noises = { contact: 0.008, infrared: 0.05 }

for (const [kind, noiseC] of Object.entries(noises))
    for (const [name, fromC] of [
        ["put on in a cold room", 10],
        ["taken from a warm hand", 36.5],
    ] as const)
        test(`${kind} sensor ${name}: no value before it has settled, whatever its time constant`, async t => {
            const timeConstants = [5, 20, 60, 180]
            const toC = 33.4
            const wearings = timeConstants.map(timeConstantS => ({
                ...{ fromC, toC, timeConstantS, noiseC, seed: timeConstantS },
                isInfrared: kind === "infrared",
            }))
            const judged = await judge(wearings.map(wearing => ({ ...wearing, celsius: readings(wearing, 2400) })))
            const times = judged.map(values => {
                const settled = values.filter(value => value !== undefined)
                for (const value of settled)
                    assert.ok(Math.abs(value - toC) <= settledC + deviations * noiseC, `${value}`)
                assert.ok(settled.length > 0)
                // Once settled, it stays settled: hardly any value is missing.
                const after = values.length - (firstAtS(values) / readingS - 1)
                assert.ok(settled.length > 0.8 * after, `${settled.length} of ${after}`)
                return firstAtS(values)
            })
            t.diagnostic(`first value after ${times.join(", ")} s`)
            for (let i = 1; i < times.length; i++) assert.ok(times[i]! >= times[i - 1]!)
            assert.ok(times.at(-1)! < 1300)
        })

test("the error of a value never exceeds the guarantee", async () => {
    const hundredths = (min: number, max: number) =>
        fc.integer({ min: 100 * min, max: 100 * max }).map(value => value / 100)
    const wearing = fc.record({
        fromC: hundredths(5, 43),
        toC: hundredths(30.5, 42),
        timeConstantS: hundredths(2, slowestS),
        noiseC: hundredths(0, 1),
        isInfrared: fc.boolean(),
        seed: fc.integer({ min: 1, max: 1e6 }),
    })
    const wearings = fc.sample(wearing, { numRuns: cases, seed: 3 }).map(wearing => ({
        ...wearing,
        noiseC: wearing.noiseC * noises[wearing.isInfrared ? "infrared" : "contact"],
    }))
    const judged = await judge(wearings.map(wearing => ({ ...wearing, celsius: readings(wearing, 1600) })))
    let count = 0
    judged.forEach((values, n) => {
        const { toC, noiseC } = wearings[n]!
        for (const value of values) {
            if (value === undefined) continue
            count++
            const bound = settledC + deviations * noiseC + 0.001
            const text = `${value} at last ${JSON.stringify(wearings[n])}`
            assert.ok(Math.abs(value - toC) <= bound, text)
        }
    })
    assert.ok(count > 0.3 * cases * 800, `${count} values`)
})

test("a sensor that keeps drifting has no value yet; one that drifts as slowly as a fever has", async () => {
    const drift = (perHourC: number) => ({
        isInfrared: false,
        celsius: Array.from({ length: 900 }, (_, n) => 34 + (perHourC * n * readingS) / 3600),
    })
    const [still, fever, warming, cooling] = await judge([0, 2, 6, -6].map(drift))
    assert.ok(still!.slice(20).every(value => value === 34))
    assert.ok(fever!.slice(20).every(value => value !== undefined))
    assert.ok(warming!.every(value => value === undefined))
    assert.ok(cooling!.every(value => value === undefined))
})

test("the turn from cooling to warming does not count as settled, though it is still for a moment", async () => {
    const celsius = Array.from({ length: 300 }, (_, n) => 32 + Math.abs(n - 150) * 0.01)
    const [values] = await judge([{ celsius, isInfrared: false }])
    assert.ok(values!.every(value => value === undefined))
})

test("a sensor that comes off or slips must settle again, from the first reading that shows it", async () => {
    const on = Array.from({ length: 60 }, () => 34)
    const off = readings({ fromC: 34, toC: 23, timeConstantS: 60, noiseC: 0, isInfrared: false, seed: 1 }, 60)
    const [values] = await judge([{ celsius: [...on, ...off, ...on], isInfrared: false }])
    for (const value of values!) assert.ok(value === undefined || Math.abs(value - 34) <= settledC)
    const last = values!.slice(60, 90).findLastIndex(value => value !== undefined)
    assert.ok(last < 2, `still a value ${last} readings after it came off`)
    assert.ok(values!.slice(90, 109).every(value => value === undefined))
    assert.ok(values!.slice(110).every(value => value === 34))
})

test("no value for the temperature of a room, of a fault, or an infinite one", async () => {
    for (const celsius of [0, 23, 29.9, 43.1, 65]) {
        const [values] = await judge([{ celsius: Array.from({ length: 50 }, () => celsius), isInfrared: false }])
        assert.ok(values!.every(value => value === undefined))
    }
})

/** The temperature that a mote with these settings reports for skin at 36.7 °C. Undefined without one. */
async function reported(settings: Record<string, unknown>): Promise<number | undefined> {
    const clock = new VirtualClock()
    const chips = wearableChips(clock, syntheticBody({ seed: 1, coreC: 37, skinOffsetC: 0.3 }))
    const { lines, mote, run } = await runProgram("test/src/sensing.ts", { clock, chips, settings })
    await run(70)
    mote.stop()
    const readings = lines.filter(line => line.startsWith("reading "))
    return (JSON.parse(readings.at(-1)!.slice(8)) as { tempC?: number }).tempC
}

test("settings: an offset is added, and one out of range is ignored", async () => {
    const near = (value: number | undefined, expected: number) =>
        assert.ok(Math.abs(value! - expected) < 0.05, `${value}`)
    near(await reported({}), 36.7)
    near(await reported({ skinOffsetC: 0.4, irOffsetC: -1 }), 37.1)
    near(await reported({ skinOffsetC: 9 }), 36.7)
    near(await reported({ skinOffsetC: "warm" }), 36.7)
})
