import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { sleep } from "../../host/clock.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

test("timers fire in the order of time, those of one moment in the order they were set", async () => {
    await fc.assert(
        fc.asyncProperty(
            fc.array(fc.record({ ms: fc.nat(20), cancel: fc.boolean() }), { maxLength: 60 }),
            async timers => {
                const clock = new VirtualClock(0)
                const fired: number[] = []
                timers.forEach(({ ms, cancel }, n) => {
                    const timer = clock.setTimeout(() => {
                        assert.equal(clock.now(), ms)
                        fired.push(n)
                    }, ms)
                    if (cancel) clock.clearTimeout(timer)
                })
                await clock.run(100)
                const expected = timers
                    .map((timer, n) => ({ ...timer, n }))
                    .filter(timer => !timer.cancel)
                    .sort((a, b) => a.ms - b.ms || a.n - b.n)
                assert.deepEqual(
                    fired,
                    expected.map(timer => timer.n),
                )
                assert.equal(clock.now(), 100)
            },
        ),
    )
})

test("time stops where it was told to, and promises settle between two timers", async () => {
    const clock = new VirtualClock(1000)
    const seen: string[] = []
    const chain = async () => {
        await sleep(clock, 5)
        for (let n = 0; n < 50; n++) await Promise.resolve()
        seen.push("slept")
    }
    const work = chain()
    clock.setTimeout(() => seen.push("later"), 6)
    clock.setTimeout(() => seen.push("too late"), 50)
    await clock.run(20)
    await work
    assert.deepEqual(seen, ["slept", "later"])
    assert.equal(clock.now(), 1020)
    await clock.run(1000, () => seen.includes("too late"))
    assert.equal(clock.now(), 1050)
})

test("thousands of cancelled timers take nothing along, neither the order of the others nor memory", async () => {
    const clock = new VirtualClock(0)
    const fired: number[] = []
    for (let n = 0; n < 1000; n++) {
        clock.setTimeout(() => fired.push(n), 1000 - (n % 10))
        for (let k = 0; k < 5; k++) {
            const timer = clock.setTimeout(() => fired.push(-1), 500 + k)
            clock.clearTimeout(timer)
            clock.clearTimeout(timer)
        }
    }
    const heap = (clock as unknown as { heap: unknown[] }).heap
    assert.ok(heap.length < 2 * 1000 + 300, `${heap.length} of 6000 timers are kept`)
    await clock.run(2000)
    const expected = Array.from({ length: 1000 }, (_, n) => n)
    expected.sort((a, b) => (b % 10) - (a % 10) || a - b)
    assert.deepEqual(fired, expected)
})
