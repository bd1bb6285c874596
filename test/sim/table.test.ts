import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { UserError } from "../../host/errors.ts"
import { recordingBody, type RecordingOptions } from "../../sim/body/index.ts"
import { Table } from "../../sim/body/table.ts"
import { decodeText } from "../../sim/body/text.ts"

/** 4 s of a signal at 25 Hz, and the same as lines of a file by `write`. */
const signal = Array.from({ length: 100 }, (_, i) => 512 + (i % 25) + 0.5)
const lines = (write: (value: number, i: number) => string) => signal.map(write).join("\n")
const german = (value: number) => String(value).replace(".", ",")

const read = (text: string, rate: number | undefined, o: RecordingOptions = {}) =>
    recordingBody(text, rate, { name: "x.csv", ...o })
const samples = (text: string, rate?: number, o?: RecordingOptions) => [...read(text, rate, o).samples]

const understood: [what: string, text: string, options?: RecordingOptions][] = [
    ["one bare column", lines(String)],
    ["a header", `ppg\n${lines(String)}`],
    ["a header and a line of units", `'time','PLETH'\n'seconds','NU'\n${lines((v, i) => `${i / 25},${v}`)}`],
    ["comments", `# made by somebody\n% fs 25\n${lines((v, i) => (i === 50 ? `// pause\n${v}` : String(v)))}`],
    ["a column of times", lines((v, i) => `${i / 25},${v}`)],
    ["times of day", `time;ppg\n${lines((v, i) => `10:00:${(i / 25).toFixed(2).padStart(5, "0")};${v}`)}`],
    ["a column that counts the samples", `,ppg\n${lines((v, i) => `${i},${v}`)}`],
    ["decimal commas behind semicolons", `t;ppg\n${lines((v, i) => `${german(i / 25)};${german(v)}`)}`],
    ["decimal commas between tabs", lines((v, i) => `${german(i / 25)}\t${german(v)}`)],
    ["decimal commas in quotes", lines((v, i) => `"${german(i / 25)}","${german(v)}"`)],
    ["decimal commas between blanks", lines((v, i) => `${german(i / 25 + 0.001)} ${german(v)}`)],
    ["one column with decimal commas, by its header", `ppg\n${lines(german)}`],
    ["one column with decimal commas, when asked to", lines(german), { decimal: "comma" }],
    ["a column by its title", `red,Infrared\n${lines(v => `1,${v}`)}`, { column: "infrared" }],
    ["a column by its number", lines(v => `7;8;${v}`), { column: "3" }],
    ["a delimiter at the end of each line", lines((v, i) => `${i / 25},${v},`)],
    ["line ends of old Macs", lines(String).replaceAll("\n", "\r")],
]

for (const [what, text, options] of understood)
    test(`recording: ${what}`, () => assert.deepEqual(samples(text, 25, options), signal))

test("recording: UTF-8 and UTF-16, with a byte order mark or without", () => {
    const text = `ppg\n${lines(String)}\n`
    const little = Buffer.from(text, "utf16le")
    const encodings = [
        Buffer.from(text),
        Buffer.concat([Buffer.of(0xef, 0xbb, 0xbf), Buffer.from(text)]),
        little,
        Buffer.concat([Buffer.of(0xff, 0xfe), little]),
        Buffer.from(little).swap16(),
        Buffer.concat([Buffer.of(0xfe, 0xff), Buffer.from(little).swap16()]),
    ]
    for (const bytes of encodings) assert.equal(decodeText(bytes, "x.csv"), text)
    assert.throws(() => decodeText(Buffer.alloc(999), "x.csv"), /x\.csv is not text/)
})

test("recording: its rate is that of its column of times, in seconds, milliseconds or as times of day", () => {
    const times: [string, (i: number) => string][] = [
        ["time", i => String(i / 25)],
        ["t [ms]", i => String(1_700_000_000_000 + i * 40)],
        ["timestamp (us)", i => String(i * 40_000)],
        ["time", i => new Date(Date.UTC(2026, 0, 1) + i * 40).toISOString()],
        ["elapsed", i => `[00:59:${(50 + i * 0.04).toFixed(2)}]`],
    ]
    for (const [title, at] of times) {
        const { rate } = recordingBody(`${title},ppg\n${lines((v, i) => `${at(i)},${v}`)}`, undefined)
        assert.ok(Math.abs(rate - 25) < 0.01, `${title}: ${rate}`)
    }
    assert.equal(recordingBody(lines(String), undefined, { defaultRate: 50 }).rate, 50)
})

const colours = `ir,red\n${lines((v, i) => `${20_000 - v},${9_000 - 0.2 * (i % 25)}`)}`

test("recording: red and infrared light keep their ratio of ratios", () => {
    const body = recordingBody(colours, 25, { column: "ir", red: "red" })
    const light = (led: "red" | "infrared") => signal.map((_, i) => body.reflectance(led, i / 25)).slice(30, 60)
    const pulsation = (values: number[]) => (Math.max(...values) - Math.min(...values)) / Math.max(...values)
    const ratio = pulsation(light("red")) / pulsation(light("infrared"))
    assert.ok(Math.abs(ratio - (0.2 / 9_000) * 19_487.5) < 0.01, String(ratio))
})

const header = "time,ppg\n"
const timed = (at: (i: number) => number) => header + lines((v, i) => `${at(i)},${v}`)
const refused: [text: string, rate: number | undefined, message: RegExp, options?: RecordingOptions][] = [
    [lines(String), undefined, /no time column: give its sampling rate with --fs/],
    [timed(i => i / 25), 100, /x\.csv: 25 Hz by its time column, not 100 Hz/],
    [
        timed(i => (i < 60 ? i : i + 9) / 25),
        undefined,
        /line 62: 0\.4 after the line before, the others 0\.04: samples are/,
    ],
    [timed(i => (i === 60 ? 0 : i / 25)), undefined, /line 62: its time is earlier/],
    [timed(i => i), undefined, /x\.csv: 1 Hz by its time column: name the unit in its title/],
    [lines(german), 25, /line 1: is the comma in "512,5" part of one number, or between two columns/],
    [lines(v => `${v},${v}`), 25, /line 1: .* found columns 1, 2: choose one with --column/],
    [`red,ir,green\n${lines(v => `${v},${v},1`)}`, 25, /found columns 1 \(red\), 2 \(ir\), 3 \(green\)/],
    [`red,ir\n${lines(v => `${v},${v}`)}`, 25, /no column blue: columns 1 \(red\), 2 \(ir\)/, { column: "blue" }],
    [
        `${header}${lines((v, i) => (i === 7 ? `${i / 25},` : `${i / 25},${v}`))}`,
        25,
        /line 9: empty field in column 2 \(ppg\)/,
    ],
    [lines((v, i) => (i === 7 ? "--" : String(v))), 25, /line 8: "--" is not a number/],
    [lines((v, i) => (i === 7 ? "" : String(v))), 25, /line 8: empty line/],
    [lines((v, i) => `${i / 25},${v}${i === 7 ? ",1" : ""}`), 25, /line 8: 3 columns, 2 in the first line/],
    [colours, 25, /the infrared one must be named, too: --column/, { red: "red" }],
    [colours, 25, /the same column is named twice/, { column: "red", red: "2" }],
    [
        `ir,red\n${lines((v, i) => `${v},${i % 25}`)}`,
        25,
        /needs both colours with their steady level/,
        { column: "ir", red: "red" },
    ],
    ["1.234,5;1\n".repeat(99), 25, /line 1: "1\.234,5" .*is not a number/, { column: "1" }],
]

for (const [text, rate, message, options] of refused)
    test(`recording: ${message.source}`, () =>
        assert.throws(
            () => read(text, rate, options),
            (error: Error) => error instanceof UserError && message.test(error.message),
        ))

test("table: whatever divides it and however its numbers are written, the numbers are those", () => {
    const cell = fc.double({ min: -1e6, max: 1e6, noNaN: true }).map(value => Number(value.toFixed(3)))
    const table = fc
        .integer({ min: 2, max: 6 })
        .chain(width =>
            fc.array(fc.array(cell, { minLength: width, maxLength: width }), { minLength: 3, maxLength: 20 }),
        )
    const dialects = fc.constantFrom<[string, boolean]>(
        [",", false],
        [";", false],
        [";", true],
        ["\t", true],
        ["\t", false],
    )
    fc.assert(
        fc.property(table, dialects, fc.boolean(), (rows, [delimiter, comma], hasHeader) => {
            const write = (value: number) => (comma ? value.toFixed(3).replace(".", ",") : value.toFixed(3))
            const titles = rows[0]!.map((_, i) => `c${i}`).join(delimiter)
            const text = rows.map(row => row.map(write).join(delimiter)).join("\n")
            const found = new Table(hasHeader ? `${titles}\n${text}` : text, "x")
            assert.equal(found.columns, rows[0]!.length)
            for (let i = 0; i < found.columns; i++)
                assert.deepEqual(
                    [...found.numbers(i)],
                    rows.map(row => row[i]! + 0),
                )
        }),
    )
})

test("table: whatever it is given, it answers or says in one line what is wrong", () => {
    const pieces = fc.constantFrom(
        "1",
        ",",
        ";",
        "\t",
        " ",
        "\n",
        "\r",
        '"',
        "'",
        "#",
        "-",
        ".",
        "e",
        "x",
        ":",
        "[",
        "\ufeff",
    )
    fc.assert(
        fc.property(fc.array(pieces, { maxLength: 60 }), parts => {
            try {
                const table = new Table(parts.join(""), "x.csv")
                for (let i = 0; i < table.columns; i++) {
                    table.times(i)
                    table.numbers(i)
                }
            } catch (error) {
                assert.ok(error instanceof UserError, String(error))
                assert.match(error.message, /^x\.csv[^\n\r]*$/)
            }
        }),
        { numRuns: 2000 },
    )
})

test("recording of counts: the light of skin where it was, none where there was none; otherwise always skin", () => {
    const counts = [...Array.from({ length: 100 }, () => 120_000), ...Array.from({ length: 100 }, () => 900)].join("\n")
    const raw = recordingBody(counts, 25, { counts: true })
    const scaled = recordingBody(counts, 25)
    assert.ok(Math.abs(raw.reflectance("infrared", 1) - 268) < 1)
    assert.ok(raw.reflectance("infrared", 7) < 5)
    assert.ok(scaled.reflectance("infrared", 7) > 100)
})
