import assert from "node:assert/strict"
import { test } from "node:test"
import { setImmediate } from "node:timers/promises"
import type { FastifyRequest } from "fastify"
import type { ProblemError } from "../../clinic/errors.ts"
import { Turns } from "../../clinic/http/turns.ts"
import { ManualClock } from "../support/clock.ts"
import { TestMote } from "../support/mote.ts"
import { delivery, measurement, memoryClinic } from "./support.ts"

const requestOf = (id: number, socket = { destroyed: false }) => ({ user: { id }, raw: { socket } }) as FastifyRequest

test("an account's requests come one after the other, and hold up nobody else", async () => {
    const turns = new Turns()
    const log: string[] = []
    const work = (name: string) => async () => {
        log.push(`${name} begins`)
        for (let i = 0; i < 3; i++) await setImmediate()
        log.push(`${name} ends`)
    }
    const many = ["a1", "a2", "a3"].map(name => turns.take(requestOf(1), work(name)))
    const other = turns.take(requestOf(2), work("b"))
    await Promise.all([...many, other])
    const ofFirst = log.filter(line => line.startsWith("a"))
    assert.deepEqual(
        ofFirst,
        ["a1", "a2", "a3"].flatMap(name => [`${name} begins`, `${name} ends`]),
    )
    assert.ok(log.indexOf("b ends") < log.indexOf("a2 ends"))
})

test("too many are refused, a failure and a client that has gone leave the others their turn", async () => {
    const turns = new Turns()
    let free!: () => void
    const first = turns.take(requestOf(1), () => new Promise<void>(resolve => (free = resolve)))
    await setImmediate()
    const failing = turns.take(requestOf(1), async () => assert.fail("it fails"))
    const gone = turns.take(requestOf(1, { destroyed: true }), async () => assert.fail("nobody waits for it"))
    const waiting = Array.from({ length: 497 }, (_, i) => turns.take(requestOf(1), async () => i))
    await assert.rejects(
        turns.take(requestOf(1), async () => 0),
        (error: ProblemError) => error.problem.code === "too-often",
    )
    assert.equal(await turns.take(requestOf(2), async () => "other"), "other")
    const results = Promise.allSettled([failing, gone])
    free()
    await first
    const [failed, left] = (await results) as PromiseRejectedResult[]
    assert.match((failed!.reason as Error).message, /it fails/)
    assert.equal((left!.reason as ProblemError).problem.code, "bad-request")
    assert.deepEqual(await Promise.all(waiting), [...waiting.keys()])
    assert.equal(await turns.take(requestOf(1), async () => "again"), "again")
})

test("a long history is read in parts, with a turn for others after each, and is what it is in one", async t => {
    const clock = new ManualClock()
    const clinic = await memoryClinic(clock)
    t.after(() => clinic.close())
    const { id: patient } = await clinic.patients.add({ given: "Ada", family: "Beck" })
    const { mote, secret } = await clinic.motes.register(patient)
    const sealer = new TestMote({ kid: mote.kid, secret })
    const now = clock.now()
    const total = 9000
    const start = now - total * 2000
    const readings = Array.from({ length: total }, (_, i) => ({
        time: start + i * 2000,
        value: 40 + ((i * 7919) % 120),
    }))
    for (let i = 0; i < total; i += 30) {
        const pack = readings.slice(i, i + 30).map(({ time, value }) => measurement("hr", value, time))
        await clinic.ingest([delivery(sealer.seal(pack, now), now)])
    }
    let clockMs = 0
    t.mock.method(performance, "now", () => (clockMs += 100)) // every slice is used up at once
    for (const stepMs of [7000, 3_600_000, 86_400_000]) {
        let turns = 0
        let isDone = false
        const others = async () => {
            while (!isDone) {
                await setImmediate()
                turns++
            }
        }
        const meanwhile = others()
        const range = { patient, name: "hr", from: start + 3000, before: now - 1 } as const
        const found = await clinic.observations.history({ ...range, stepMs })
        isDone = true
        await meanwhile
        assert.ok(turns >= 3, `${turns} turns`)
        const steps = new Map<number, number[]>()
        for (const { time, value } of readings) {
            if (time < range.from || time >= range.before) continue
            const step = time - (time % stepMs)
            const known = steps.get(step)
            if (known) known.push(value)
            else steps.set(step, [value])
        }
        assert.deepEqual(
            found.map(({ time, count, min, max }) => ({ time, count, min, max })),
            [...steps].map(([time, all]) => ({
                time,
                count: all.length,
                min: Math.min(...all),
                max: Math.max(...all),
            })),
        )
        for (const { time, mean } of found) {
            const all = steps.get(time)!
            assert.ok(Math.abs(mean! - all.reduce((sum, value) => sum + value, 0) / all.length) < 1e-6)
        }
    }
    const counted = await clinic.observations.count({ patients: [patient], names: ["hr"] })
    assert.equal(counted, total)
})
