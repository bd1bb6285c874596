import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { Series } from "../../clinic/web/series.ts"

test("single readings end in the same steps as the clinic's history", () => {
    const reading = fc.record({
        time: fc.integer({ min: 0, max: 60_000 }),
        value: fc.option(fc.integer({ min: 30, max: 200 })),
    })
    fc.assert(
        fc.property(fc.array(reading), readings => {
            const stepMs = 5000
            const series = new Series(stepMs)
            for (const { time, value } of readings) series.add(time, value)
            const steps = new Map<number, number[]>()
            for (const { time, value } of readings) {
                const start = time - (time % stepMs)
                const values = steps.get(start) ?? []
                steps.set(start, value === null ? values : [...values, value])
            }
            const [times, means, mins, maxs] = series.columns()
            const rows = times
                .map((s, i) => ({ time: s * 1000, mean: means[i], min: mins[i], max: maxs[i] }))
                .filter(row => steps.has(row.time))
            assert.equal(rows.length, steps.size)
            for (const { time, mean, min, max } of rows) {
                const values = steps.get(time)!
                if (values.length === 0) assert.deepEqual([mean, min, max], [null, null, null])
                else {
                    const sum = values.reduce((a, b) => a + b, 0)
                    assert.ok(Math.abs(mean! - sum / values.length) < 1e-9)
                    assert.deepEqual([min, max], [Math.min(...values), Math.max(...values)])
                }
            }
            assert.deepEqual(
                times,
                [...times].sort((a, b) => a - b),
            )
        }),
    )
})

test("a pause breaks the line, and what is too old is forgotten", () => {
    const series = new Series(1000)
    for (const time of [0, 2000, 4000, 30_000, 32_000]) series.add(time, 60)
    assert.deepEqual(series.columns().slice(0, 2), [
        [0, 2, 4, 5, 30, 32],
        [60, 60, 60, null, 60, 60],
    ])
    series.trim(30_000)
    assert.deepEqual(series.columns()[0], [30, 32])
    assert.deepEqual(series.range(), { min: 60, max: 60 })
})

test("a history that comes late does not undo what arrived meanwhile", () => {
    const series = new Series(1000)
    series.add(5000, 80)
    const point = (time: number) => ({ time, count: 1, mean: 70, min: 70, max: 70, quality: null })
    series.load([point(1000), point(3000)])
    assert.deepEqual(series.columns().slice(0, 2), [
        [1, 3, 5],
        [70, 70, 80],
    ])
})

test("what is stored late while a history loads stays, and so does what only the history has", () => {
    const series = new Series(1000)
    for (const [time, value] of [
        [1000, 60],
        [2000, 61],
        [2500, 63],
        [3000, null],
    ] as const)
        series.add(time, value)
    const point = (time: number, count: number) => ({ time, count, mean: 70, min: 70, max: 70, quality: null })
    series.load([point(2000, 1), point(3000, 2), point(4000, 1)])
    assert.deepEqual(series.columns().slice(0, 2), [
        [1, 2, 3, 4],
        [60, 62, 70, 70],
    ])
})
