import assert from "node:assert/strict"
import { test } from "node:test"
import { encodeFrame } from "../../router/coap/frame.ts"
import { Code, code, message } from "../../router/coap/message.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { deriveKeys } from "../../wire/keys.ts"
import { open, readings } from "./independent-open.ts"
import { ScriptedRouter, upTo, type Post, type ScriptedConnection } from "./scripted-router.ts"

/** A mote with `count` readings, one every `everyMs`, and its router. */
async function start(o: { count?: number; everyMs?: number; prepare?: (r: ScriptedRouter) => void }) {
    const { count = 10, everyMs = 2000 } = o
    const router = new ScriptedRouter()
    o.prepare?.(router)
    const run = await runProgram("test/src/uplink.ts", {
        clock: router.clock,
        connect: router.connect,
        settings: { ...router.settings, count, everyMs },
    })
    return { ...run, router }
}

test("every reading arrives once, in order, one per envelope, with increasing numbers", async () => {
    const { router, run, panics, lines } = await start({ count: 20 })
    await run(45)
    assert.deepEqual(router.readings, upTo(20))
    assert.deepEqual(router.sendings(), upTo(20).fill(1))
    assert.deepEqual(
        router.posts.map(p => p.envelope.seq),
        upTo(20),
    )
    assert.equal(router.connections.length, 1)
    assert.deepEqual(panics, [])
    assert.deepEqual(lines, [`mote ${router.settings.kid}`, "linked"])
})

test("an envelope of the firmware opens with node:crypto and cbor2 alone", async () => {
    const { router, run } = await start({ count: 2 })
    await run(6)
    const { kid, secret } = router.settings
    assert.equal(router.posts.length, 2)
    for (const [i, { envelope }] of router.posts.entries()) {
        const { content, nonce } = open(envelope.bytes, kid, secret)
        assert.equal(nonce, Buffer.from(envelope.nonce).toString("hex"))
        // The first is from before there is a clock, and has the configuration.
        if (i === 0) assert.deepEqual([content[0], content.length], [-1, 4])
        else
            assert.deepEqual(
                readings(content).map(reading => Object.keys(reading)),
                [["time", "hr", "hr-q", "temp"]],
            )
    }
})

test("times are relative before the first receipt and right to 100 ms afterwards", async () => {
    const { router, run } = await start({ count: 10 })
    await run(25)
    const [first, ...later] = router.posts
    assert.ok(first!.measurements.every(m => m.relative))
    assert.equal(later.length, 9)
    for (const post of later)
        for (const m of post.measurements) {
            assert.ok(!m.relative)
            const lateMs = post.at - m.time
            assert.ok(Math.abs(lateMs - router.delayMs) < 100, `${lateMs} ms`)
        }
})

const strangerKeys = deriveKeys(new Uint8Array(32), new Uint8Array(8))

/** What a router, or an impostor, may do instead of sending the receipt. */
const faults: Record<string, (post: Post) => void> = {
    "no answer": () => {},
    "no receipt in it": p => p.respond(Code.Changed),
    "a wrong MAC": p => {
        const receipt = p.receipt()
        receipt[receipt.length - 1]! ^= 1
        p.respond(Code.Changed, receipt)
    },
    "a flipped bit in the time": p => {
        const receipt = p.receipt()
        receipt[15]! ^= 1
        p.respond(Code.Changed, receipt)
    },
    "a receipt for another nonce": p => p.respond(Code.Changed, p.receipt({ nonce: new Uint8Array(13) })),
    "a receipt for another mote": p => p.respond(Code.Changed, p.receipt({ key: strangerKeys.receipt })),
    "a receipt under another key": p => p.respond(Code.Changed, p.receipt({ key: p.router.keys.upMac })),
    "a receipt cut short": p => p.respond(Code.Changed, p.receipt().subarray(0, -1)),
    "a receipt with more behind it": p => p.respond(Code.Changed, Buffer.concat([p.receipt(), Buffer.from([0])])),
    "the receipt of the envelope before": p => {
        const before = p.router.posts.find(q => q.hex !== p.hex)
        p.respond(Code.Changed, before ? before.receipt() : Buffer.alloc(0))
    },
    "a valid receipt in an error": p => p.respond(Code.BadRequest, p.receipt()),
    "a response to another token": p =>
        p.connection.stream.write(
            encodeFrame(message(Code.Changed, { token: Buffer.from([77]), payload: p.receipt() })),
        ),
    "4.00": p => p.respond(Code.BadRequest),
    "4.01": p => p.respond(Code.Unauthorized),
    "4.03": p => p.respond(Code.Forbidden, Buffer.from("from before a newer start")),
    "4.04": p => p.respond(Code.NotFound),
    "4.13": p => p.respond(Code.RequestEntityTooLarge),
    "5.00": p => p.respond(Code.InternalServerError),
    "5.03": p => p.respond(Code.ServiceUnavailable, undefined, 5),
    "an Abort": p => p.connection.stream.write(encodeFrame(message(Code.Abort))),
    "a Release": p => p.connection.stream.write(encodeFrame(message(Code.Release))),
    "the end of the stream": p => p.connection.stream.end(),
    "bytes that are no CoAP": p => p.connection.stream.write(Buffer.alloc(600, 0xff)),
    "an announced gigabyte": p => p.connection.stream.write(Buffer.from("f07fffffff44", "hex")),
}

