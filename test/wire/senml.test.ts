import assert from "node:assert/strict"
import { test } from "node:test"
import { Tag } from "cbor2"
import fc from "fast-check"
import { encode, WireError } from "../../wire/cbor.ts"
import { encodeRefusal } from "../../wire/refusal.ts"
import { decodePack, encodePack, type Measurement } from "../../wire/senml.ts"

const kid = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 0xff)
const bn = "urn:dev:mac:00010203040506ff_"
const receivedAt = 1_700_000_000_000
const [BN, BT, BU, BV, BVER] = [-2, -3, -4, -5, -1]
const [N, U, V, VS, VB, S, T, VD] = [0, 1, 2, 3, 4, 5, 6, 8]

/** A pack of records given as label-value pairs. */
function pack(...records: [number, unknown][][]): Uint8Array {
    return encode(records.map(record => new Map(record)))
}

test("base fields last until they change", () => {
    const bytes = pack(
        [
            [BN, bn],
            [BT, 1.6e9],
            [BU, "beat/min"],
            [N, "hr"],
            [V, 72],
        ],
        [
            [N, "hr"],
            [V, 74],
            [T, 2],
        ],
        [
            [BU, "Cel"],
            [N, "temp"],
            [V, 36.6],
            [T, 0.5],
        ],
        [
            [N, "batt"],
            [U, "%EL"],
            [V, 80],
        ],
    )
    assert.deepEqual(decodePack(bytes, kid, receivedAt), [
        { name: "hr", unit: "beat/min", value: 72, time: 1.6e12, relative: false },
        { name: "hr", unit: "beat/min", value: 74, time: 1.6e12 + 2000, relative: false },
        { name: "temp", unit: "Cel", value: 36.6, time: 1.6e12 + 500, relative: false },
        { name: "batt", unit: "%EL", value: 80, time: 1.6e12, relative: false },
    ])
})

test("small times count back from the arrival (RFC 8428 §4.5.3)", () => {
    const bytes = pack(
        [
            [BN, bn],
            [BU, "Cel"],
            [BT, -10],
            [N, "temp"],
            [V, 37],
            [T, -2.5],
        ],
        [
            [N, "temp"],
            [V, 37],
        ],
    )
    assert.deepEqual(
        decodePack(bytes, kid, receivedAt).map(m => [m.time, m.relative]),
        [
            [receivedAt - 12_500, true],
            [receivedAt - 10_000, true],
        ],
    )
})

test("a record may only set base values; base values add up", () => {
    const bytes = pack(
        [
            [BN, bn],
            [BU, "Cel"],
            [BV, 30],
        ],
        [
            [N, "temp"],
            [V, 6.5],
        ],
    )
    assert.equal(decodePack(bytes, kid, receivedAt)[0]?.value, 36.5)
})

test("a refusal is a data value; no other record may be one", () => {
    const refused = [
        [BN, bn],
        [N, "config-refused"],
        [U, "count"],
        [V, 5],
    ] as [number, unknown][]
    const data = (value: unknown, name = "config-refused"): [number, unknown][] => [
        [N, name],
        [VD, value],
    ]
    const refusal = { code: "out-of-range", setting: "hrLow", min: 20, max: 200 } as const
    const bytes = encodeRefusal(refusal)
    const [first, ...more] = decodePack(pack(refused, data(bytes)), kid, receivedAt)
    assert.deepEqual(first!.refusal, refusal)
    assert.deepEqual(more, [])
    assert.deepEqual(decodePack(encodePack([first!], kid, receivedAt), kid, receivedAt), [first])
    const other = [
        [BN, bn],
        [N, "config"],
        [U, "count"],
        [V, 5],
    ] as [number, unknown][]
    for (const wrong of [
        pack(data(bytes)),
        pack(other, data(bytes)),
        pack(other, data(bytes, "config")),
        pack(refused, data(bytes, "hr")),
        pack(refused, data(bytes), data(bytes)),
        pack(refused, data(new Uint8Array())),
        pack(refused, data("text")),
        pack(refused, data(5)),
        pack(refused, [...data(bytes), [V, 5]]),
        pack(refused, [
            [N, "config-refused"],
            [VS, "led: 1"],
        ]),
    ])
        assert.throws(() => decodePack(wrong, kid, receivedAt), WireError)
})

