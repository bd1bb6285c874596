import assert from "node:assert/strict"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { basename, join } from "node:path"
import { test } from "node:test"
import fc from "fast-check"
import { clock, ticks, timeTicks } from "../../host/drawing/axis.ts"
import { decimate } from "../../cli/plot/decimate.ts"
import { drawFigure } from "../../cli/plot/draw.ts"
import { agreement, type Figure, type Window } from "../../cli/plot/figure.ts"
import { figureFile } from "../../cli/plot/output.ts"
import { parseReference, referenceAt } from "../../cli/plot/reference.ts"
import { finished, temporaryFolder } from "../e2e/command.ts"
import { pulseCsv } from "../e2e/pulse.ts"

test("decimation keeps the extremes of every column, in order, and few points", () => {
    const samples = fc.array(fc.integer({ min: -1000, max: 1000 }), { maxLength: 400 })
    fc.assert(
        fc.property(samples, fc.integer({ min: 1, max: 50 }), fc.nat(50), (values, columns, skip) => {
            const from = Math.min(skip, values.length)
            const count = values.length - from
            const kept = decimate(values, from, values.length, columns)
            assert.ok(kept.length <= Math.max(2 * columns, 0))
            assert.ok(kept.every((index, i) => index >= from && (i === 0 || index > kept[i - 1]!)))
            if (count <= 2 * columns) return assert.equal(kept.length, count)
            for (let column = 0; column < columns; column++) {
                const start = from + Math.floor((column * count) / columns)
                const end = from + Math.floor(((column + 1) * count) / columns)
                const drawn = kept.filter(i => i >= start && i < end).map(i => values[i]!)
                const all = values.slice(start, end)
                assert.equal(Math.min(...drawn), Math.min(...all))
                assert.equal(Math.max(...drawn), Math.max(...all))
            }
        }),
    )
})

test("ticks are round, within their range and no more than wanted", () => {
    const range = fc.record({
        min: fc.double({ min: -1e5, max: 1e5, noNaN: true }),
        size: fc.double({ min: 1e-3, max: 1e6, noNaN: true }),
        most: fc.integer({ min: 2, max: 12 }),
    })
    fc.assert(
        fc.property(range, ({ min, size, most }) => {
            for (const at of [ticks(min, min + size, most), timeTicks(min, min + size, most)]) {
                assert.ok(at.length <= most + 1, `${at.length}`)
                const slack = size * 1e-6
                assert.ok(at.every(value => value >= min - slack && value <= min + size + slack))
            }
        }),
    )
})

test("times read as minutes and seconds", () => {
    const read = [0, 59.6, 83, 3599, 3600, 3725].map(seconds => clock(seconds))
    assert.deepEqual(read, ["0:00", "1:00", "1:23", "59:59", "1:00:00", "1:02:05"])
    assert.equal(clock(61.25, 0.5), "1:01.3")
})

test("agreement: windows without a reference do not count, those without a value are not reported", () => {
    const known: [bpm: number | null, reference: number | null][] = [
        [60, 61],
        [70, 80],
        [null, 80],
        [90, null],
    ]
    const windows = known.map(([bpm, reference], i) => window({ t: 2 * i + 2, bpm, reference }))
    const { windows: count, reported, meanError, near } = agreement(windows)
    assert.deepEqual([count, reported, meanError, near], [3, (100 * 2) / 3, 5.5, 50])
})

test("a reference belongs to the windows that end with its own", () => {
    const reference = parseReference('{"ref_bpm": [60, null, 62]}', "x.json")
    const found = [6, 8, 10, 12.06, 14].map(t => referenceAt(reference, t))
    assert.deepEqual(found, [null, 60, null, 62, null])
    for (const text of ["[1", "3", '{"ref_bpm": 7}', '{"ref_bpm": ["60"]}', '{"ref_bpm": [-1]}'])
        assert.throws(() => parseReference(text, "x.json"), /^UserError: x\.json/)
    for (const hop of ["0", '"2"', "-1"])
        assert.throws(() => parseReference(`{"ref_bpm": [60], "hop_s": ${hop}}`, "x"), /hop_s/)
})

test("the picture: well-formed, with each series, and marks where a value is far off or the wearer moves", () => {
    const { elements, texts } = parsed(drawFigure(example()))
    const drawn = (type: string) => elements.filter(({ attributes }) => attributes.class === type)
    for (const type of ["signal", "reference", "rate", "dots", "acceleration"])
        assert.ok(
            drawn(type).some(({ attributes }) => attributes.d!.length > 3),
            type,
        )
    const last = (type: string) => drawn(type).at(-1)!.attributes.d!
    assert.equal(last("far").match(/M/g)!.length, 1)
    assert.equal(last("quality").match(/M/g)!.length, 28)
    assert.equal(last("silent").match(/M/g)!.length, 2)
    assert.equal(last("motion").match(/M/g)!.length, 3)
    for (const text of ["1:00 min", "0:30", "mean error, bpm", "0:40 · 70.0 bpm · reference 80.0"])
        assert.ok(
            texts.some(t => t.includes(text)),
            `${text} in ${texts.join("|")}`,
        )
})

test("a figure without values, reference, acceleration or motion draws, too", () => {
    const signal = { values: new Float64Array(500).fill(7), rate: 50 }
    const windows = [2, 4, 6, 8].map(t => window({ t, bpm: null, reference: null }))
    const { texts } = parsed(drawFigure({ title: "empty", signal, windows }))
    assert.ok(texts.includes("none") && texts.includes("median, bpm") && texts.includes("–"))
    parsed(drawFigure({ title: "nothing", signal, windows: [] }))
})

