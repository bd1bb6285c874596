import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { encode, WireError } from "../../wire/cbor.ts"
import {
    decodePack,
    encodePack,
    maxReadings,
    maxValues,
    refusedName,
    ticksPerSecond,
    type Measurement,
} from "../../wire/pack.ts"
import { refusalNumbers } from "../../wire/refusal.ts"
import { namesByColumn, quantityOf } from "../../wire/tables/quantities.ts"
import { runs } from "../support/long.ts"

const receivedAt = 1_700_000_000_000
const baseS = 1_600_000_000

/** A pack with columns given as pairs of code and content. */
function pack(base: unknown, steps: unknown, columns: [unknown, unknown][], extras?: [unknown, unknown][]): Uint8Array {
    return encode([base, steps, new Map(columns), ...(extras ? [new Map(extras)] : [])])
}

const shown = (bytes: Uint8Array) =>
    decodePack(bytes, receivedAt).map(({ name, value, time }) => [name, value, time / 1000 - baseS])

test("steps are differences of differences, columns differences, and what is absent is null", () => {
    const bytes = pack(
        baseS,
        [8, 32, 0, 2],
        [
            [0, [725, -4, null, 10]],
            [1, [93, 1]],
            [2, 0b0100],
            [3, [3650, 1, 0, -2]],
            [4, [null, 97]],
        ],
    )
    assert.deepEqual(shown(bytes), [
        ["hr", 72.5, 0.5],
        ["hr", 72.1, 2.5],
        ["hr", 73.1, 6.625],
        ["hr-q", 0.93, 0.5],
        ["hr-q", 0.94, 2.5],
        ["motion", 1, 4.5],
        ["temp", 36.5, 0.5],
        ["temp", 36.51, 2.5],
        ["temp", 36.51, 4.5],
        ["temp", 36.49, 6.625],
        ["spo2", 97, 2.5],
    ])
    assert.deepEqual(encodePack(decodePack(bytes, receivedAt), receivedAt), bytes)
})

test("a negative base counts back from the arrival", () => {
    const bytes = pack(-1 - 24, [0], [[3, [3700]]])
    assert.deepEqual(decodePack(bytes, receivedAt), [
        { name: "temp", unit: "Cel", value: 37, time: receivedAt - 1500, relative: true },
    ])
    assert.equal(decodePack(pack(-1, [0], [[0, [1]]]), receivedAt)[0]!.time, receivedAt)
})

test("what is not about one reading has the time of the first, or of the sealing", () => {
    const refusal = { code: "out-of-range", setting: "hrLow", min: 20, max: 200 } as const
    const bytes = pack(
        baseS,
        [4, 32],
        [[0, [700, 0]]],
        [
            [0, 12],
            [1, 81],
            [2, 6],
            [3, [7, refusalNumbers(refusal)]],
            [4, 40],
            [9, "of a newer mote"],
        ],
    )
    const decoded = decodePack(bytes, receivedAt)
    assert.deepEqual(
        decoded.slice(2).map(({ name, unit, value, time }) => [name, unit, value, time / 1000 - baseS]),
        [
            ["lost", "count", 12, 0.25],
            ["batt", "%EL", 81, 4.75],
            ["config", "count", 6, 4.75],
            [refusedName, "count", 7, 4.75],
        ],
    )
    assert.deepEqual(decoded.at(-1)!.refusal, refusal)
    // Without readings, the base is the sealing.
    assert.deepEqual(shown(pack(baseS, [], [], [[2, 6]])), [["config", 6, 0]])
    const [config] = decodePack(pack(-1, [], [], [[2, 6]]), receivedAt)
    assert.deepEqual([config!.time, config!.relative], [receivedAt, true])
})

test("a column of a newer mote is kept in its whole numbers", () => {
    const decoded = decodePack(
        pack(
            baseS,
            [0, 32],
            [
                [7, [5, -1]],
                [39, 0b10],
            ],
        ),
        receivedAt,
    )
    assert.deepEqual(
        decoded.map(({ name, unit, value }) => [name, unit, value]),
        [
            ["x-7", "/", 5],
            ["x-7", "/", 4],
            ["x-39", "/", 1],
        ],
    )
})