for (const [what, fault] of Object.entries(faults))
    test(`${what}: the reading is kept, the same bytes come again, nothing is lost`, async () => {
        // The second envelope fails three times, the fifth once.
        const wrong = [1, 2, 3, 7]
        const { router, run, panics } = await start({
            count: 12,
            prepare: r => {
                r.onPost = post => {
                    if (wrong.includes(r.posts.length - 1)) fault(post)
                    else post.accept()
                }
            },
        })
        await run(120)
        assert.deepEqual(panics, [])
        assert.deepEqual(router.readings, upTo(12))
        assert.equal(router.lost, 0)
        assert.equal(router.sendings()[1], 4)
    })

test("an invalid receipt does not block the valid one", async () => {
    const { router, run } = await start({
        count: 5,
        prepare: r => {
            r.onPost = post => {
                post.respond(Code.Changed, post.receipt({ key: r.keys.upMac }))
                post.respond(Code.Changed)
                post.accept()
                post.accept()
            }
        },
    })
    await run(15)
    assert.deepEqual(router.readings, upTo(5))
    assert.deepEqual(router.sendings(), [1, 1, 1, 1, 1])
})

test("a late receipt and a split one are accepted", async () => {
    const { router, run, clock } = await start({
        count: 5,
        prepare: r => {
            r.onPost = post => {
                r.accepted(post)
                const frame = post.frame(Code.Changed, post.receipt())
                const bytes = [...frame].map(byte => Uint8Array.of(byte))
                bytes.forEach((byte, i) => clock.setTimeout(() => post.connection.stream.write(byte), i * 70))
            }
        },
    })
    await run(60)
    assert.deepEqual(router.readings, upTo(5))
    assert.equal(router.connections.length, 1)
})

test("the connection may break at every byte of an exchange", async () => {
    const requestBytes = 190
    const responseBytes = 110
    let cut = 0
    let served = 0
    const { router, run, panics } = await start({
        count: 900,
        everyMs: 700,
        prepare: r => {
            // Each connection completes one envelope, then breaks one byte later in the next exchange.
            r.onConnection = () => (served = 0)
            r.onPost = post => {
                served++
                if (served === 1) {
                    post.accept()
                    if (cut < requestBytes) post.connection.bytesLeft = ++cut
                } else {
                    r.accepted(post)
                    const frame = post.frame(Code.Changed, post.receipt())
                    post.connection.stream.write(frame.subarray(0, cut++ - requestBytes))
                    post.connection.stream.end()
                }
            }
        },
    })
    await run(3000, () => cut > requestBytes + responseBytes)
    assert.ok(cut > requestBytes + responseBytes, `only up to byte ${cut}`)
    assert.deepEqual(panics, [])
    assert.deepEqual(router.readings, upTo(router.readings.length))
    assert.ok(router.readings.length > requestBytes + responseBytes)
    assert.equal(router.lost, 0)
})

test("5.03 is waited out on the same connection, as long as Max-Age says", async () => {
    const { router, run } = await start({
        count: 3,
        prepare: r => {
            r.onPost = post =>
                r.posts.length === 1 ? post.respond(Code.ServiceUnavailable, undefined, 30) : post.accept()
        },
    })
    await run(60)
    assert.equal(router.connections.length, 1)
    const [first, second] = router.posts
    const waitedS = (second!.at - first!.at) / 1000
    assert.ok(waitedS >= 30 && waitedS <= 40, `${waitedS} s`)
    assert.deepEqual(router.readings, upTo(3))
})

