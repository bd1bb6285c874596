import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { decodeAlarms, encodeAlarms, maxAlarmEvents, type AlarmEvent } from "../../wire/alarms.ts"
import { encode, WireError } from "../../wire/cbor.ts"
import { alarmKinds, alarmUnit, type AlarmKind } from "../../wire/tables/alarm-kinds.ts"
import { runs } from "../support/long.ts"

const receivedAt = 1_700_000_000_000
const unixTicks = 27_200_000_008
const kinds: [string, AlarmKind][] = Object.entries(alarmKinds)
const moteKinds = kinds.filter(([, { raisedBy }]) => raisedBy === "mote")

test("an alarm is a beginning or an end, its id, its time, and what caused it if anything did", () => {
    const bytes = encode([
        [1, 2 ** 40, 1, unixTicks, 1425],
        [6, 7, 2, -1 - 16, null],
    ])
    const expected: AlarmEvent[] = [
        {
            ...{ kind: "hr-high", id: 2 ** 40, raised: true, value: 142.5, unit: "beat/min" },
            ...{ time: 1_700_000_000_500, relative: false, untimed: false },
        },
        {
            ...{ kind: "contact", id: 7, raised: false, value: null, unit: null },
            ...{ time: receivedAt - 1000, relative: true, untimed: true },
        },
    ]
    assert.deepEqual(decodeAlarms(bytes, receivedAt), expected)
    assert.deepEqual(encodeAlarms(expected, receivedAt), bytes)
})

test("what a newer mote says about an alarm of its own is not lost", () => {
    const [fall, flagged] = decodeAlarms(
        encode([
            [40, 1, 1, unixTicks, 12, "from a height"],
            [0, 2, 0xff, unixTicks, null],
        ]),
        receivedAt,
    )
    assert.deepEqual([fall!.kind, fall!.raised, fall!.value, fall!.unit], ["kind-40", true, 12, null])
    assert.deepEqual([flagged!.kind, flagged!.raised, flagged!.untimed], ["hr-low", true, true])
})

test("every kind that a mote raises has a number of its own, and no other has one", () => {
    const numbers = moteKinds.map(([, { number }]) => number)
    assert.ok(numbers.every(number => number !== undefined))
    assert.equal(new Set(numbers).size, numbers.length)
    for (const [name, { raisedBy, number }] of kinds) assert.equal(number === undefined, raisedBy === "clinic", name)
})

const event = [1, 1, 1, unixTicks, null]
for (const [what, item] of [
    ["no list", new Map()],
    ["an empty list", []],
    ["more than sixteen", Array(maxAlarmEvents + 1).fill(event)],
    ["an alarm that is a number", [1]],
    ["an alarm that is cut short", [event.slice(0, 4)]],
    ["a kind that is a text", [["hr-high", ...event.slice(1)]]],
    ["a negative kind", [[-1, ...event.slice(1)]]],
    ["a negative id", [[1, -1, 1, unixTicks, null]]],
    ["an id with a fraction", [[1, 1.5, 1, unixTicks, null]]],
    ["negative flags", [[1, 1, -1, unixTicks, null]]],
    ["a time that is a text", [[1, 1, 1, "now", null]]],
    ["a time beyond all calendars", [[1, 1, 1, 2 ** 52, null]]],
    ["a time before 1970", [[1, 1, 1, -(2 ** 52), null]]],
    ["a value with a fraction", [[1, 1, 1, unixTicks, 0.5]]],
    ["a value that is too large", [[1, 1, 1, unixTicks, 2 ** 31]]],
    ["a value that is a text", [[1, 1, 1, unixTicks, "171"]]],
] as const)
    test(`refuses ${what}`, () => assert.throws(() => decodeAlarms(encode(item), receivedAt), WireError))

test("alarms come back as they were", () => {
    const kind = fc.oneof(
        fc.constantFrom(...moteKinds.map(([name]) => name)),
        fc.integer({ min: 20, max: 1_000_000 }).map(number => `kind-${number}`),
    )
    const said = fc.record({
        kind,
        id: fc.maxSafeNat(),
        raised: fc.boolean(),
        untimed: fc.boolean(),
        tenths: fc.option(fc.integer({ min: -10_000, max: 10_000 })),
        age: fc.nat({ max: 1_000_000 }),
        relative: fc.boolean(),
    })
    fc.assert(
        fc.property(fc.array(said, { minLength: 1, maxLength: maxAlarmEvents }), list => {
            const events = list.map(({ tenths, age, ...rest }): AlarmEvent => {
                const known = (alarmKinds as Record<string, AlarmKind>)[rest.kind]
                const cause = known?.cause
                const isFine = cause && "quantity" in cause && ["hr", "temp"].includes(cause.quantity)
                const value = tenths === null ? null : isFine ? tenths / 10 : tenths
                const unit = value === null || !known ? null : alarmUnit(known)
                return { ...rest, value, unit, time: Math.round(receivedAt - age * 62.5) }
            })
            assert.deepEqual(decodeAlarms(encodeAlarms(events, receivedAt), receivedAt), events)
        }),
        { numRuns: runs(100) },
    )
})

test("a kind that no mote raises is not encoded", () => {
    const [known] = decodeAlarms(encode([event]), receivedAt)
    for (const kind of ["router-silent", "fall"])
        assert.throws(() => encodeAlarms([{ ...known!, kind }], receivedAt), RangeError)
})

test("whatever the bytes: alarms of which there are few, or a WireError", () => {
    const check = (bytes: Uint8Array) => {
        try {
            const events = decodeAlarms(bytes, receivedAt)
            assert.ok(events.length > 0 && events.length <= maxAlarmEvents)
            for (const { kind, id, time } of events) {
                assert.match(kind, /^[a-z0-9-]{1,32}$/)
                assert.ok(Number.isSafeInteger(id) && Number.isSafeInteger(time) && time >= 0)
            }
        } catch (error) {
            assert.ok(error instanceof WireError, String(error))
        }
    }
    const part = fc.oneof(fc.nat({ max: 20 }), fc.constantFrom(null, unixTicks, "hr"), fc.maxSafeInteger(), fc.double())
    fc.assert(
        fc.property(fc.array(fc.array(part, { maxLength: 7 }), { maxLength: 20 }), events => check(encode(events))),
        { numRuns: runs(1000) },
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), check))
    const valid = encode([event])
    for (let at = 0; at < valid.length; at++)
        for (let byte = 0; byte < 256; byte++) check(valid.map((old, i) => (i === at ? byte : old)))
})