test("names are text, whatever they contain", () => {
    const name = fc.string({ unit: "binary" }).map(text => `<script>alert(1)</script>&"'${text}`)
    fc.assert(
        fc.property(name, title => {
            const { elements } = parsed(drawFigure({ ...example(), title }))
            assert.ok(elements.every(({ name }) => name !== "script"))
        }),
        { numRuns: 20 },
    )
})

test("a night stays small", () => {
    const rate = 125
    const hours = 8
    const signal = {
        values: Float64Array.from({ length: hours * 3600 * rate }, (_, i) => Math.sin(i / 17)),
        rate,
    }
    const windows = Array.from({ length: hours * 1800 }, (_, i) => window({ t: 2 * i + 2 }))
    const picture = drawFigure({ title: "night", signal, windows })
    assert.ok(picture.length < 2_000_000, `${picture.length}`)
})

test("hr --plot: a picture and a page, from a recording with a reference beside it", async t => {
    const folder = temporaryFolder(t)
    const file = join(folder, "<script>.csv")
    const seconds = 24
    writeFileSync(file, pulseCsv(84, 50, seconds))
    writeFileSync(join(folder, "<script>.json"), JSON.stringify({ ref_bpm: Array(9).fill(84) }))
    for (const suffix of ["svg", "html"]) {
        const plot = join(folder, `out.${suffix}`)
        const { code, stdout, stderr } = await finished(["hr", file, "--fs", "50", "--plot", plot])
        assert.equal(code, 0, stderr)
        assert.equal(stderr, "")
        assert.equal(stdout.trim().split("\n").length, seconds / 2)
        const text = readFileSync(plot, "utf8")
        assert.ok(text.includes("&#60;script&#62;.csv"))
        assert.ok(text.includes("reported of 9 windows"))
        assert.doesNotMatch(text, /(src|href)=|url\((?!#plot)|@import/)
    }
})

test("a file that is none for a figure is named before any work, and stays as it is", t => {
    const folder = temporaryFolder(t)
    const recording = join(folder, "own.svg")
    writeFileSync(recording, "1\n2\n")
    mkdirSync(join(folder, "folder.svg"))
    const cases: [name: string, exitCode: number, message: RegExp][] = [
        ["out.png", 2, /a file name in \.svg or \.html expected/],
        ["svg", 2, /a file name in \.svg or \.html expected/],
        ["out.constructor", 2, /a file name in \.svg or \.html expected/],
        ["own.svg", 2, /would overwrite/],
        ["../" + basename(folder) + "/own.svg", 2, /would overwrite/],
        ["absent/out.svg", 1, /cannot write .*: no folder/],
        ["own.svg/out.svg", 1, /cannot write .*: a file is where a folder should be/],
        ["folder.svg", 1, /cannot write .*: it is a folder/],
    ]
    for (const [name, exitCode, message] of cases)
        assert.throws(() => figureFile(join(folder, name), [undefined, recording]), {
            exitCode,
            message,
        })
    figureFile(join(folder, "out.SVG"), [recording])
    assert.equal(readFileSync(recording, "utf8"), "1\n2\n")
    assert.deepEqual(readdirSync(folder).sort(), ["folder.svg", "own.svg"])
})

test("hr --plot: what is wrong is said at once, in one line", async t => {
    const folder = temporaryFolder(t)
    const file = join(folder, "pulse.csv")
    const other = join(folder, "other.json")
    writeFileSync(file, pulseCsv(84, 50, 20))
    writeFileSync(other, "[]")
    const cases: [args: string[], code: number, message: RegExp][] = [
        [["--plot", join(folder, "out.png")], 2, /\.svg or \.html expected/],
        [["--plot", join(folder, "out.svg"), "--reference", other], 1, /ref_bpm/],
        [["--reference", other], 2, /--reference is for --plot/],
    ]
    for (const [args, expected, message] of cases) {
        const { code, stdout, stderr } = await finished(["hr", file, "--fs", "50", ...args])
        assert.equal(code, expected, stderr)
        assert.equal(stdout, "")
        assert.match(stderr, message)
        assert.equal(stderr.trimEnd().split("\n").length, 1, stderr)
    }
})

function window(given: Partial<Window> & { t: number }): Window {
    return { bpm: 80, quality: 0.9, motion: false, reference: 80, ...given }
}

/** A minute with all there is to draw. */
function example(): Figure {
    const rate = 50
    const values = Float64Array.from({ length: 60 * rate }, (_, i) => Math.sin(i / 6))
    const windows = Array.from({ length: 30 }, (_, i) => window({ t: 2 * i + 2 }))
    windows[19] = window({ t: 40, bpm: 70 })
    for (const i of [3, 4]) windows[i]!.bpm = null
    for (const i of [10, 11, 12]) windows[i]!.motion = true
    const acceleration = { values: values.map(v => 1 + v / 10), rate }
    return { title: "example", signal: { values, rate }, acceleration, windows }
}

interface Element {
    name: string
    attributes: Record<string, string>
}

interface Sax {
    parser(strict: boolean): {
        onerror: (error: Error) => void
        onopentag: (tag: Element) => void
        ontext: (text: string) => void
        write(text: string): { close(): void }
    }
}

/** Read by an XML parser, which throws where the text is not well-formed. */
function parsed(svg: string): { elements: Element[]; texts: string[] } {
    const elements: Element[] = []
    const texts: string[] = []
    const parser = sax.parser(true)
    parser.onerror = error => {
        throw error
    }
    parser.onopentag = tag => void elements.push(tag)
    parser.ontext = text => void texts.push(text)
    parser.write(svg).close()
    assert.equal(elements[0]?.name, "svg")
    return { elements, texts }
}

// The parser that comes with `fhir`.
const sax = createRequire(createRequire(import.meta.url).resolve("fhir/package.json"))("sax") as Sax
