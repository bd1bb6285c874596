import assert from "node:assert/strict"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { finished, temporaryFolder } from "../e2e/command.ts"
import { pulseCsv } from "../e2e/pulse.ts"

interface Line {
    t: number
    bpm: number | null
    quality: number
    motion: boolean
}

test("hr: one JSON line a window, from the bytecode, with the rate that is in the recording", async t => {
    const fs = 50
    const seconds = 40
    const bpm = 84
    const file = join(temporaryFolder(t), "pulse.csv")
    writeFileSync(file, pulseCsv(bpm, fs, seconds))
    const { code, stdout, stderr } = await finished(["hr", file, "--fs", String(fs)])
    assert.equal(code, 0, stderr)
    const lines = stdout
        .trim()
        .split("\n")
        .map(line => JSON.parse(line) as Line)
    assert.deepEqual(
        lines.map(({ t }) => t),
        Array.from({ length: seconds / 2 }, (_, n) => 2 * (n + 1)),
    )
    for (const line of lines) {
        assert.deepEqual(Object.keys(line), ["t", "bpm", "quality", "motion"])
        assert.ok(line.quality >= 0 && line.quality <= 1)
    }
    const reported = lines.filter(line => line.bpm !== null)
    assert.ok(reported.length >= lines.length - 7, `${reported.length} of ${lines.length}`)
    for (const line of reported) assert.ok(Math.abs(line.bpm! - bpm) <= 2, JSON.stringify(line))
})

test("hr --acc: the accelerometer is on the bus; a wearer who holds still keeps the rate", async t => {
    const folder = temporaryFolder(t)
    const file = join(folder, "pulse.csv")
    const acc = join(folder, "acceleration.csv")
    writeFileSync(file, pulseCsv(66, 25, 30))
    writeFileSync(acc, "x;y;z\n" + "-3.1;2.2;9.04\n".repeat(30 * 50))
    const args = ["hr", file, "--fs", "25", "--acc", acc, "--acc-fs", "50"]
    const { code, stdout, stderr } = await finished(args)
    assert.equal(code, 0, stderr)
    const lines = stdout
        .trim()
        .split("\n")
        .map(line => JSON.parse(line) as Line)
    assert.equal(lines.length, 15)
    const late = lines.filter(({ t }) => t > 12)
    for (const { bpm, motion } of late) {
        assert.ok(bpm !== null && Math.abs(bpm - 66) <= 2, `${bpm}`)
        assert.equal(motion, false)
    }
})

test("hr --red: the oxygen saturation, and every window also after it has raised an alarm", async t => {
    const file = join(temporaryFolder(t), "colours.csv")
    const ratio = (110 - 84) / 25
    const rows = pulseCsv(72, 25, 60)
        .trim()
        .split("\n")
        .map(value => {
            const blood = (Number(value) - 500) / 10_000
            return `${Math.round(120_000 * (1 - blood))};${Math.round(90_000 * (1 - ratio * blood))}`
        })
    writeFileSync(file, `ir;red\n${rows.join("\n")}\n`)
    const { code, stdout, stderr } = await finished(["hr", file, "--fs", "25", "--column", "ir", "--red", "red"])
    assert.equal(code, 0, stderr)
    const lines = stdout
        .trim()
        .split("\n")
        .map(line => JSON.parse(line) as Line & { spo2: number | null })
    // The limit is 88 % and the delay 10 s.
    assert.equal(lines.at(-1)!.t, 60)
    const found = lines.flatMap(({ spo2 }) => (spo2 === null ? [] : [spo2]))
    assert.ok(found.length >= 6, stdout)
    for (const spo2 of found) assert.ok(Math.abs(spo2 - 84) <= 2, stdout)
})
