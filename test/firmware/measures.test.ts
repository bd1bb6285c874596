// The measures by which heart rates are compared with their references.
import assert from "node:assert/strict"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test } from "node:test"
import fc from "fast-check"
import { agreement } from "../../bench/heart/agreement.ts"
import { measure, type Judged } from "../../bench/heart/measures.ts"
import { writeReport } from "../../bench/heart/report.ts"

const run = (pairs: [bpm: number | null, ref: number][]): Judged[] =>
    pairs.map(([bpm, ref], n) => ({ t: 2 * (n + 1), bpm, ref }))

test("two values of four, one of them far off", () => {
    const m = measure([
        run([
            [100, 100],
            [null, 110],
            [92, 80],
            [null, 90],
        ]),
    ])
    assert.equal(m.windows, 4)
    assert.equal(m.availability, 0.5)
    assert.equal(m.outputRate, 15)
    assert.equal(m.mae, 6)
    assert.equal(m.mape, 0.075)
    assert.equal(m.off5, 0.5)
    assert.equal(m.off10, 0.5)
    // Held: 0, 10, 12, 2.
    assert.equal(m.heldMae, 6)
    assert.equal(m.bias, 6)
    assert.deepEqual(
        m.limits.map(limit => Math.round(100 * limit)),
        [-576, 1776],
    )
})

test("a delay is found", () => {
    const ref = Array.from({ length: 60 }, (_, n) => 80 + 30 * Math.sin(n / 6))
    const late = measure([run(ref.map((bpm, n) => [ref[Math.max(0, n - 3)]!, bpm]))])
    assert.equal(late.refreshOffsetS, 6)
    assert.equal(measure([run(ref.map(bpm => [bpm, bpm]))]).refreshOffsetS, 0)
})

test("without a value there is nothing to measure but that", () => {
    const m = measure([run([[null, 70]])])
    assert.equal(m.availability, 0)
    assert.ok(Number.isNaN(m.mae) && Number.isNaN(m.mape) && Number.isNaN(m.bias))
})

test("whatever the values are: shares are shares, and the limits enclose the bias", () => {
    const bpm = fc.double({ min: 30, max: 240, noNaN: true })
    const windows = fc.array(fc.tuple(fc.option(bpm), bpm), { minLength: 1, maxLength: 40 })
    fc.assert(
        fc.property(windows, pairs => {
            const m = measure([run(pairs)])
            assert.ok(m.availability >= 0 && m.availability <= 1)
            if (m.availability === 0) return
            assert.ok(m.off10 <= m.off5 && m.off5 <= 1 && m.off10 >= 0)
            assert.ok(m.limits[0] <= m.bias && m.bias <= m.limits[1])
            assert.ok(Math.abs(m.bias) <= m.mae + 1e-9)
        }),
    )
})

test("a report has a row and plots for each recording, also for one without values", () => {
    const folder = mkdtempSync(join(tmpdir(), "report-"))
    const entryOf = (name: string, windows: Judged[]) => ({ name, runs: [windows], measures: measure([windows]) })
    const page = readFileSync(
        writeReport(folder, [
            entryOf(
                "ring <1>",
                run([
                    [70, 71],
                    [null, 72],
                    [75, 73],
                ]),
            ),
            entryOf("silent", run([[null, 70]])),
        ]),
        "utf8",
    )
    rmSync(folder, { recursive: true })
    assert.match(page, /ring &lt;1>/)
    assert.doesNotMatch(page, /NaN|Infinity|undefined/)
    // Two values: two dots over time, two in the Bland–Altman plot.
    assert.equal(page.match(/<circle/g)?.length, 4)
    assert.match(page, /No values/)
})

test("Arms: the root mean square of the differences, which is bias and precision together", () => {
    const pair = (shown: number, reference: number) => ({ shown, reference })
    assert.deepEqual(agreement([pair(93, 90), pair(79, 80)]), { pairs: 2, arms: Math.sqrt(5), bias: 1, precision: 2 })
    const percent = fc.double({ min: 70, max: 100, noNaN: true })
    const pairs = fc.array(fc.record({ shown: percent, reference: percent }), { minLength: 1 })
    fc.assert(
        fc.property(pairs, values => {
            const { arms, bias, precision } = agreement(values)
            assert.ok(Math.abs(arms - Math.hypot(bias, precision)) < 1e-6)
        }),
    )
})
