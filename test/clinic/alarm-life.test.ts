import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { born, dueAt, next, pauseMinutes, undoMs, type Event, type Life, type Rules } from "../../clinic/alarms/life.ts"

const rules: Rules = { acknowledgedMs: 600_000, escalateAfterMs: [60_000, 180_000], isLatching: true }
const nurse = "nadia"

/** The alarm after these events, each of which has to be accepted. */
function live(events: Event[], from: Life = born(0), by = rules): Life {
    return events.reduce((life, event) => {
        const outcome = next(life, event, by)
        assert.ok(!("refused" in outcome), `${event.type} in ${life.state}`)
        return outcome.life
    }, from)
}

function refusal(life: Life, event: Event): string {
    const outcome = next(life, event, rules)
    assert.ok("refused" in outcome)
    return outcome.refused
}

test("alarm: nobody comes, so it escalates step by step, each step once", () => {
    const outcome = next(born(0), { type: "time", at: 200_000 }, rules)
    assert.ok(!("refused" in outcome))
    assert.deepEqual(
        outcome.entries.map(({ at, change, level }) => [at, change, level]),
        [
            [60_000, "escalated", 1],
            [180_000, "escalated", 2],
        ],
    )
    assert.equal(dueAt(outcome.life, rules), null)
})

test("alarm: acknowledged it is quiet, and raised again when it lasts longer than that allows", () => {
    const acknowledged = live([{ type: "acknowledge", at: 10_000, by: nurse }])
    assert.equal(acknowledged.state, "acknowledged")
    assert.equal(dueAt(acknowledged, rules), 610_000)
    const again = live([{ type: "time", at: 610_000 }], acknowledged)
    assert.deepEqual([again.state, again.since, again.level], ["raised", 610_000, 0])
})

test("alarm: worse after it was acknowledged or paused, it speaks again", () => {
    for (const attended of [
        { type: "acknowledge", at: 1000, by: nurse } as const,
        { type: "pause", at: 1000, by: nurse, minutes: 5 } as const,
    ])
        assert.equal(live([attended, { type: "worsened", at: 2000 }]).state, "raised")
})

test("alarm: over before anybody saw it, it stays until somebody has", () => {
    const latched = live([{ type: "cleared", at: 5000 }])
    assert.equal(latched.state, "latched")
    assert.equal(dueAt(latched, rules), null)
    assert.equal(live([{ type: "acknowledge", at: 9000, by: nurse }], latched).state, "closed")
    assert.equal(live([{ type: "cleared", at: 5000 }], born(0), { ...rules, isLatching: false }).state, "closed")
})

test("alarm: over after somebody saw it, it is closed", () => {
    assert.equal(
        live([
            { type: "acknowledge", at: 1000, by: nurse },
            { type: "cleared", at: 5000 },
        ]).state,
        "closed",
    )
})

test("alarm: a pause ends with its time, whatever its length", () => {
    for (const minutes of pauseMinutes) {
        const paused = live([{ type: "pause", at: 0, by: nurse, minutes }])
        assert.equal(live([{ type: "time", at: minutes * 60_000 - 1 }], paused).state, "paused")
        assert.equal(live([{ type: "time", at: minutes * 60_000 }], paused).state, "raised")
    }
})

test("alarm: an acknowledgement can be taken back for a minute, and the escalation goes on where it was", () => {
    const acknowledged = live([{ type: "acknowledge", at: 50_000, by: nurse }])
    const undone = live([{ type: "undo", at: 50_000 + undoMs, by: nurse }], acknowledged)
    assert.deepEqual([undone.state, undone.since, undone.level], ["raised", 0, 1])
    const outcome = next(acknowledged, { type: "undo", at: 50_000 + undoMs, by: nurse }, rules)
    assert.ok(!("refused" in outcome))
    assert.deepEqual(
        outcome.entries.map(({ at, change }) => [at, change]),
        [
            [50_000 + undoMs, "undone"],
            [50_000 + undoMs, "escalated"],
        ],
    )
    assert.equal(refusal(acknowledged, { type: "undo", at: 50_001 + undoMs, by: nurse }), "nothing-to-undo")
    assert.equal(refusal(born(0), { type: "undo", at: 1, by: nurse }), "nothing-to-undo")
})

test("alarm: two nurses acknowledge at once, and the first one stays", () => {
    const first = live([{ type: "acknowledge", at: 1000, by: nurse }])
    assert.equal(refusal(first, { type: "acknowledge", at: 1000, by: "omar" }), "already-acknowledged")
    assert.equal(first.by, nurse)
})

test("alarm: what is closed takes nothing but the same condition again", () => {
    const closed = live([{ type: "withdrawn", at: 1000 }])
    assert.equal(refusal(closed, { type: "acknowledge", at: 2000, by: nurse }), "closed")
    assert.equal(refusal(closed, { type: "pause", at: 2000, by: nurse, minutes: 2 }), "closed")
    assert.equal(live([{ type: "worsened", at: 2000 }], closed).state, "closed")
    assert.equal(live([{ type: "again", at: 2000 }], closed).state, "raised")
})

const steps = fc.array(
    fc.record({
        type: fc.constantFrom("worsened", "cleared", "again", "time", "acknowledge", "undo", "pause") as fc.Arbitrary<
            Event["type"]
        >,
        afterMs: fc.oneof(fc.integer({ min: 0, max: 60_000 }), fc.integer({ min: 0, max: 2_000_000 })),
        minutes: fc.constantFrom(...pauseMinutes),
    }),
    { maxLength: 30 },
)

test("alarm: whatever happens in whatever order, it is never silent for longer than somebody allowed", () => {
    fc.assert(
        fc.property(steps, events => {
            let life = born(0)
            let at = 0
            for (const { type, afterMs, minutes } of events) {
                at += afterMs
                const outcome = next(life, { type, at, by: nurse, minutes } as Event, rules)
                if ("refused" in outcome) continue
                const times = outcome.entries.map(entry => entry.at)
                assert.deepEqual(
                    times,
                    [...times].sort((a, b) => a - b),
                )
                life = outcome.life
                const isQuiet = life.state === "acknowledged" || life.state === "paused"
                assert.equal(life.until !== null, isQuiet)
                if (isQuiet) assert.ok(life.until! > at && life.until! - life.since <= 30 * 60_000)
                const due = dueAt(life, rules)
                assert.ok(due === null || due > at, `${life.state} was due at ${due}, it is ${at}`)
            }
        }),
    )
})
