import assert from "node:assert/strict"
import { execFile } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import { promisify } from "node:util"
import { CaptureWriter } from "../../sim/capture/writer.ts"
import { projectDir } from "../../devicescript/build.ts"
import type { Observer } from "../../sim/observe/observer.ts"
import type { Scenario } from "../../sim/scenario/schema.ts"
import { summary } from "../../sim/run/summary.ts"
import { Simulation } from "../../sim/run/simulation.ts"
import { temporaryFolder } from "../support/folder.ts"

/** Three motes, of which one walks and one starts again, over links that lose frames; chance has a say in all of it. */
const scenario: Scenario = {
    title: "Small",
    seed: 1,
    duration: 50,
    medium: { kind: "constant-loss", range: 50, rx: 0.9 },
    root: { id: 1, x: 0, y: 0 },
    grids: [
        {
            first: 2,
            count: 3,
            columns: 3,
            spacing: 30,
            x: 20,
            y: 0,
            jitter: 2,
            walking: { share: 0.3, speed: 1 },
        },
    ],
    events: [{ at: 20, do: "reboot", mote: 3 }],
}

/** Everything there is to know of a run. */
async function course(file: string, seed: number, threads = 0) {
    const simulation = await Simulation.start(scenario, { seed, threads })
    const capture = new CaptureWriter(file)
    const notes: string[] = []
    const note = (...what: unknown[]) => notes.push(JSON.stringify([simulation.now(), ...what]))
    const notary: Observer = {
        log: (mote, line) => note("log", mote, line),
        arrived: ({ values, ...reading }) => note("arrived", reading, [...values]),
        received: (to, from, _frame, rssiDbm) => note("received", to.id, from.id, rssiDbm),
        state: (radio, state) => note("state", radio.id, state),
    }
    simulation.observers.add(capture)
    simulation.observers.add(notary)
    await simulation.run(scenario.duration)
    const result = JSON.stringify(summary(simulation))
    await simulation.stop()
    capture.close()
    return { capture: readFileSync(file), notes, result }
}

test("the same seed gives the same capture, log and results, byte for byte; another seed does not", async t => {
    const folder = temporaryFolder(t)
    const first = await course(join(folder, "1.pcap"), 1)
    const again = await course(join(folder, "2.pcap"), 1)
    const other = await course(join(folder, "3.pcap"), 2)

    for (const what of ["log", "arrived", "received", "state"])
        assert.ok(
            first.notes.some(line => line.includes(`"${what}"`)),
            `nothing "${what}" to compare`,
        )
    assert.deepEqual(again.notes, first.notes)
    assert.equal(again.result, first.result)
    assert.ok(again.capture.equals(first.capture))
    assert.ok(!other.capture.equals(first.capture))
    assert.notDeepEqual(other.notes, first.notes)
})

test("any number of threads takes the same course, byte for byte", async t => {
    const folder = temporaryFolder(t)
    const alone = await course(join(folder, "0.pcap"), 1)
    for (const threads of [1, 2]) {
        const shared = await course(join(folder, `${threads}.pcap`), 1, threads)
        assert.deepEqual(shared.notes, alone.notes)
        assert.equal(shared.result, alone.result)
        assert.ok(shared.capture.equals(alone.capture))
    }
})

test("two processes agree to the byte", async t => {
    const folder = temporaryFolder(t)
    const file = join(folder, "small.yaml")
    writeFileSync(file, JSON.stringify(scenario)) // which is YAML, too
    const run = async (name: string, threads: string) => {
        const pcap = join(folder, name)
        const args = ["cli/vitalmote.mjs", "sim", file, "--json", "--pcap", pcap]
        args.push("--threads", threads)
        const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: projectDir })
        return { result: stdout, capture: readFileSync(pcap) }
    }
    const [one, two] = await Promise.all([run("one.pcap", "0"), run("two.pcap", "2")])

    assert.ok(one.capture.length > 10_000, `a capture of ${one.capture.length} bytes`)
    assert.ok(two.capture.equals(one.capture))
    assert.equal(two.result, one.result)
})