const good = [[0, [700]]] as [unknown, unknown][]
const wrong: [string, Uint8Array][] = [
    ["no array", encode(new Map())],
    ["an empty array", encode([])],
    ["a part too many", encode([baseS, [0], new Map(good), new Map([[0, 1]]), 1])],
    ["a base that is a text", pack("now", [0], good)],
    ["a base with a fraction", pack(0.5, [0], good)],
    ["a base beyond all calendars", pack(253_402_300_800, [0], good)],
    ["a base before 1970", pack(-1 - ticksPerSecond * 1.8e9, [0], good)],
    ["a first step of a second", pack(baseS, [ticksPerSecond], good)],
    ["a negative first step", pack(baseS, [-1], good)],
    ["a step without a clock", pack(-1, [1], good)],
    ["several readings without a clock", pack(-100, [0, 32], [[0, [700, 1]]])],
    ["steps that are no array", pack(baseS, 0, good)],
    ["a step of null", pack(baseS, [0, null], good)],
    ["a step that is too large", pack(baseS, [0, 2 ** 31], good)],
    ["a time before 1970", pack(0, [0, -(2 ** 30)], good)],
    ["more readings than 32", pack(baseS, [0, 32, ...Array<number>(maxReadings - 1).fill(0)], good)],
    ["columns that are no map", encode([baseS, [0], []])],
    ["a column with a text for a code", pack(baseS, [0], [["hr", [700]]])],
    ["a negative code", pack(baseS, [0], [[-1, [700]]])],
    ["an empty column", pack(baseS, [0], [[0, []]])],
    ["a column that ends with null", pack(baseS, [0, 32], [[0, [700, null]]])],
    ["a column longer than the readings", pack(baseS, [0], [[0, [700, 1]]])],
    ["a column that is a text", pack(baseS, [0], [[0, "700"]])],
    ["a rate that is flags", pack(baseS, [0], [[0, 1]])],
    ["motion that is differences", pack(baseS, [0], [[2, [1]]])],
    ["flags of no reading", pack(baseS, [0], [[2, 0]])],
    ["flags beyond the readings", pack(baseS, [0], [[2, 2]])],
    ["a value with a fraction", pack(baseS, [0], [[0, [72.5]]])],
    ["a value that is too large", pack(baseS, [0], [[0, [2 ** 31]]])],
    ["differences that add up to too much", pack(baseS, [0, 32], [[0, [2 ** 30, 2 ** 30]]])],
    ["an infinite value", pack(baseS, [0], [[0, [Infinity]]])],
    ["neither readings nor extras", pack(baseS, [], [])],
    ["a column without readings", pack(baseS, [], good, [[2, 6]])],
    ["empty extras", pack(baseS, [0], good, [])],
    ["extras that are no map", encode([baseS, [0], new Map(good), [1]])],
    ["a negative extra", pack(baseS, [0], good, [[0, -1]])],
    ["a battery that is a text", pack(baseS, [0], good, [[1, "full"]])],
    ["a refused version without its refusal", pack(baseS, [0], good, [[3, [7]]])],
    ["a refused version with more", pack(baseS, [0], good, [[3, [7, [1], 1]]])],
    ["a refused version alone", pack(baseS, [0], good, [[3, 7]])],
    [
        "a sealing in the future",
        pack(-1, [0], good, [
            [2, 6],
            [4, 1],
        ]),
    ],
    ["columns out of order", Buffer.from("831a5f5e10008100a2018100008100", "hex")],
    ["a number that is longer than needed", Buffer.from("831a5f5e10008100a10081180a", "hex")],
]
for (const [what, bytes] of wrong)
    test(`refuses ${what}`, () => assert.throws(() => decodePack(bytes, receivedAt), WireError))

test("a pack has no more values than a receiver takes", () => {
    const steps = [0, 32, ...Array<number>(maxReadings - 2).fill(0)]
    const column = [1, ...Array<number>(maxReadings - 1).fill(0)]
    const columns = (count: number) => Array.from({ length: count }, (_, i) => [7 + i, column] as [number, number[]])
    const most = maxValues / maxReadings
    assert.equal(decodePack(pack(baseS, steps, columns(most)), receivedAt).length, maxValues)
    assert.throws(() => decodePack(pack(baseS, steps, columns(most + 1)), receivedAt), /more than 256 values/)
})

/** Readings on the grid of the wire, with some of the values that a mote knows. */
const names = [...namesByColumn.values(), "x-7"].filter(name => name !== "motion")
const reading = fc.record({
    step: fc.oneof(fc.constant(32), fc.integer({ min: 1, max: 100_000 })),
    values: fc.dictionary(fc.constantFrom(...names), fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), { minKeys: 1 }),
    motion: fc.boolean(),
})

