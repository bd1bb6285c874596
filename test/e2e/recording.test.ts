import assert from "node:assert/strict"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { recordingFile } from "../../sim/body/index.ts"
import { projectDir } from "../../devicescript/build.ts"
import { System } from "./system.ts"

const recordings = join(projectDir, "../shared/ppg")

interface Reference {
    fs: number
    seconds: number
    window_s: number
    hop_s: number
    ref_bpm: (number | null)[]
}

test("the heart rate in the clinic is that of the recording's ECG", async t => {
    const name = join(recordings, "bidmc01_125hz")
    if (!existsSync(`${name}.csv`)) return t.skip("needs the recording bidmc01_125hz beside the checkout")
    const reference = JSON.parse(readFileSync(`${name}.json`, "utf8")) as Reference
    const system = await System.start(t)
    const body = recordingFile(`${name}.csv`, reference.fs)
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
