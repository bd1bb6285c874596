import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { UserError } from "../../host/errors.ts"
import { parseAcceleration, recordingBody, type AccelerationUnit } from "../../sim/body/index.ts"

const rate = 25
const rows = (row: (second: number) => number[], seconds = 10, divider = ",", hz = rate) =>
    Array.from({ length: seconds * hz }, (_, i) =>
        row(i / hz)
            .map(value => value.toFixed(5))
            .join(divider),
    ).join("\n")

const near = (value: number, expected: number, tolerance = 1e-3) =>
    assert.ok(Math.abs(value - expected) <= tolerance, `${value}, ${expected} expected`)

const refused = (csv: string, message: RegExp, hz = rate) =>
    assert.throws(
        () => parseAcceleration(csv, hz, "x.csv"),
        (error: unknown) => error instanceof UserError && message.test(error.message) && !error.message.includes("\n"),
    )

test("comma, semicolon, tab or spaces; header, byte order mark and line ends as they come", () => {
    for (const divider of [",", ", ", ";", "\t", " ", "   "]) {
        const text = rows(() => [0.6, 0, -0.8], 10, divider)
        for (const csv of [text, `x${divider}y${divider}z\n${text}`, `\ufeff${text}\n\n`]) {
            const acceleration = parseAcceleration(csv.replaceAll("\n", "\r\n"), rate)
            assert.deepEqual(
                acceleration.at(5).map(g => Number(g.toFixed(6))),
                [0.6, 0, -0.8],
            )
            assert.equal(acceleration.durationS, 10)
        }
    }
})

test("gravity tells the unit; a given unit is believed", () => {
    for (const g of [1, 9.81, 1000]) {
        const acceleration = parseAcceleration(
            rows(() => [0.6 * g, 0, -0.8 * g]),
            rate,
        )
        near(acceleration.at(3)[0], 0.6)
        near(acceleration.at(3)[2], -0.8)
    }
    const units: [AccelerationUnit, number][] = [
        ["g", 0.3],
        ["m/s2", 0.3 / 9.80665],
        ["mg", 0.3 / 1000],
    ]
    for (const [unit, g] of units)
        near(
            parseAcceleration(
                rows(() => [0.3, 0, 0]),
                rate,
                "x",
                unit,
            ).at(3)[0],
            g,
            1e-6,
        )
})

test("a magnitude that is not gravity's, in whatever unit, gets one clear line", () => {
    for (const g of [0, 0.05, 3, 60, 300, 4096, 16384, 1e30])
        refused(
            rows(() => [g, 0, 0]),
            /x\.csv: median magnitude .*--acc-unit/,
        )
})

test("what is no recording of three columns gets one clear line with its number", () => {
    const good = "0,0,1\n".repeat(99)
    refused("", /x\.csv is empty/)
    refused(" \n\n", /x\.csv is empty/)
    refused("0,0,1\n".repeat(9), /x\.csv: 9 samples: at least 2 s/)
    refused(good + "0,0\n", /line 100: 2 columns, 3 in the first line/)
    refused(good + "0,0,1,1\n", /line 100/)
    refused(good + "0,0,\n", /line 100/)
    refused(good + "0,0,NaN\n" + good, /line 100/)
    refused(good + "0,0,Infinity\n", /line 100/)
    refused(good + "0,0,0x1F\n", /line 100/)
    refused(good + "0,0,1e\n", /line 100/)
    refused(good + "\n" + good, /line 100/)
    refused("1\n".repeat(99), /line 1: three columns of acceleration expected, found columns 1/)
    refused("\u0000\u0001\u0002".repeat(99), /line 1: /)
    refused(good, /sampling rate 0/, 0)
    refused(good, /sampling rate NaN/, NaN)
})

test("any numbers, however written, are read as they are", () => {
    const number = fc.double({ min: -50, max: 50, noNaN: true })
    const written = fc.constantFrom<(value: number) => string>(
        value => String(value),
        value => value.toExponential(),
        value => value.toFixed(3),
        value => (value >= 0 ? "+" : "") + value.toFixed(2),
    )
    fc.assert(
        fc.property(
            fc.array(fc.tuple(number, number, number), { minLength: 50, maxLength: 80 }),
            written,
            fc.constantFrom(",", ";", "\t", " "),
            (samples, write, divider) => {
                const csv = samples.map(row => row.map(write).join(divider)).join("\n")
                const acceleration = parseAcceleration(csv, rate, "x", "g")
                for (const [n, row] of samples.entries())
                    for (const [axis, value] of row.entries())
                        near(acceleration.at(n / rate)[axis]!, Number(write(value)), 1e-6)
            },
        ),
    )
})

test("whatever the text: an acceleration, or one line", () => {
    const field = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom("1", "-0.5", "x", "", "1e999", "9,8", '"1"'))
    const text = fc
        .array(
            fc.array(field, { maxLength: 5 }).map(fields => fields.join(",")),
            { maxLength: 70 },
        )
        .map(lines => lines.join("\n"))
    fc.assert(
        fc.property(text, csv => {
            try {
                const { durationS } = parseAcceleration(csv, rate, "x.csv")
                assert.ok(durationS >= 2)
            } catch (error) {
                assert.ok(error instanceof UserError)
                assert.match(error.message, /^x\.csv[^\n]*$/)
            }
        }),
    )
})

test("starts at the moment of the light, whichever sensor looks first, and loops with it", () => {
    const ppg = Array.from({ length: 10 * 50 }, (_, i) => Math.sin(i)).join("\n")
    const csv = rows(second => [second / 10, 0, 1])
    const acceleration = parseAcceleration(csv, rate)
    const once = recordingBody(ppg, 50, { acceleration })
    near(once.acceleration!(90)[0], 0)
    once.reflectance("red", 100)
    near(once.acceleration!(100)[0], 0)
    near(once.acceleration!(107)[0], 0.7)
    near(once.acceleration!(99)[0], 0)
    near(once.acceleration!(200)[0], 0.996) // the last sample stays
    const loop = recordingBody(ppg, 50, { acceleration, loop: true })
    loop.reflectance("red", 100)
    near(loop.acceleration!(117)[0], 0.7)
    assert.equal(recordingBody(ppg, 50).acceleration, undefined)
})

test("between samples it is interpolated, and what 25 Hz would mistake for a step is filtered out", () => {
    const csv = rows(s => [Math.sin(2 * Math.PI * 2.5 * s), Math.sin(2 * Math.PI * 26 * s), 1], 10, ",", 200)
    const acceleration = parseAcceleration(csv, 200)
    for (let s = 1; s < 9; s += 0.0371) {
        const [x, y] = acceleration.at(s)
        near(x, Math.sin(2 * Math.PI * 2.5 * s), 0.02)
        near(y, 0, 0.03)
    }
})

test("a duration other than that of the light: one of the rates is wrong", () => {
    const ppg = Array.from({ length: 60 * 25 }, (_, i) => Math.sin(i)).join("\n")
    const still = (seconds: number) => parseAcceleration("0,0,1\n".repeat(seconds * 25), rate, "y")
    for (const seconds of [30, 70])
        assert.throws(
            () => recordingBody(ppg, 25, { acceleration: still(seconds) }),
            /^UserError: y: \d+\.0 s of acceleration for 60\.0 s of light/,
        )
    recordingBody(ppg, 25, { acceleration: still(59) })
})
