import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { maxRuns, maxStarts, ReplayWindow } from "../../router/replay.ts"

const salt = "0102030405"
const otherSalt = "0102030406"

/** Judges, and records what is fresh. */
function take(window: ReplayWindow, boot: number, salt: string, seq: number): string {
    const verdict = window.judge(boot, salt, seq)
    if (verdict === "fresh") window.record(boot, salt, seq)
    return verdict
}

test("each number is fresh once, in any order", () => {
    fc.assert(
        fc.property(fc.array(fc.nat({ max: 60 })), seqs => {
            const window = new ReplayWindow()
            const seen = new Set<number>()
            for (const seq of seqs) {
                assert.equal(take(window, 1, salt, seq), seen.has(seq) ? "duplicate" : "fresh")
                seen.add(seq)
            }
        }),
    )
})

test("runs are sorted, never touch, and hold exactly what was seen", () => {
    fc.assert(
        fc.property(fc.uniqueArray(fc.nat({ max: 60 }), { minLength: 1 }), seqs => {
            const window = new ReplayWindow()
            const { start } = seqs.map(seq => window.record(1, salt, seq)).at(-1)!
            const inside = start.runs.flatMap(([first, last]) =>
                Array.from({ length: last - first + 1 }, (_, i) => first + i),
            )
            assert.deepEqual(
                inside,
                [...seqs].sort((a, b) => a - b),
            )
            start.runs.slice(1).forEach(([first], i) => assert.ok(first > start.runs[i]![1] + 1))
        }),
    )
})

test("a window that was stored goes on as it was", () => {
    const window = new ReplayWindow()
    const starts = [
        window.record(1, salt, 0).start,
        window.record(2, otherSalt, 5).start,
        window.record(2, otherSalt, 6).start,
    ]
    const restored = new ReplayWindow(structuredClone([starts[0]!, starts[2]!]))
    assert.equal(restored.judge(1, salt, 0), "duplicate")
    assert.equal(restored.judge(2, otherSalt, 5), "duplicate")
    assert.equal(restored.judge(2, otherSalt, 7), "fresh")
})

test("an alarm may overtake any number of queued readings", () => {
    const window = new ReplayWindow()
    assert.equal(take(window, 1, salt, 0), "fresh")
    assert.equal(take(window, 1, salt, 1_000_000), "fresh")
    for (let seq = 1; seq < 1000; seq++) assert.equal(take(window, 1, salt, seq), "fresh")
    assert.equal(take(window, 1, salt, 1_000_000), "duplicate")
})

test("an older start is only taken where it is known", () => {
    const window = new ReplayWindow()
    take(window, 5, salt, 0)
    take(window, 7, otherSalt, 0)
    assert.equal(take(window, 5, salt, 0), "duplicate")
    assert.equal(take(window, 5, salt, 1), "fresh")
    assert.equal(take(window, 6, salt, 0), "olderBoot")
    assert.equal(take(window, 4, salt, 0), "olderBoot")
})

test("a known boot with another salt is refused, the newest and older ones", () => {
    const window = new ReplayWindow()
    take(window, 5, salt, 0)
    assert.equal(take(window, 5, otherSalt, 1), "otherSalt")
    take(window, 6, salt, 0)
    assert.equal(take(window, 5, otherSalt, 1), "otherSalt")
})

test("too many gaps: the oldest stretch is forgotten, nothing unseen above it is refused", () => {
    const window = new ReplayWindow()
    for (let i = 0; i <= maxRuns; i++) take(window, 1, salt, i * 2)
    assert.equal(window.judge(1, salt, 0), "belowWindow")
    assert.equal(window.judge(1, salt, 1), "fresh")
    assert.equal(window.judge(1, salt, 2), "duplicate")
    const { start } = window.record(1, salt, maxRuns * 2 + 2)
    assert.ok(start.runs.length <= maxRuns)
})

test("too many starts: the oldest is forgotten and refused", () => {
    const window = new ReplayWindow()
    for (let boot = 1; boot <= maxStarts; boot++) assert.equal(window.record(boot, salt, 0).forgotten, undefined)
    assert.equal(window.record(maxStarts + 1, salt, 0).forgotten?.boot, 1)
    assert.equal(window.judge(1, salt, 0), "olderBoot")
    assert.equal(window.judge(2, salt, 0), "duplicate")
})
