import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { news2, parameterNames, type Parameters } from "../../../clinic/news2/score.ts"
import { consciousnessLevels } from "../../../wire/tables/bedside.ts"

const well: Parameters = {
    respiration: 16,
    saturation: 97,
    oxygen: false,
    systolic: 120,
    pulse: 72,
    consciousness: "alert",
    temperature: 36.8,
}

/** Both sides of every edge of the chart. */
const edges: [keyof Parameters, [value: number, score: number][]][] = [
    [
        "respiration",
        [
            [8, 3],
            [9, 1],
            [11, 1],
            [12, 0],
            [20, 0],
            [21, 2],
            [24, 2],
            [25, 3],
        ],
    ],
    [
        "saturation",
        [
            [91, 3],
            [92, 2],
            [93, 2],
            [94, 1],
            [95, 1],
            [96, 0],
            [100, 0],
        ],
    ],
    [
        "systolic",
        [
            [90, 3],
            [91, 2],
            [100, 2],
            [101, 1],
            [110, 1],
            [111, 0],
            [219, 0],
            [220, 3],
        ],
    ],
    [
        "pulse",
        [
            [40, 3],
            [41, 1],
            [50, 1],
            [51, 0],
            [90, 0],
            [91, 1],
            [110, 1],
            [111, 2],
            [130, 2],
            [131, 3],
        ],
    ],
    [
        "temperature",
        [
            [35, 3],
            [35.1, 1],
            [36, 1],
            [36.1, 0],
            [38, 0],
            [38.1, 1],
            [39, 1],
            [39.1, 2],
        ],
    ],
]

for (const [name, rows] of edges)
    test(`NEWS2: ${name} on both sides of each edge`, () => {
        for (const [value, score] of rows) {
            const { parts, total } = news2({ ...well, [name]: value }, 1)
            assert.equal(parts[name], score, `${name} ${value}`)
            assert.equal(total, score, `${name} ${value}`)
        }
    })

test("NEWS2: scale 2 counts too much oxygen, but not a high saturation on air", () => {
    const rows: [saturation: number, air: number, oxygen: number][] = [
        [83, 3, 3],
        [84, 2, 2],
        [86, 1, 1],
        [88, 0, 0],
        [92, 0, 0],
        [93, 0, 1],
        [95, 0, 2],
        [97, 0, 3],
    ]
    for (const [saturation, air, oxygen] of rows) {
        assert.equal(news2({ ...well, saturation, oxygen: false }, 2).parts.saturation, air)
        assert.equal(news2({ ...well, saturation, oxygen: true }, 2).parts.saturation, oxygen)
    }
    assert.equal(news2({ ...well, saturation: 95, oxygen: null }, 2).parts.saturation, null)
    assert.equal(news2({ ...well, saturation: 90, oxygen: null }, 2).parts.saturation, 0)
})

test("NEWS2: oxygen counts 2, anything but alert 3", () => {
    assert.equal(news2({ ...well, oxygen: true }, 1).total, 2)
    for (const consciousness of consciousnessLevels)
        assert.equal(news2({ ...well, consciousness }, 1).total, consciousness === "alert" ? 0 : 3)
})

test("NEWS2: risk by total and by a single 3", () => {
    assert.equal(news2(well, 1).risk, "low")
    assert.equal(news2({ ...well, pulse: 131 }, 1).risk, "lowMedium")
    assert.equal(news2({ ...well, pulse: 111, temperature: 39.1 }, 1).risk, "low")
    assert.equal(news2({ ...well, pulse: 111, temperature: 39.1, systolic: 110 }, 1).risk, "medium")
    assert.equal(news2({ ...well, pulse: 131, oxygen: true, respiration: 21 }, 1).risk, "high")
})

const parameters = fc.record({
    respiration: fc.option(fc.integer({ min: 0, max: 60 })),
    saturation: fc.option(fc.integer({ min: 50, max: 100 })),
    oxygen: fc.option(fc.boolean()),
    systolic: fc.option(fc.integer({ min: 40, max: 260 })),
    pulse: fc.option(fc.integer({ min: 0, max: 250 })),
    consciousness: fc.option(fc.constantFrom(...consciousnessLevels)),
    temperature: fc.option(fc.integer({ min: 300, max: 430 }).map(tenths => tenths / 10)),
})

test("NEWS2: a missing parameter never gives a total, and knowing it never lowers the risk", () => {
    const order = [null, "low", "lowMedium", "medium", "high"]
    fc.assert(
        fc.property(parameters, fc.constantFrom(1 as const, 2 as const), (values, scale) => {
            const score = news2(values, scale)
            assert.equal(score.total === null, score.missing.length > 0)
            for (const name of parameterNames) {
                const without = news2({ ...values, [name]: null }, scale)
                assert.equal(without.total, null)
                assert.ok(order.indexOf(without.risk) <= order.indexOf(score.risk) || without.risk === null)
            }
        }),
    )
})