test("floats of any width and decimal fractions are numbers", () => {
    const marker = 123456789
    const bytes = pack([
        [BN, bn],
        [N, "temp"],
        [U, "Cel"],
        [V, marker],
    ])
    const [before, after] = Buffer.from(bytes)
        .toString("hex")
        .split(Buffer.from(encode(marker)).toString("hex"))
    for (const [value, expected] of [
        ["f95094", 36.625],
        ["fa42128000", 36.625],
        ["fb4042500000000000", 36.625],
        ["fb4042000000000000", 36],
        ["c48221190e4d", 36.61],
    ] as const) {
        const plaintext = Buffer.from(before! + value + after!, "hex")
        assert.equal(decodePack(plaintext, kid, receivedAt)[0]?.value, expected)
    }
})

for (const [what, bytes] of [
    [
        "another mote's name",
        pack([
            [BN, "urn:dev:mac:00010203040506fe_"],
            [N, "hr"],
            [U, "beat/min"],
            [V, 72],
        ]),
    ],
    [
        "no base name",
        pack([
            [N, "hr"],
            [U, "beat/min"],
            [V, 72],
        ]),
    ],
    [
        "a name with odd characters",
        pack([
            [BN, bn],
            [N, "<b>"],
            [U, "beat/min"],
            [V, 72],
        ]),
    ],
    [
        "the base name alone",
        pack([
            [BN, bn],
            [U, "beat/min"],
            [V, 72],
        ]),
    ],
    [
        "no unit",
        pack([
            [BN, bn],
            [N, "hr"],
            [V, 72],
        ]),
    ],
    [
        "no value",
        pack([
            [BN, bn],
            [N, "hr"],
            [U, "beat/min"],
        ]),
    ],
    [
        "a text value",
        pack([
            [BN, bn],
            [N, "hr"],
            [U, "beat/min"],
            [VS, "72"],
        ]),
    ],
    [
        "a boolean value",
        pack([
            [BN, bn],
            [N, "hr"],
            [U, "beat/min"],
            [VB, true],
        ]),
    ],
    [
        "a sum",
        pack([
            [BN, bn],
            [N, "hr"],
            [U, "beat/min"],
            [V, 1],
            [S, 2],
        ]),
    ],
    [
        "an infinite value",
        pack([
            [BN, bn],
            [N, "hr"],
            [U, "beat/min"],
            [V, Infinity],
        ]),
    ],
    [
        "a NaN",
        pack([
            [BN, bn],
            [N, "hr"],
            [U, "beat/min"],
            [V, NaN],
        ]),
    ],
    [
        "a number as unit",
        pack([
            [BN, bn],
            [N, "hr"],
            [U, 5],
            [V, 72],
        ]),
    ],
    [
        "a time in the future",
        pack([
            [BN, bn],
            [N, "hr"],
            [U, "beat/min"],
            [V, 72],
            [T, 3],
        ]),
    ],
    [
        "a time beyond all calendars",
        pack([
            [BN, bn],
            [N, "hr"],
            [U, "beat/min"],
            [V, 72],
            [T, 1e15],
        ]),
    ],
    [
        "a newer version",
        pack([
            [BVER, 11],
            [BN, bn],
            [N, "hr"],
            [U, "beat/min"],
            [V, 72],
        ]),
    ],
    [
        "a huge decimal fraction",
        pack([
            [BN, bn],
            [N, "hr"],
            [U, "beat/min"],
            [V, new Tag(4, [400, 1])],
        ]),
    ],
    [
        "an unknown tag",
        pack([
            [BN, bn],
            [N, "hr"],
            [U, "beat/min"],
            [V, new Tag(5, [1, 1])],
        ]),
    ],
    ["no record", encode([])],
    ["a record that is no map", encode([1])],
    ["no array", encode(new Map())],
] as const)
    test(`refuses ${what}`, () => assert.throws(() => decodePack(bytes, kid, receivedAt), WireError))

const measurement = fc.record({
    name: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9\-:./_]{0,8}$/),
    unit: fc.constantFrom("beat/min", "Cel", "/", "%"),
    value: fc.double({ noNaN: true, noDefaultInfinity: true }),
    age: fc.nat({ max: 100_000 }),
    relative: fc.boolean(),
})

test("a pack comes back as it was", () => {
    fc.assert(
        fc.property(fc.array(measurement, { minLength: 1, maxLength: 10 }), list => {
            const measurements: Measurement[] = list.map(({ age, ...m }) => ({
                ...m,
                value: m.value + 0, // no negative zero: a base value of 0 is added
                time: receivedAt - age,
            }))
            assert.deepEqual(decodePack(encodePack(measurements, kid, receivedAt), kid, receivedAt), measurements)
        }),
    )
})

test("garbage is refused with WireError", () => {
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 100 }), bytes => {
            assert.throws(() => decodePack(bytes, kid, receivedAt), WireError)
        }),
    )
})