test("a pack comes back as it was", () => {
    fc.assert(
        fc.property(fc.array(reading, { minLength: 1, maxLength: 8 }), fc.boolean(), (readings, relative) => {
            let tick = 27_200_000_000
            const measurements: Measurement[] = (relative ? readings.slice(0, 1) : readings).flatMap(
                ({ step, values, motion }) => {
                    tick += step
                    const at = { time: Math.round(relative ? receivedAt - step * 62.5 : tick * 62.5), relative }
                    const said = Object.entries(values).map(([name, value]) => {
                        const { unit, perUnit } = quantityOf(name) ?? { unit: "/", perUnit: 1 }
                        return { name, unit, value: value / perUnit, ...at }
                    })
                    return motion ? [...said, { name: "motion", unit: "/", value: 1, ...at }] : said
                },
            )
            const order = (list: Measurement[]) =>
                list.map(m => JSON.stringify([m.name, m.unit, m.value, m.time, m.relative])).sort()
            const decoded = decodePack(encodePack(measurements, receivedAt), receivedAt)
            assert.deepEqual(order(decoded), order(measurements))
            // And it has only one encoding.
            assert.deepEqual(encodePack(decoded, receivedAt), encodePack(measurements, receivedAt))
        }),
        { numRuns: runs(100) },
    )
})

test("what a pack cannot say is not encoded", () => {
    const m = { name: "hr", unit: "beat/min", value: 60, time: receivedAt, relative: false }
    const { time } = m
    for (const [list, reason] of [
        [[{ ...m, name: "mood" }], /cannot say mood/],
        [[m, { ...m, relative: true }], /with and without a clock/],
        [[0, 1].map(i => ({ ...m, time: time - 1000 * i, relative: true })), /several readings/],
        [Array.from({ length: maxReadings + 1 }, (_, i) => ({ ...m, time: time - 1000 * i })), /more than 32/],
        [[{ ...m, name: refusedName }], /without its refusal/],
    ] as [Measurement[], RegExp][])
        assert.throws(() => encodePack(list, receivedAt), { name: "RangeError", message: reason })
})

test("whatever the bytes: measurements of which there are few, or a WireError", () => {
    const item = fc.letrec(tie => ({
        item: fc.oneof(
            { depthSize: "small" },
            fc.integer(),
            fc.maxSafeInteger(),
            fc.constantFrom(null, 0, 1, baseS, "hr", 0.5, -1),
            fc.array(tie("item"), { maxLength: 6 }),
            fc.array(fc.tuple(fc.nat({ max: 120 }), tie("item")), { maxLength: 6 }).map(pairs => new Map(pairs as [])),
        ),
    })).item
    const numbers = fc.array(fc.integer({ min: -40, max: 40 }), { minLength: 1, maxLength: 2 })
    const mostly = <T>(usual: fc.Arbitrary<T>) =>
        fc.oneof({ arbitrary: usual, weight: 9 }, { arbitrary: item, weight: 1 })
    const packLike = fc.tuple(
        mostly(fc.constant(baseS)),
        mostly(numbers.map(steps => [8, ...steps])),
        mostly(
            fc
                .array(fc.tuple(fc.nat({ max: 110 }), mostly(numbers)), { maxLength: 4 })
                .map(pairs => new Map<number, unknown>(pairs)),
        ),
        mostly(
            fc
                .array(fc.tuple(fc.constantFrom(0, 1, 2, 4, 7), mostly(fc.nat())), { minLength: 1, maxLength: 3 })
                .map(pairs => new Map<number, unknown>(pairs)),
        ),
    )
    let read = 0
    const check = (bytes: Uint8Array) => {
        try {
            const decoded = decodePack(bytes, receivedAt)
            read++
            assert.ok(decoded.length <= maxValues + 4)
            for (const { name, value, time } of decoded) {
                assert.match(name, /^[a-z][a-z0-9-]*$/)
                assert.ok(Number.isFinite(value) && Number.isSafeInteger(time) && time >= 0)
            }
        } catch (error) {
            assert.ok(error instanceof WireError, String(error))
        }
    }
    fc.assert(
        fc.property(packLike, parts => check(encode(parts))),
        { numRuns: runs(1000) },
    )
    assert.ok(read > 0, "some of them are packs")
    fc.assert(fc.property(item, value => check(encode(value))))
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), check))
    const valid = pack(baseS, [0, 32], good, [[2, 6]])
    for (let at = 0; at < valid.length; at++)
        for (let byte = 0; byte < 256; byte++) check(valid.map((old, i) => (i === at ? byte : old)))
})
