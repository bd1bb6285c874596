import assert from "node:assert/strict"
import { readFileSync } from "node:fs"
import { test } from "node:test"
import { recordingFile } from "../../sim/body/index.ts"
import { sharedFile } from "../support/shared.ts"
import { System } from "./system.ts"

interface Reference {
    fs: number
    seconds: number
    window_s: number
    hop_s: number
    ref_bpm: (number | null)[]
}

test("the heart rate in the clinic is that of the recording's ECG", async t => {
    const file = sharedFile(t, "ppg/bidmc01_125hz.csv")
    if (!file) return
    const reference = JSON.parse(readFileSync(file.replace(".csv", ".json"), "utf8")) as Reference
    const system = await System.start(t)
    const body = recordingFile(file, reference.fs)
    const { patient, poweredAt } = await system.admit(body)
    await system.run(reference.seconds + 10)

    const values = await system.values(patient, "hr")
    // The sensor's first look is the recording's beginning; the times in the clinic must agree with that by themselves.
    const startMs = poweredAt + body.startedAt! * 1000
    let windows = 0
    let right = 0
    for (const [n, bpm] of reference.ref_bpm.entries()) {
        if (bpm === null) continue
        const end = startMs + (reference.window_s + n * reference.hop_s) * 1000
        const nearest = values.reduce((best, value) =>
            Math.abs(value.time - end) < Math.abs(best.time - end) ? value : best,
        )
        windows++
        const isThere = Math.abs(nearest.time - end) <= 100 && nearest.value !== null
        if (isThere && Math.abs(nearest.value! - bpm) <= 3) right++
    }
    t.diagnostic(`${right} of ${windows} windows within 3 bpm`)
    assert.ok(windows > 200)
    assert.ok(right / windows >= 0.95, `${right} of ${windows} windows within 3 bpm`)
})
