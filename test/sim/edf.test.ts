import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import fc from "fast-check"
import { UserError } from "../../host/errors.ts"
import { Edf, isEdf } from "../../sim/body/edf.ts"
import { recordingFile } from "../../sim/body/index.ts"
import { temporaryFolder } from "../e2e/command.ts"

interface Written {
    label: string
    samples: number[]
    perRecord: number
}

/** A file of EDF with physical values from −1,000 to 1,000. */
function edf(signals: Written[], recordS = 1, reserved = ""): Buffer {
    const records = signals[0]!.samples.length / signals[0]!.perRecord
    const padded = (text: string | number, length: number) => String(text).padEnd(length).slice(0, length)
    const each = (length: number, text: (signal: Written) => string | number) =>
        signals.map(signal => padded(text(signal), length)).join("")
    const header =
        padded(0, 8) +
        padded("X", 80) +
        padded("Startdate 01-JAN-2026", 80) +
        "01.01.2600.00.00" +
        padded(256 * (signals.length + 1), 8) +
        padded(reserved, 44) +
        padded(records, 8) +
        padded(recordS, 8) +
        padded(signals.length, 4) +
        each(16, ({ label }) => label) +
        each(80, () => "") +
        each(8, () => "mV") +
        each(8, () => -1000) +
        each(8, () => 1000) +
        each(8, () => -20000) +
        each(8, () => 20000) +
        each(80, () => "") +
        each(8, ({ perRecord }) => perRecord) +
        each(32, () => "")
    const data: number[] = []
    for (let record = 0; record < records; record++)
        for (const { samples, perRecord } of signals)
            data.push(
                ...samples.slice(record * perRecord, (record + 1) * perRecord).map(value => Math.round(20 * value)),
            )
    const body = Buffer.alloc(2 * data.length)
    data.forEach((value, i) => body.writeInt16LE(value, 2 * i))
    return Buffer.concat([Buffer.from(header, "latin1"), body])
}

const pleth = Array.from({ length: 250 }, (_, i) => Math.sin(i / 4))
const two = [
    { label: "PLETH", samples: pleth, perRecord: 50 },
    { label: "EDF Annotations", samples: Array(50).fill(0), perRecord: 10 },
]

test("a recording from a file of EDF, with its own rate", t => {
    const file = join(temporaryFolder(t), "a.edf")
    writeFileSync(file, edf(two, 2))
    const { samples, rate } = recordingFile(file, undefined)
    assert.equal(rate, 25)
    assert.ok(samples.every((value, i) => Math.abs(value - pleth[i]!) <= 0.0251))
    assert.throws(() => recordingFile(file, 100), /25 Hz by its header, not 100 Hz/)
})

const refused: [what: string, bytes: Buffer, message: RegExp, wanted?: string[]][] = [
    ["gaps", edf(two, 1, "EDF+D"), /gaps/],
    ["cut off", edf(two).subarray(0, -1), /bytes, .* by its header/],
    ["only a header", edf(two).subarray(0, 256), /out of range|ends within its header/],
    ["several signals", edf([two[0]!, two[0]!]), /choose one with --column/],
    ["an unknown signal", edf(two), /no signal ECG: signals 1 \(PLETH\)/, ["ECG"]],
    ["annotations are no signal", edf(two), /no signal 2/, ["2"]],
    ["different rates", edf([two[0]!, { ...two[1]!, label: "red" }]), /different rates/, ["PLETH", "red"]],
]
for (const [what, bytes, message, wanted] of refused)
    test(`EDF refused: ${what}`, () =>
        assert.throws(
            () => new Edf(bytes, "x.edf").columns(wanted),
            (error: Error) => error instanceof UserError && message.test(error.message),
        ))

test("EDF: whatever the signals are, they are read as they were written", () => {
    const value = fc.integer({ min: -1000, max: 1000 })
    const signal = fc.record({
        label: fc.stringMatching(/^[A-Za-z]{1,16}$/),
        samples: fc.array(value, { minLength: 6, maxLength: 6 }),
        perRecord: fc.constant(2),
    })
    fc.assert(
        fc.property(
            fc.array(signal, { minLength: 1, maxLength: 5 }),
            fc.integer({ min: 1, max: 9 }),
            (signals, recordS) => {
                const bytes = edf(signals, recordS)
                assert.ok(isEdf(bytes))
                signals.forEach(({ samples }, i) => {
                    const { columns, rate } = new Edf(bytes, "x").columns([String(i + 1)])
                    assert.ok(columns[0]!.every((found, n) => Math.abs(found - samples[n]!) < 1e-9))
                    assert.equal(rate, 2 / recordS)
                })
            },
        ),
    )
})

test("EDF: any bytes are read or refused in one line", () => {
    const good = edf(two)
    const changed = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    fc.assert(
        fc.property(changed, fc.nat(good.length), (changes, length) => {
            const bytes = Buffer.from(good.subarray(0, Math.max(256, length)))
            for (const [at, byte] of changes) if (at < bytes.length) bytes[at] = byte
            try {
                new Edf(bytes, "x").columns(undefined)
            } catch (error) {
                assert.ok(error instanceof UserError && !error.message.includes("\n"), String(error))
            }
        }),
    )
})
