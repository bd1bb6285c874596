import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { Histogram } from "../../sim/observe/histogram.ts"
import { ReadingTimes, type Delivery, type Pauses } from "../../sim/observe/reading-times.ts"
import { Statistics } from "../../sim/observe/statistics.ts"

const readingMs = 2000

test("histogram: percentiles to a fiftieth, the highest and the mean exactly", () => {
    const values = fc.array(fc.double({ min: 1, max: 1e7, noNaN: true }), { minLength: 1 })
    fc.assert(
        fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (list, share) => {
            const histogram = new Histogram()
            const half = new Histogram()
            list.forEach((value, i) => (i % 2 ? half : histogram).add(value))
            histogram.addAll(half)
            const sorted = list.toSorted((a, b) => a - b)
            const exact = sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!
            const found = histogram.percentile(share)
            assert.ok(Math.abs(found - exact) <= exact / 50, `${found} for ${exact}`)
            assert.equal(histogram.percentile(1), sorted.at(-1))
            assert.equal(histogram.count, list.length)
            const mean = list.reduce((a, b) => a + b) / list.length
            assert.ok(Math.abs(histogram.mean - mean) < 1e-6 * mean)
        }),
    )
    assert.equal(new Histogram().percentile(0.5), 0)
    assert.equal(new Histogram().mean, 0)
})

test("histogram: a million numbers need no more room than a thousand", () => {
    const histogram = new Histogram()
    for (let i = 0; i < 1_000_000; i++) histogram.add(1 + ((i * 7919) % 100_000))
    assert.ok(histogram.list().length < 600)
    assert.equal(
        histogram.list().reduce((sum, { count }) => sum + count, 0),
        1_000_000,
    )
})

/** The same, with all times at hand. */
function deliveryOf(arrived: number[], untilMs: number, pauses: Pauses): Delivery {
    const times = [...new Set(arrived)].sort((a, b) => a - b)
    const found = { expected: 0, arrived: 0 }
    times.forEach((t, i) => {
        if (t > untilMs) return
        const next = Math.min(times[i + 1] ?? untilMs, untilMs)
        const isPaused = pauses.some(([from, to]) => from < next && to > t)
        found.arrived++
        found.expected += isPaused ? 1 : Math.max(1, Math.round((next - t) / readingMs))
    })
    return found
}

test("delivery: exact, in whatever order readings arrive, twice or never", () => {
    const reading = fc.record({ lost: fc.boolean(), late: fc.nat(40), twice: fc.boolean() })
    fc.assert(
        fc.property(fc.array(reading), fc.nat(100), fc.nat(20), (readings, until, pauseAt) => {
            const pauses: Pauses = [[pauseAt * readingMs + 100, pauseAt * readingMs + 5100]]
            const times = readings
                .map(({ lost, late, twice }, i) => ({ ms: i * readingMs, late, lost, twice }))
                .filter(({ ms, lost }) => !lost && !(ms > pauses[0]![0] && ms < pauses[0]![1]))
                .sort((a, b) => a.ms / readingMs + a.late - (b.ms / readingMs + b.late))
                .flatMap(({ ms, twice }) => (twice ? [ms, ms] : [ms]))
            const untilMs = until * readingMs
            const kept = new ReadingTimes(pauses)
            for (const ms of times) kept.add(ms)
            assert.deepEqual(kept.delivery(untilMs), deliveryOf(times, untilMs, pauses))
        }),
        { numRuns: 500 },
    )
})

test("delivery: exact also over days in which every tenth reading is lost, in bounded memory", () => {
    const kept = new ReadingTimes([])
    const days = 5
    const count = (days * 86_400_000) / readingMs
    for (let i = 0; i < count; i++) if (i % 10 !== 9) kept.add(i * readingMs)
    assert.deepEqual(kept.delivery((count - 2) * readingMs), {
        expected: count - 1,
        arrived: 0.9 * count,
    })
    assert.ok(JSON.stringify(kept).length < 100_000)
})

test("statistics: the first reading since a moment; what is on its way is not missed", () => {
    const statistics = new Statistics(() => [], [10_000])
    const arrive = (measuredMs: number, arrivedMs: number) =>
        statistics.arrived({
            mote: 2,
            measuredMs,
            arrivedMs,
            relative: false,
            continues: false,
            values: new Map(),
        })
    arrive(8000, 12_000)
    assert.equal(statistics.firstSince(2, 10_000), undefined)
    arrive(10_000, 15_000)
    arrive(12_000, 15_000)
    assert.equal(statistics.firstSince(2, 10_000), 15_000)
    assert.equal(statistics.of(2).latencyMs.count, 3)
    assert.deepEqual(statistics.delivery(2, 39_000), { expected: 1, arrived: 1 })
    // 8, 10, 12 and 14 s; that of 16 s may just be measured.
    assert.deepEqual(statistics.delivery(2, 46_000), { expected: 4, arrived: 3 })
    assert.deepEqual(statistics.delivery(3, 46_000), { expected: 0, arrived: 0 })
})
