// The mote's use of its connection, apart from sending one envelope after another.
import assert from "node:assert/strict"
import { test } from "node:test"
import { Code } from "../../router/coap/message.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { ScriptedRouter, upTo } from "./scripted-router.ts"

async function start(settings: Record<string, unknown>, prepare?: (r: ScriptedRouter) => void) {
    const router = new ScriptedRouter()
    prepare?.(router)
    const run = await runProgram("test/src/uplink.ts", {
        clock: router.clock,
        connect: router.connect,
        settings: { ...router.settings, ...settings },
    })
    return { ...run, router }
}

/** The heart rate is too low from the first reading on, which is an alarm after `delayS`. */
const alarming = (delayS: number) => ({ count: 200, everyMs: 2000, delay: delayS })

test("an alarm overtakes readings without a receipt, and those stay as they were sealed", async () => {
    const { router, run } = await start(alarming(60), r => {
        r.onPost = post => post.purpose === "alarm" && post.accept()
    })
    await run(150)
    const [alarm] = router.posts.filter(p => p.purpose === "alarm")
    const before = router.posts.slice(0, router.posts.indexOf(alarm!))
    // The readings are retried at growing intervals; the alarm did not wait for that.
    assert.ok(before.length > 2 && before.every(p => p.hex === before[0]!.hex))
    assert.ok(alarm!.at - before[0]!.at < 65_000, `${alarm!.at - before[0]!.at} ms`)
    router.onPost = post => post.accept()
    await run(200)
    const readings = router.posts.filter(p => p.purpose === "vitals")
    assert.equal(readings[before.length]!.hex, before[0]!.hex)
    assert.deepEqual(router.readings.slice(0, 100), upTo(100))
})

test("an alarm ends a pause at once, after a failure or a busy router", async () => {
    for (const refuse of [Code.Forbidden, Code.ServiceUnavailable]) {
        const { router, run } = await start(alarming(100), r => {
            r.onPost = post => (post.purpose === "alarm" ? post.accept() : post.respond(refuse, undefined, 120))
        })
        await run(106)
        const at = router.posts.findIndex(p => p.purpose === "alarm")
        const pauseMs = router.posts[at]!.at - router.posts[at - 1]!.at
        assert.ok(pauseMs > 1000 && pauseMs < 119_000, `${pauseMs} ms`)
        const gapMs = router.posts[at]!.at - router.posts[0]!.at
        assert.ok(gapMs > 98_000 && gapMs < 104_000, `${gapMs} ms`)
    }
})

test("an alarm is repeated with the same bytes until it is receipted, also before the clock is set", async () => {
    const { router, run, panics } = await start(alarming(2), r => {
        r.onPost = () => {}
    })
    await run(400)
    const alarms = router.posts.filter(p => p.purpose === "alarm")
    assert.ok(alarms.length > 5)
    assert.equal(new Set(alarms.map(p => p.hex)).size, 1)
    // Pauses apply to alarms as well, however many readings arrive meanwhile.
    assert.ok(alarms.length < 15, `${alarms.length} times`)
    router.onPost = post => post.accept()
    await run(100)
    assert.deepEqual(panics, [])
    const [first, ...more] = new Set(router.posts.filter(p => p.purpose === "alarm").map(p => p.hex))
    assert.equal(first, alarms[0]!.hex)
    assert.ok(more.length <= 1, "its end")
    assert.deepEqual(router.readings.slice(0, 200), upTo(200))
})

test("a router that refuses alarms still gets the readings", async () => {
    const { router, run } = await start(alarming(20), r => {
        r.onPost = post => (post.purpose === "alarm" ? post.respond(Code.NotFound) : post.accept())
    })
    await run(460)
    assert.ok(router.posts.filter(p => p.purpose === "alarm").length > 3)
    assert.ok(router.readings.length > 100)
})

test("with nothing to send the mote pings the router, and reconnects if there is no response", async () => {
    const { router, run, panics } = await start({ count: 3 })
    await run(250)
    const pings = () => router.connections.flatMap(c => c.others.filter(m => m.code === Code.Ping))
    assert.equal(router.connections.length, 1)
    assert.ok(pings().length >= 3, `${pings().length} Pings`)
    // The other end is gone without closing the connection.
    router.answersPings = false
    router.connections[0]!.bytesLeft = Infinity
    await run(75)
    router.answersPings = true
    await run(60)
    assert.equal(router.connections.length, 2)
    assert.deepEqual(panics, [])
})

test("a mote with nothing to send reconnects, so that it is reachable", async () => {
    const { router, run } = await start({ count: 3 })
    await run(10)
    router.connections[0]!.stream.end()
    await run(20)
    assert.equal(router.connections.length, 2)
    assert.ok(!router.connections[1]!.isClosed)
})

test("before it powers down, the mote sends what waits and closes the connection properly", async () => {
    const { router, run, lines } = await start({ count: 25, everyMs: 100, flushMs: 5000 }, r => {
        r.delayMs = 100
    })
    await run(12)
    assert.deepEqual(router.readings, upTo(25))
    assert.equal(lines.at(-1), "all sent")
    const [connection] = router.connections
    assert.equal(connection!.others.at(-1)!.code, Code.Release)
    assert.ok(connection!.isClosed)
    // It stays disconnected until the next reading.
    await run(80)
    assert.equal(router.connections.length, 1)
    await run(30)
    assert.equal(router.connections.length, 2)
    assert.deepEqual(router.readings, upTo(50))
})

test("a mote that cannot send before it powers down reports that in time, and loses nothing", async () => {
    const { router, run, lines } = await start({ count: 25, everyMs: 1000, flushMs: 5000 }, r => {
        r.isReachable = false
    })
    await run(35)
    assert.equal(lines.at(-1), "not all sent")
    router.isReachable = true
    await run(160)
    assert.deepEqual(router.readings, upTo(50))
})
