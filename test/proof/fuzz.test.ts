import assert from "node:assert/strict"
import { test } from "node:test"
import { readCorpus } from "../../bench/fuzz/corpus.ts"
import { addReached, Coverage, isFresh } from "../../bench/fuzz/coverage.ts"
import { begin, check, explore, type Fuzzed } from "../../bench/fuzz/loop.ts"
import { mutate } from "../../bench/fuzz/mutate.ts"
import { targets, type Target } from "../../bench/fuzz/targets.ts"
import { seededRandom } from "../../sim/time/random.ts"
import { isLong } from "../support/long.ts"

/** New inputs for each parser, beside the corpus; the search of hours is `bench/fuzz`. */
const inputs = isLong ? 2_000 : 200

test("no parser does what it may not, for any input of the corpus and for inputs made of them", () => {
    const random = seededRandom(14)
    for (const target of targets) {
        const corpus = [...target.seeds, ...readCorpus(target.name)]
        assert.ok(corpus.length > 2, `${target.name} has a corpus`)
        const fuzzed = begin(target, corpus)
        const pick = () => corpus[Math.floor(random() * corpus.length)]!
        for (let n = 0; n < inputs; n++) check(target, mutate(pick(), pick(), random), fuzzed)
        const found = [...fuzzed.findings.values()].map(({ input, what }) => [Buffer.from(input).toString("hex"), what])
        assert.deepEqual(found, [], target.name)
    }
})

test("the search finds a fault that no single change reaches, because it keeps what comes nearer", () => {
    const parse = (bytes: Uint8Array) => {
        if (bytes[0] !== 0x56) return
        if (bytes[1] !== 0x4d) return
        if (bytes[2] !== 0x99) return
        if (bytes.length > 5) throw new Error("a fault")
    }
    const target: Target = { name: "made up", run: parse, mayThrow: () => false, seeds: [Uint8Array.of(0)] }
    const coverage = new Coverage()
    const random = seededRandom(1)
    const fuzzed: Fuzzed = begin(target, target.seeds)
    for (let batch = 0; batch < 400 && fuzzed.findings.size === 0; batch++) {
        const pool = [...target.seeds, ...fuzzed.corpus]
        const pick = () => pool[Math.floor(random() * pool.length)]!
        const made = Array.from({ length: 256 }, () => mutate(pick(), pick(), random))
        explore(target, fuzzed, made, () => coverage.take())
    }
    coverage.close()
    assert.equal([...fuzzed.findings.values()][0]?.what.split("\n")[0], "a fault")
})

test("what has run is compared by what of a function has not", () => {
    const seen = new Map([["f", [[0, 10] as [number, number]]]])
    assert.equal(isFresh(seen, new Map([["f", [[0, 12]]]])), false)
    assert.equal(isFresh(seen, new Map([["f", [[2, 12]]]])), true)
    assert.equal(isFresh(seen, new Map([["g", []]])), true)
    addReached(
        seen,
        new Map([
            [
                "f",
                [
                    [2, 5],
                    [8, 12],
                ],
            ],
        ]),
    )
    assert.deepEqual(seen.get("f"), [
        [2, 5],
        [8, 10],
    ])
})
