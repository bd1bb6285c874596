import assert from "node:assert/strict"
import { test } from "node:test"
import { runProgram } from "../../sim/mote/program.ts"
import { ScriptedRouter, type Post } from "./scripted-router.ts"

/** A mote whose wearer's heart rate is too high from `fromS` to `toS` of each start; an alarm needs 10 s of it. */
async function start(o: { fromS: number; toS: number; againS?: number; prepare?: (r: ScriptedRouter) => void }) {
    const router = new ScriptedRouter()
    o.prepare?.(router)
    const program = await runProgram("test/src/alarm-link.ts", {
        clock: router.clock,
        connect: () => router.connect(),
        settings: { ...router.settings, fromS: o.fromS, toS: o.toS, againS: o.againS ?? 1e6 },
    })
    return { ...program, router }
}

const events = (post: Post) => post.alarms
const brief = (posts: Post[]) => posts.flatMap(events).map(e => `${e.kind} ${e.raised ? 1 : 0}`)
const alarms = ({ posts }: ScriptedRouter) => posts.filter(({ purpose }) => purpose === "alarm")

test("an alarm is reported as soon as it is raised, and as soon as it is cleared", async () => {
    const { router, run, panics } = await start({ fromS: 30, toS: 60 })
    await run(100)
    assert.deepEqual(panics, [])
    assert.deepEqual(brief(alarms(router)), ["hr-high 1", "hr-high 0"])
    for (const post of alarms(router)) {
        const [{ time, relative }] = events(post) as [ReturnType<typeof events>[0]]
        assert.ok(!relative && post.at - time < 1000, `${post.at - time} ms`)
    }
})

test("after an outage from the start: the alarm first, with a time relative to now, then the readings", async () => {
    const { router, run } = await start({
        ...{ fromS: 0, toS: 1e6 },
        prepare: router => (router.isReachable = false),
    })
    await run(100)
    router.isReachable = true
    await run(70)
    const [first, second] = router.posts as [Post, Post]
    assert.deepEqual([first.purpose, second.purpose], ["alarm", "vitals"])
    const [{ relative, time, untimed }] = events(first) as [ReturnType<typeof events>[0]]
    const bornMs = router.clock.now() - 170_000
    assert.ok(relative && !untimed && time > bornMs + 9000 && time < bornMs + 16_000)
    assert.deepEqual(brief(alarms(router)), ["hr-high 1"])
})

test("the same bytes are sent until there is a receipt, before any readings", async () => {
    let refusals = 5
    const { router, run } = await start({
        ...{ fromS: 30, toS: 1e6 },
        prepare: router => {
            router.onPost = post => {
                if (post.purpose === "vitals" || refusals-- <= 0) post.accept()
            }
        },
    })
    await run(300)
    const sent = alarms(router)
    assert.equal(sent.length, 6)
    assert.equal(new Set(sent.map(({ hex }) => hex)).size, 1)
    const first = router.posts.indexOf(sent[0]!)
    assert.deepEqual(router.posts.slice(first, first + 6), sent)
    assert.equal(router.posts.at(-1)!.purpose, "vitals")
})

test("an alarm that resumes while the mote connects to report its end: nothing is reported", async () => {
    const { router, run } = await start({ fromS: 30, toS: 60, againS: 72 })
    await run(62)
    assert.deepEqual(brief(alarms(router)), ["hr-high 1"])
    router.connections.at(-1)!.stream.destroy()
    router.isReachable = false
    await run(6)
    // At 70 s the alarm has ended; from 82 s on it is raised again.
    const { connect, clock } = router
    router.isReachable = true
    router.delayMs = 9000
    router.connect = () => new Promise(resolve => clock.setTimeout(() => resolve(connect()), 9000))
    const before = router.connections.length
    await run(80)
    assert.ok(router.connections.length > before)
    assert.deepEqual(brief(alarms(router)), ["hr-high 1"])
})

test("after a restart an alarm without a receipt precedes any reading, under the same id; with a receipt it is not repeated", async () => {
    const { router, run, mote } = await start({ fromS: 30, toS: 60 })
    router.onPost = post => {
        if (post.purpose === "vitals") post.accept()
    }
    await run(50)
    const told = alarms(router)
    assert.deepEqual(brief(told.slice(0, 1)), ["hr-high 1"])
    mote.stop()
    router.onPost = post => post.accept()
    const before = router.posts.length
    await mote.powerUp()
    // The heart rate fell while the mote was off.
    await run(25)
    const [first, ...more] = router.posts.slice(before) as [Post, ...Post[]]
    assert.equal(first.purpose, "alarm")
    assert.deepEqual(events(first)[0]!.id, events(told[0]!)[0]!.id)
    assert.deepEqual(brief(more.filter(({ purpose }) => purpose === "alarm")), ["hr-high 0"])
    mote.stop()
    await mote.powerUp()
    const after = router.posts.length
    await run(25)
    assert.deepEqual(brief(router.posts.slice(after).filter(p => p.purpose === "alarm")), [])
})
