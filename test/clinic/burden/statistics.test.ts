import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { dayMs, quantile, statistics, type CountedAlarm } from "../../../clinic/burden/statistics.ts"

const period = { from: 0, before: 2 * dayMs }
const alarm = (more: Partial<CountedAlarm>): CountedAlarm => ({
    ...{ patient: 1, kind: "hr-high", priority: "high", raisedAt: 1000, clearedAt: null, seenAt: null, storedAt: 1000 },
    ...{ begun: 1, ...more },
})

test("alarms are counted per patient and day, by kind and priority, with how long they waited", () => {
    const alarms = [
        alarm({ seenAt: 11_000, clearedAt: 200_000 }),
        alarm({ seenAt: 31_000, begun: 10_000 }),
        alarm({ clearedAt: 30_000 }),
        alarm({ kind: "contact", priority: "low", patient: 2, clearedAt: 30_000, seenAt: 20_000 }),
        alarm({ kind: "router-silent", priority: "medium", patient: null, storedAt: dayMs + 5 }),
    ]
    const watched = new Map([
        [1, 1.5 * dayMs],
        [2, dayMs],
    ])
    const { all, kinds, priorities, days, loudest, patientDays } = statistics(alarms, watched, period)
    assert.equal(patientDays, 2.5)
    assert.deepEqual([all.count, all.perPatientDay, all.endedSoon], [5, 2, 1])
    assert.equal(all.begun, 10_004)
    assert.deepEqual(all.waiting, { seen: 3, unseen: 2, medianMs: 19_000, p90Ms: 30_000 })
    assert.deepEqual(
        kinds.map(({ kind, count, endedSoon }) => [kind, count, endedSoon]),
        [
            ["hr-high", 3, 1],
            ["contact", 1, 0],
            ["router-silent", 1, 0],
        ],
    )
    assert.deepEqual(
        priorities.map(({ priority, count }) => [priority, count]),
        [
            ["high", 3],
            ["low", 1],
            ["medium", 1],
        ],
    )
    assert.deepEqual(days, [
        { time: 0, high: 3, medium: 0, low: 1 },
        { time: dayMs, high: 0, medium: 1, low: 0 },
    ])
    assert.deepEqual(loudest, [
        { patient: 1, count: 3, days: 1.5, perDay: 2 },
        { patient: 2, count: 1, days: 1, perDay: 1 },
    ])
})

test("where nobody was watched there is no rate, and of no alarms no wait", () => {
    const { all, loudest } = statistics([alarm({})], new Map(), period)
    assert.deepEqual([all.count, all.perPatientDay, loudest[0]!.perDay], [1, null, null])
    assert.deepEqual(statistics([], new Map([[1, dayMs]]), period).all.waiting.medianMs, null)
})

test("the loudest beds are ten at most, the loudest first", () => {
    const alarms = Array.from({ length: 12 }, (_, i) =>
        Array.from({ length: i + 1 }, () => alarm({ patient: i })),
    ).flat()
    const { loudest } = statistics(alarms, new Map(), period)
    assert.deepEqual(
        loudest.map(({ count }) => count),
        [12, 11, 10, 9, 8, 7, 6, 5, 4, 3],
    )
})

test("a quantile is one of the values, and that share of them is not above it", () => {
    fc.assert(
        fc.property(
            fc.array(fc.nat(), { minLength: 1 }),
            fc.double({ min: 0.01, max: 1, noNaN: true }),
            (some, share) => {
                const sorted = some.toSorted((a, b) => a - b)
                const found = quantile(sorted, share)!
                assert.ok(sorted.includes(found))
                assert.ok(sorted.filter(value => value <= found).length >= share * sorted.length - 1e-9)
            },
        ),
    )
    assert.equal(quantile([], 0.5), null)
})