test("silence ends the connection; attempts back off, up to a minute", async () => {
    const { router, run } = await start({ count: 3, prepare: r => (r.onPost = () => {}) })
    await run(900)
    assert.equal(router.sendings().length, 1)
    const gapsS = router.posts.slice(1).map((p, i) => (p.at - router.posts[i]!.at) / 1000)
    assert.ok(gapsS[0]! < 12, `${gapsS}`)
    assert.ok(Math.max(...gapsS) < 72 && gapsS.at(-1)! > 38, `${gapsS}`)
    assert.ok(gapsS.length > 12, `${gapsS}`)
    assert.ok(router.connections.slice(0, -1).every(c => c.isClosed))
    router.onPost = post => post.accept()
    await run(90)
    assert.deepEqual(router.readings, upTo(3))
})

test("a refused envelope is retried over a new connection, at growing intervals, and logged once", async () => {
    const refuse = (post: Post) => post.respond(Code.Forbidden)
    const { router, run, lines } = await start({ count: 3, prepare: r => (r.onPost = refuse) })
    await run(3600)
    assert.equal(router.sendings().length, 1)
    assert.equal(router.connections.length, router.posts.length)
    const gapsS = router.posts.slice(1).map((p, i) => (p.at - router.posts[i]!.at) / 1000)
    assert.ok(gapsS[0]! < 2 && Math.max(...gapsS) <= 301 && gapsS.at(-1)! >= 150, `${gapsS}`)
    assert.deepEqual(lines.slice(1), ["the router refuses: 4.03"])
    router.onPost = post => post.accept()
    await run(310)
    assert.deepEqual(router.readings, upTo(3))
})

test("readings beyond the queue of 30 minutes arrive in summaries, with exact counts", async () => {
    const count = 1400
    const { router, run, panics } = await start({ count, everyMs: 500, prepare: r => (r.isReachable = false) })
    await run(count * 0.5 + 10)
    router.isReachable = true
    await run(240)
    assert.deepEqual(panics, [])
    assert.equal(router.arrived + router.lost, count)
    assert.deepEqual(router.readings.slice(-800), upTo(count).slice(-800))
})

test("readings become summaries while an envelope is in flight: all are counted once", async () => {
    const count = 1400
    const { router, run } = await start({ count, everyMs: 500, prepare: r => (r.onPost = () => {}) })
    await run(count * 0.5 + 10)
    router.onPost = post => post.accept()
    await run(240)
    assert.equal(router.arrived + router.lost, count)
    assert.equal(router.readings[0], 0)
    assert.deepEqual(router.readings.slice(-800), upTo(count).slice(-800))
})

test("catching up puts thirty readings into an envelope of about 200 bytes", async () => {
    const { router, run } = await start({ count: 60, everyMs: 1000, prepare: r => (r.isReachable = false) })
    await run(55)
    router.isReachable = true
    await run(70)
    assert.deepEqual(router.readings, upTo(60))
    const sizes = router.posts.map(p => p.envelope.bytes.length)
    const counts = router.posts.map(p => p.measurements.filter(m => m.name === "hr").length)
    assert.deepEqual(counts.slice(0, 3), [1, 30, 29])
    assert.ok(Math.max(...sizes) <= 240, `${Math.max(...sizes)} bytes`)
})

/** The mote's reaction to a peer's messages. */
async function answers(...sent: Parameters<typeof message>[]): Promise<ScriptedConnection> {
    const { router, run, panics } = await start({ count: 3 })
    await run(3)
    const connection = router.connections[0]!
    for (const m of sent) connection.stream.write(encodeFrame(message(...m)))
    await run(6)
    assert.deepEqual(panics, [])
    assert.deepEqual(router.readings, upTo(3))
    return connection
}

test("a Ping gets its Pong, a request its response code", async () => {
    const token = Buffer.from("abcdefgh")
    const nothing = [{ number: 11, value: Buffer.from("nothing") }]
    const status = [{ number: 11, value: Buffer.from("status") }]
    const critical = [{ number: 2049, value: Buffer.alloc(0) }]
    const { others } = await answers(
        [Code.Ping, { token }],
        [Code.GET, { token, options: nothing }],
        [code("0.05"), { token, options: status }],
        [Code.GET, { options: critical }],
        [Code.Empty],
        [Code.Pong],
        [code("2.05"), { token }],
    )
    assert.deepEqual(
        others.map(m => [m.code, Buffer.from(m.token).toString()]),
        [
            [Code.Pong, "abcdefgh"],
            [Code.NotFound, "abcdefgh"],
            [Code.MethodNotAllowed, "abcdefgh"],
            [Code.BadOption, ""],
        ],
    )
})

test("an unknown critical option in a signal is answered with an Abort, and the mote reconnects", async () => {
    const connection = await answers([Code.Ping, { options: [{ number: 1, value: Buffer.alloc(0) }] }])
    assert.equal(connection.others[0]!.code, Code.Abort)
    assert.ok(connection.isClosed)
})
