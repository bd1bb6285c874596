// Fuzzes every parser, guided by coverage, and keeps the corpus.  node --import tsx bench/fuzz/main.ts [--seconds N] [--target NAME]
import { parseArgs } from "node:util"
import { seededRandom } from "../../sim/time/random.ts"
import { readCorpus, writeCorpus } from "./corpus.ts"
import { Coverage } from "./coverage.ts"
import { begin, explore, step } from "./loop.ts"
import { targets } from "./targets.ts"

/** A turn of one target. */
const turnMs = 500
const reportMs = 60_000

const { values } = parseArgs({
    options: {
        seconds: { type: "string", default: "60" },
        target: { type: "string", multiple: true },
        seed: { type: "string", default: String(Date.now()) },
    },
})
const chosen = targets.filter(({ name }) => values.target?.includes(name) ?? true)
if (chosen.length === 0)
    throw new Error(`there is no such target; there are ${targets.map(({ name }) => name).join(", ")}`)
const random = seededRandom(Number(values.seed))
const coverage = new Coverage()
const take = () => coverage.take()
const runs = chosen.map(target => {
    const start = [...target.seeds, ...readCorpus(target.name)]
    const fuzzed = begin(target, start)
    explore(target, fuzzed, start, take)
    return { target, start, fuzzed }
})
const until = performance.now() + Number(values.seconds) * 1000
let reported = performance.now()
let stopped = false
process.once("SIGINT", () => (stopped = true))
process.once("SIGTERM", () => (stopped = true))
while (performance.now() < until && !stopped)
    for (const { target, start, fuzzed } of runs) {
        const turnEnds = Math.min(until, performance.now() + turnMs)
        while (performance.now() < turnEnds) step(target, fuzzed, { take, random, start })
        await new Promise(resolve => setImmediate(resolve)) // a signal may have come
        if (performance.now() - reported < reportMs) continue
        reported = performance.now()
        report()
    }
for (const { target, fuzzed } of runs) writeCorpus(target.name, fuzzed.corpus)
coverage.close()
report()
for (const { fuzzed } of runs)
    for (const { target, input, what } of fuzzed.findings.values()) {
        console.log(`\n${target}: ${what}\n${Buffer.from(input).toString("hex")}`)
        process.exitCode = 1
    }

function report(): void {
    const inputs = runs.reduce((sum, { fuzzed }) => sum + fuzzed.inputs, 0)
    const findings = runs.reduce((sum, { fuzzed }) => sum + fuzzed.findings.size, 0)
    const functions = runs.reduce((sum, { fuzzed }) => sum + fuzzed.seen.size, 0)
    const kept = runs.reduce((sum, { fuzzed }) => sum + fuzzed.corpus.length, 0)
    console.log(
        `${inputs} inputs, ${functions} functions reached, ${kept} inputs kept, ${findings} findings, seed ${values.seed}`,
    )
}
