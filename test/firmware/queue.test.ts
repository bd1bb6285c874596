import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { toReadings } from "../../clinic/readings/readings.ts"
import { decodePack, type Measurement } from "../../wire/pack.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { openChannel } from "./channel.ts"
import { ScriptedRouter } from "./scripted-router.ts"
import { runs } from "../support/long.ts"

const unixMs = Date.UTC(2026, 0, 1)
const tickMs = 62.5
const channel = openChannel("test/src/queue.ts")

async function ask(question: object): Promise<Buffer> {
    return await (await channel).ask(Buffer.from(JSON.stringify(question)))
}

interface Made {
    time: number
    hr?: number
    temp?: number
    spo2?: number
}

/** What test/src/queue.ts creates, in the form in which it leaves a queue. */
function make(count: number, seed: number, stepMs: number, pause: number): Made[] {
    let atMs = 0
    return Array.from({ length: count }, (_, n) => {
        const dice = (n * 7919 + seed * 104729) % 1009
        atMs += dice % 61 === 0 ? 40 * stepMs : dice % 67 === 0 ? pause * stepMs : stepMs
        const made: Made = { time: Math.round(Math.round(atMs / tickMs) * tickMs + unixMs) }
        const isCalm = dice % 13 !== 0
        if (isCalm && dice % 11 !== 0) made.hr = (400 + dice) / 10
        if (dice % 17 !== 0) made.temp = (3500 + (dice % 500)) / 100
        if (isCalm && dice % 4 === 0) made.spo2 = 80 + (dice % 20)
        return made
    })
}

interface Queue {
    readings: number
    summaries: number
    push: number
    seed: number
    stepMs: number
    /** Lengths of some pauses. */
    pause?: number
}

const fill = async (queue: Queue) => {
    const counts = await ask({ max: 0, ...queue })
    return { length: counts.readUInt32LE(0), lost: counts.readUInt32LE(4) }
}
const pack = async (o: object = {}) => decodePack(await ask({ max: 30, ...o }), unixMs + 1e10)

/** The whole output, pack by pack. */
async function drain(): Promise<Measurement[][]> {
    const packs: Measurement[][] = []
    for (;;) {
        const answer = await ask({ max: 30 })
        if (answer.length === 8) return packs
        packs.push(decodePack(answer, unixMs + 1e10))
    }
}

const sum = (pack: Measurement[], name: string) =>
    pack.filter(m => m.name === name).reduce((sum, { value }) => sum + value, 0)

/**
 * Maximum error of a mean: it is rounded to a quarter of this resolution with each merger, and to the resolution at the
 * end.
 */
const grids = { hr: 0.1, temp: 0.01, spo2: 1 }
const maxOff = 1.5
const names = ["hr", "temp", "spo2"] as const

/** Checks that the output is exactly the input, in order, at any resolution. @returns the number of lost readings */
async function check({ push, seed, stepMs, pause = 2000, ...sizes }: Queue): Promise<number> {
    const { length, lost } = await fill({ push, seed, stepMs, pause, ...sizes })
    assert.equal(length + lost, push)
    const made = make(push, seed, stepMs, pause)
    let next = lost
    let isDetailed = false
    for (const [n, pack] of (await drain()).entries()) {
        assert.equal(sum(pack, "lost"), n === 0 ? lost : 0)
        const summaries = pack.filter(m => m.name === "count")
        for (const { time, value: count } of summaries) {
            assert.ok(!isDetailed, "summaries come first")
            const of = made.slice(next, (next += count))
            const at = (name: string) => pack.find(m => m.name === name && Math.abs(m.time - time) <= 1)?.value
            const [first, last] = [of[0]!.time, of.at(-1)!.time]
            assert.ok(Math.abs(at("span")! * 1000 - (last - first)) <= 1)
            assert.ok(Math.abs(time - (first + last) / 2) <= tickMs)
            for (const name of names) {
                const values = of.flatMap(m => m[name] ?? [])
                assert.equal(at(`${name}-n`), values.length || undefined)
                if (values.length === 0) continue
                assert.equal(at(`${name}-min`), Math.min(...values))
                assert.equal(at(`${name}-max`), Math.max(...values))
                const mean = values.reduce((a, b) => a + b) / values.length
                const offBy = Math.abs(at(name)! - mean)
                assert.ok(offBy <= maxOff * grids[name], `${name} is ${offBy} off`)
            }
        }
        if (summaries.length > 0) continue
        isDetailed = true
        const times = pack.filter(m => m.name === "hr-q").map(m => m.time)
        const of = made.slice(next, (next += times.length))
        assert.deepEqual(
            times,
            of.map(m => m.time),
        )
        for (const name of names)
            assert.deepEqual(
                pack.filter(m => m.name === name).map(m => [m.time, m.value]),
                of.flatMap(m => (m[name] === undefined ? [] : [[m.time, m[name]]])),
            )
    }
    assert.equal(next, push)
    return lost
}

