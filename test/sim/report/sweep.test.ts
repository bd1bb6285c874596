import assert from "node:assert/strict"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { after, test } from "node:test"
import { Value } from "@sinclair/typebox/value"
import { ComparisonSchema, runAll, type Comparison } from "../../../sim/report/pool.ts"
import { parseSweep, withValue } from "../../../sim/report/sweep.ts"
import { parseScenario } from "../../../sim/scenario/load.ts"
import { CommandLine } from "../../support/command-line.ts"
import { temporaryFolder } from "../../support/folder.ts"

const commandLine = new CommandLine()
after(() => commandLine.close())

const text = `
title: Two <b>motes</b>
duration: 25
medium: { kind: constant-loss, range: 50, interference: 60, rx: 1 }
root: { id: 1, x: 0, y: 0 }
grids:
    - { first: 2, count: 2, columns: 2, spacing: 20, x: 10, y: 0 }
`
const scenario = parseScenario(text, "two.yaml")

test("sweep: a key and its values; what is none is refused", () => {
    assert.deepEqual(parseSweep("medium.rx=0.7, 1"), { key: "medium.rx", values: [0.7, 1] })
    assert.deepEqual(parseSweep("network.mode=storing,non-storing").values, ["storing", "non-storing"])
    for (const wrong of ["", "medium.rx", "=1", "seed=", "seed=1,,2", "seed=1,1", "a b=1"])
        assert.throws(() => parseSweep(wrong), { name: "UserError", exitCode: 2 }, wrong)
})

test("sweep: only that value changes, of each element of a list; the schema has to agree", () => {
    const changed = withValue(scenario, "medium.rx", 0.5)
    assert.deepEqual(changed, { ...scenario, medium: { ...scenario.medium, rx: 0.5 } })
    assert.equal(withValue(scenario, "grids.spacing", 30).grids![0]!.spacing, 30)
    assert.equal(withValue(scenario, "seed", 7).seed, 7)
    const refused = (key: string, value: number | string, message: RegExp) =>
        assert.throws(() => withValue(scenario, key, value), { exitCode: 2, message })
    refused("medium.rx", 2, /^--sweep medium\.rx=2: medium\.rx: expected number/)
    refused("medium.loss", 1, /medium\.loss: unexpected property$/)
    refused("motes.battery", 1, /^--sweep motes\.battery: the scenario has no motes$/)
    refused("title.length", 1, /the scenario has no title$/)
    refused("__proto__.x", 1, /the scenario has no __proto__$/)
    refused("__proto__", 1, /unexpected property$/)
    refused("seed", "x", /^--sweep seed=x: seed: expected integer$/)
})

test("sweep: what comes out depends on the seed, not on how many run at once", async () => {
    const jobs = [1, 2].map(seed => ({ scenario, seed, seconds: 12, name: `seed ${seed}` }))
    const counted: number[] = []
    const both = await runAll(jobs, done => counted.push(done), 2)
    assert.deepEqual(counted, [1, 2])
    assert.deepEqual(await runAll(jobs, () => {}, 1), both)
    assert.notDeepEqual(both[0], both[1])
    const broken = { ...scenario, network: { prefix: "::::" } }
    await assert.rejects(
        runAll([{ scenario: broken, seed: 1, seconds: 1, name: "a prefix that is none" }], () => {}),
        /^UserError: the run with a prefix that is none failed: ./,
    )
})

test("vitalmote sim --sweep: a table, a page and JSON of all runs", async t => {
    const folder = temporaryFolder(t)
    const file = join(folder, "two.yaml")
    writeFileSync(file, text)
    const out = join(folder, "out")
    const sweep = ["--sweep", "medium.rx=0.5,1", "--runs", "1", "--report", out]
    const { code, stdout, stderr } = await commandLine.run(["sim", file, ...sweep])
    assert.equal(code, 0, stderr)
    const lines = stdout.trimEnd().split("\n")
    assert.match(lines[0]!, /^medium\.rx +seed +delivered %/)
    assert.deepEqual(
        lines.slice(1).map(line => line.split(/ +/).slice(0, 2)),
        [
            ["0.5", "1"],
            ["1", "1"],
        ],
    )
    const json = JSON.parse(readFileSync(join(out, "report.json"), "utf8")) as Comparison
    assert.deepEqual([...Value.Errors(ComparisonSchema, json)], [])
    const [lossy, clean] = json.runs.map(({ outcome }) => outcome)
    assert.equal(clean!.framesLost, 0)
    assert.ok(lossy!.framesLost > 0)
    const html = readFileSync(join(out, "report.html"), "utf8")
    assert.match(html, /<h1>Two &#60;b&#62;motes/)
    assert.doesNotMatch(html, /NaN|Infinity|undefined|<script|<b>motes/)
})

test("vitalmote sim --sweep: what does not go together is said in one line", async t => {
    const file = join(temporaryFolder(t), "two.yaml")
    writeFileSync(file, text)
    for (const [args, message] of [
        [["--runs", "2"], "vitalmote: --runs: only with --sweep\n"],
        [["--sweep", "seed=1,2", "--runs", "2"], /^vitalmote: --sweep seed: each value is one run/],
        [["--sweep", "medium.rx=0.5", "--ping", "2"], /^vitalmote: --sweep: no questions/],
        [["--sweep", "medium.kind=magic"], /^vitalmote: --sweep medium\.kind=magic: medium[^\n]+\n$/],
    ] as const) {
        const { code, stdout, stderr } = await commandLine.run(["sim", file, ...args])
        assert.equal(code, 2)
        assert.equal(stdout, "")
        if (typeof message === "string") assert.equal(stderr, message)
        else assert.match(stderr, message)
    }
})
