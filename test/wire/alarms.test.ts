import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { toAlarms, type AlarmEvent } from "../../wire/alarms.ts"
import { WireError } from "../../wire/cbor.ts"
import type { Measurement } from "../../wire/senml.ts"

const m = (name: string, value: number, unit = "/", more: Partial<Measurement> = {}) => {
    return { name, value, unit, time: 1.7e12, relative: false, ...more }
}

test("an alarm is a beginning or an end, its id, and what caused it if anything did", () => {
    const pack = [
        m("alarm/hr-high", 1, "/", { time: 1.7e12 + 500 }),
        m("alarm/hr-high/id", 2 ** 40, "count"),
        m("alarm/hr-high/value", 142.5, "beat/min"),
        m("alarm/contact", 0, "/", { relative: true }),
        m("alarm/contact/id", 7, "count"),
        m("alarm/contact/untimed", 1),
        m("batt", 80, "%EL"),
    ]
    assert.deepEqual(toAlarms(pack), [
        {
            ...{ kind: "hr-high", id: 2 ** 40, raised: true, value: 142.5, unit: "beat/min" },
            ...{ time: 1.7e12 + 500, relative: false, untimed: false },
        },
        {
            ...{ kind: "contact", id: 7, raised: false, value: null, unit: null },
            ...{ time: 1.7e12, relative: true, untimed: true },
        },
    ])
})

test("what a newer mote says about an alarm of its own is not lost", () => {
    const pack = [m("alarm/fall", 1), m("alarm/fall/id", 1), m("alarm/fall/height", 1.2, "m")]
    assert.deepEqual(
        toAlarms(pack).map(({ kind, raised }: AlarmEvent) => [kind, raised]),
        [["fall", true]],
    )
})

test("alarms that are none are refused", () => {
    const id = m("alarm/hr-low/id", 1, "count")
    const wrong: [Measurement[], RegExp][] = [
        [[m("alarm/hr-low", 2), id], /neither begins nor ends/],
        [[m("alarm/hr-low", 1)], /no id/],
        [[m("alarm/hr-low", 1), { ...id, value: 1.5 }], /no id/],
        [[m("alarm/hr-low", 1), { ...id, value: -1 }], /no id/],
        [[id], /belongs to no alarm/],
        [[m("alarm/hr-high", 1), id], /belongs to no alarm/],
        [[m("alarm", 1)], /malformed/],
        [[m("alarm/", 1)], /malformed/],
        [[m("alarm/Hr", 1)], /malformed/],
        [[m(`alarm/${"x".repeat(33)}`, 1)], /malformed/],
    ]
    for (const [pack, reason] of wrong)
        assert.throws(
            () => toAlarms(pack),
            (error: Error) => error instanceof WireError && reason.test(error.message),
        )
})

test("whatever is in a pack: alarms or a WireError", () => {
    const name = fc.oneof(
        fc.constantFrom("alarm/a", "alarm/a/id", "alarm/b", "alarm/b/value", "hr"),
        fc.string().map(tail => `alarm${tail}`),
    )
    const value = fc.oneof(fc.constantFrom(0, 1), fc.double({ noNaN: true }))
    fc.assert(
        fc.property(fc.array(fc.tuple(name, value)), pairs => {
            try {
                toAlarms(pairs.map(([name, value]) => m(name, value)))
            } catch (error) {
                assert.ok(error instanceof WireError)
            }
        }),
    )
})