/** As in the firmware. */
const sizes = { readings: 900, summaries: 40 }

test("any outage: summaries, readings and losses add up to what was measured", async () => {
    const queue = fc.record({
        readings: fc.integer({ min: 30, max: 90 }),
        summaries: fc.integer({ min: 1, max: 6 }),
        push: fc.integer({ min: 1, max: 600 }),
        seed: fc.nat(1000),
        stepMs: fc.constantFrom(1000, 2000, 2013, 5000, 16_000, 60_000),
    })
    await fc.assert(
        fc.asyncProperty(queue, async q => void (await check(q))),
        { numRuns: runs(25) },
    )
})

test("30 minutes are stored in full", async () => {
    const { length, lost } = await fill({ ...sizes, push: 900, seed: 1, stepMs: 1, pause: 40 })
    assert.deepEqual({ length, lost }, { length: 900, lost: 0 })
    assert.equal(sum((await drain()).flat(), "count"), 0)
})

test("an outage of 12 hours and more is covered without a gap", async () => {
    assert.equal(await check({ ...sizes, push: 15_000, seed: 1, stepMs: 2000, pause: 90 }), 0)
})

test("only summaries of an hour are dropped", async () => {
    const lost = await check({ readings: 60, summaries: 8, push: 3000, seed: 2, stepMs: 20_000 })
    assert.ok(lost > 0)
})

test("the clinic accepts mean, count, minimum and maximum of a summary", async () => {
    await fill({ readings: 60, summaries: 4, push: 200, seed: 5, stepMs: 2000, pause: 40 })
    const measurements = await pack({ max: 1 })
    const readings = toReadings(measurements, unixMs + 1e10)
    assert.ok(readings.every(({ problem }) => problem === null))
    const said = (name: string) => measurements.find(m => m.name === name)!.value
    for (const name of names) {
        const [reading, ...more] = readings.filter(r => r.name === name)
        assert.deepEqual(more, [])
        assert.equal(reading!.value, said(name))
        assert.deepEqual(reading!.summary, {
            ...{ count: said(`${name}-n`), least: said(`${name}-min`) },
            ...{ greatest: said(`${name}-max`), spanMs: Math.round(said("span") * 1000) },
        })
    }
})

test("without a clock each pack has one reading, with a relative time", async () => {
    await fill({ readings: 60, summaries: 2, push: 100, seed: 3, stepMs: 2000, pause: 40 })
    const [{ time, relative }] = (await pack({ max: 1, isUnset: true })) as [Measurement]
    assert.ok(relative && time < unixMs + 1e10)
    const second = await pack({ max: 1, isUnset: true })
    assert.equal(second.filter(m => m.name === "count").length, 1)
})

test("the battery level is in the first pack, and after each change", async () => {
    await fill({ ...sizes, push: 30, seed: 1, stepMs: 2000, pause: 40 })
    const battery = async (o: object) =>
        (await pack({ max: 1, ...o })).filter(m => m.name === "batt").map(m => [m.value, m.unit])
    assert.deepEqual(await battery({}), [])
    assert.deepEqual(await battery({ battery: 81 }), [[81, "%EL"]])
    assert.deepEqual(await battery({ battery: 81 }), [])
    assert.deepEqual(await battery({ battery: 80 }), [[80, "%EL"]])
})

test("the longest packs fit", async () => {
    // Summaries, then readings, with everything in them.
    for (const hasNote of [false, true]) {
        await fill({ readings: 60, summaries: 6, push: 5000, seed: 4, stepMs: 7777, pause: 40 })
        for (let length = 1, n = 0; length > 0; n++) {
            assert.ok((await pack({ hasNote, battery: n })).length > 0)
            length = (await ask({ max: 0 })).readUInt32LE(0)
        }
    }
})

test("an outage of three hours over the link: summaries and readings add up to what was measured", async () => {
    const router = new ScriptedRouter()
    router.isReachable = false
    const { run, panics } = await runProgram("test/src/uplink.ts", {
        clock: router.clock,
        connect: router.connect,
        settings: { ...router.settings, count: 2700, everyMs: 4000 },
    })
    await run(10_700)
    router.isReachable = true
    await run(400)
    assert.deepEqual(panics, [])
    assert.deepEqual({ arrived: router.arrived, lost: router.lost }, { arrived: 2700, lost: 0 })
    assert.ok(router.posts.some(p => p.measurements.some(m => m.name === "count")))
})
