import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { silentLog } from "../../../host/log.ts"
import { CoapConnection, maxConcurrentRequests } from "../../../router/coap/connection.ts"
import type { Server } from "../../../router/coap/requester.ts"
import { encodeFrame, FrameReader } from "../../../router/coap/frame.ts"
import { Code, dotted, message, type CoapMessage } from "../../../router/coap/message.ts"
import { pathOptions, uintOption, uintValue } from "../../../router/coap/options.ts"
import {
    handshakeMs,
    idleMs,
    lingerMs,
    maxBacklogBytes,
    maxMessageBytes,
    maxUnproductive,
    pongMs,
    unproductiveWindowMs,
} from "../../../router/coap/session.ts"
import { ManualClock, settle } from "../../support/clock.ts"
import type { PipeEnd } from "../../../sim/time/pipe.ts"
import { streamPair } from "../../support/stream-pair.ts"

/** A connection whose peer is raw bytes. */
class RawPeer {
    readonly clock = new ManualClock()
    readonly received: CoapMessage[] = []
    readonly served: CoapMessage[] = []
    readonly connection: CoapConnection
    /** The connection's end of the stream. */
    readonly theirs: PipeEnd
    closed = 0
    private readonly ours: PipeEnd
    private readonly reader = new FrameReader(65_536)

    constructor(serve: Server = () => message(Code.Content, { payload: Buffer.from("served") })) {
        ;[this.ours, this.theirs] = streamPair()
        this.connection = new CoapConnection({
            stream: this.theirs,
            clock: this.clock,
            random: n => new Uint8Array(n).fill(5),
            serve: request => {
                this.served.push(request)
                return serve(request, this.connection)
            },
            onClose: () => this.closed++,
            log: silentLog,
        })
        this.ours.listen({
            data: bytes => this.received.push(...this.reader.push(bytes)),
            closed: () => {},
        })
        this.connection.start()
    }

    async send(...messages: (CoapMessage | Uint8Array)[]): Promise<void> {
        for (const m of messages) this.ours.write(m instanceof Uint8Array ? m : encodeFrame(m))
        await settle()
    }

    /** Codes received so far, ours after the CSM first. */
    get codes(): string[] {
        return this.received.map(m => dotted(m.code))
    }

    /** The Abort that ended the connection; fails where there is none. */
    get abort(): CoapMessage {
        const last = this.received.at(-1)!
        assert.equal(dotted(last.code), "7.05")
        assert.ok(last.payload.length > 0, "an Abort says why")
        return last
    }
}

const csm = message(Code.CSM)
const get = message(Code.GET, { options: pathOptions("/x"), token: Uint8Array.of(1, 2) })
const post = message(Code.POST, { options: pathOptions("/x") })
const hex = (text: string) => Buffer.from(text, "hex")

test("our CSM comes first and announces what we take", async () => {
    const peer = new RawPeer()
    await settle()
    assert.deepEqual(peer.codes, ["7.01"])
    const { options } = peer.received[0]!
    assert.equal(uintValue(options, 2), maxMessageBytes)
    assert.ok(
        options.some(({ number, value }) => number === 4 && value.length === 0),
        "Block-Wise-Transfer",
    )
})

test("a request after the CSM is served with its token", async () => {
    const peer = new RawPeer()
    await peer.send(csm, get)
    assert.deepEqual(peer.codes, ["7.01", "2.05"])
    assert.deepEqual([...peer.received[1]!.token], [1, 2])
})

for (const [what, first] of [
    ["a request", get],
    ["a response", message(Code.Content)],
    ["a Ping", message(Code.Ping)],
    ["an Abort", message(Code.Abort)],
] as const)
    test(`${what} before the CSM is answered with Abort and the connection closed`, async () => {
        const peer = new RawPeer()
        await peer.send(first, csm, get)
        assert.deepEqual(peer.codes, ["7.01", "7.05"])
        assert.match(Buffer.from(peer.abort.payload).toString(), /CSM/)
        assert.deepEqual(peer.served, [])
        assert.equal(peer.closed, 1)
    })

for (const [what, bytes] of [
    ["a reserved token length", hex("0901000000000000000000")],
    ["a huge announced length", hex("f0ffffffff02")],
    ["one byte more than we take", encodeFrame(message(Code.POST, { payload: new Uint8Array(maxMessageBytes) }))],
    ["a reserved code class", hex("0020")],
    ["an option cut short", hex("100101")],
    ["a payload marker without payload", hex("1001ff")],
] as const)
    test(`${what} is answered with Abort and the connection closed`, async () => {
        const peer = new RawPeer()
        await peer.send(csm, bytes, get)
        assert.deepEqual(peer.codes, ["7.01", "7.05"])
        assert.ok(peer.abort)
        assert.deepEqual(peer.served, [])
        assert.equal(peer.closed, 1)
    })

test("an unknown critical CSM option is named in the Abort", async () => {
    const peer = new RawPeer()
    await peer.send(message(Code.CSM, { options: [uintOption(2, 2000), uintOption(77, 1)] }))
    assert.equal(uintValue(peer.abort.options, 2), 77)
    assert.equal(peer.closed, 1)
})

test("an unknown critical option in a Ping is answered with Abort", async () => {
    const peer = new RawPeer()
    await peer.send(csm, message(Code.Ping, { options: [uintOption(1, 1)] }))
    assert.equal(peer.abort.options.length, 0)
})

test("elective CSM options, more CSMs and unknown signals are passed over", async () => {
    const peer = new RawPeer()
    const options = [uintOption(2, 2000), uintOption(4, 0), uintOption(78, 1)]
    await peer.send(message(Code.CSM, { options }), csm, message(0xff), get)
    assert.deepEqual(peer.codes, ["7.01", "2.05"])
})

test("empty messages are ignored, before the CSM, too", async () => {
    const peer = new RawPeer()
    await peer.send(message(Code.Empty), csm, message(Code.Empty, { token: hex("01") }), get)
    assert.deepEqual(peer.codes, ["7.01", "2.05"])
})

test("a Ping is answered with a Pong of the same token", async () => {
    const peer = new RawPeer()
    await peer.send(csm, message(Code.Ping, { token: hex("aabb") }))
    assert.deepEqual(peer.codes, ["7.01", "7.03"])
    assert.equal(Buffer.from(peer.received[1]!.token).toString("hex"), "aabb")
})

test("a Release closes after what was asked is answered", async () => {
    const peer = new RawPeer()
    await peer.send(csm, get, message(Code.Release))
    assert.deepEqual(peer.codes, ["7.01", "2.05"])
    assert.equal(peer.closed, 1)
})

test("an Abort closes at once", async () => {
    const peer = new RawPeer()
    await peer.send(csm, message(Code.Abort))
    assert.deepEqual(peer.codes, ["7.01"])
    assert.equal(peer.closed, 1)
})

test("a peer that never sends a CSM is aborted after a while, one byte or none", async () => {
    for (const bytes of [hex(""), hex("f0")]) {
        const peer = new RawPeer()
        await peer.send(bytes)
        await peer.clock.advance(handshakeMs - 1)
        assert.equal(peer.closed, 0)
        await peer.clock.advance(1)
        assert.ok(peer.abort)
        assert.equal(peer.closed, 1)
        assert.equal(peer.clock.waiting, 0)
    }
})

test("a silent peer gets a Ping and is let go when nothing comes back", async () => {
    const peer = new RawPeer()
    await peer.send(csm)
    await peer.clock.advance(idleMs)
    assert.deepEqual(peer.codes, ["7.01", "7.02"])
    await peer.clock.advance(pongMs - 1)
    assert.equal(peer.closed, 0)
    await peer.clock.advance(1)
    assert.equal(peer.closed, 1)
    assert.equal(peer.clock.waiting, 0)
})

test("a peer that sends a byte now and then without finishing a message is let go, too", async () => {
    const peer = new RawPeer()
    await peer.send(csm, hex("e0"))
    for (let i = 0; i < 20; i++) {
        await peer.clock.advance((idleMs + pongMs) / 20)
        await peer.send(hex("00"))
    }
    assert.equal(peer.closed, 1)
})

test("a silent peer that answers Pings stays", async () => {
    const peer = new RawPeer()
    await peer.send(csm)
    for (let i = 0; i < 10; i++) {
        await peer.clock.advance(idleMs)
        await peer.send(message(Code.Pong))
    }
    assert.equal(peer.closed, 0)
    assert.equal(peer.codes.filter(c => c === "7.02").length, 10)
})

test("a peer that talks gets no Ping", async () => {
    const peer = new RawPeer()
    await peer.send(csm)
    for (let i = 0; i < 10; i++) {
        await peer.clock.advance(idleMs * 0.9)
        await peer.send(get)
    }
    assert.ok(!peer.codes.includes("7.02"))
})

for (const [where, stepMs] of [
    ["back", -86_400_000],
    ["forth", 86_400_000],
] as const)
    test(`a clock that steps a day ${where} changes nothing for a silent peer`, async () => {
        const peer = new RawPeer()
        await peer.send(csm)
        peer.clock.step(stepMs)
        await peer.clock.advance(idleMs - 1)
        assert.deepEqual(peer.codes, ["7.01"])
        await peer.clock.advance(1)
        assert.deepEqual(peer.codes, ["7.01", "7.02"])
        peer.clock.step(stepMs)
        await peer.clock.advance(pongMs)
        assert.equal(peer.closed, 1)
    })

for (const [what, unproductive, serve] of [
    ["Empty messages", message(Code.Empty), undefined],
    ["Pings", message(Code.Ping), undefined],
    ["Pongs", message(Code.Pong), undefined],
    ["CSMs", csm, undefined],
    ["unknown signals", message(0xff), undefined],
    ["requests that only look", get, undefined],
    ["requests that fail", post, () => message(Code.Unauthorized)],
    ["envelopes that are played back", post, () => message(Code.Changed)],
    ["responses nobody asked for", message(Code.Content), undefined],
] as [string, CoapMessage, Server | undefined][])
    test(`a flood of ${what} ends in an Abort, the rest is not looked at`, async () => {
        const peer = new RawPeer(serve)
        const flood = Buffer.concat(Array(100_000).fill(encodeFrame(unproductive)) as Uint8Array[])
        await peer.send(csm, Buffer.concat([flood, encodeFrame(post)]))
        assert.match(Buffer.from(peer.abort.payload).toString(), /too many/)
        assert.ok(peer.received.length <= 1 + maxUnproductive + 1)
        assert.ok(!peer.served.includes(post) && peer.served.length <= maxUnproductive)
        assert.equal(peer.closed, 1)
        assert.equal(peer.clock.waiting, 0)
    })

test("large messages and many options cost more than small ones", async () => {
    for (const [large, times] of [
        [message(Code.POST, { payload: new Uint8Array(8000) }), 8],
        [message(Code.POST, { options: Array.from({ length: 64 }, () => uintOption(15, 0)) }), 15],
    ] as const) {
        const peer = new RawPeer(() => message(Code.BadRequest))
        await peer.send(csm)
        for (let i = 1; i < times; i++) await peer.send(large)
        assert.equal(peer.closed, 0)
        await peer.send(large)
        assert.match(Buffer.from(peer.abort.payload).toString(), /too many/)
    }
})

test("a message of more options than any needs ends the connection before they are looked at", async () => {
    const peer = new RawPeer()
    const options = Array.from({ length: 65 }, () => uintOption(15, 0))
    await peer.send(csm, message(Code.GET, { options }))
    assert.match(Buffer.from(peer.abort.payload).toString(), /more than 64 options/)
    assert.deepEqual(peer.served, [])
})

test("Empty messages count before the CSM, too, and in many pieces", async () => {
    const peer = new RawPeer()
    for (let i = 0; i < maxUnproductive; i++) await peer.send(message(Code.Empty))
    assert.equal(peer.closed, 0)
    await peer.send(message(Code.Empty))
    assert.ok(peer.abort)
})

test("a mote is never taken for a flood: batches, refused ones, pings, fast posts", async () => {
    let code: number = Code.Changed
    const peer = new RawPeer((_, requester) => {
        if (code === Code.Changed) requester.envelopeAccepted("0000000000000001")
        return message(code)
    })
    const batch = Array<CoapMessage>(32).fill(post)
    await peer.send(csm)
    for (let i = 0; i < 100; i++) await peer.send(...batch) // all within one instant
    for (let i = 0; i < 300; i++) {
        code = i % 2 ? Code.Changed : Code.Unauthorized
        await peer.send(...batch, message(Code.Ping), message(Code.Empty))
        await peer.clock.advance(2_000)
    }
    assert.equal(peer.closed, 0)
    assert.equal(peer.codes.filter(c => c === "2.04" || c === "4.01").length, 400 * batch.length)
})

test("a clock that steps back does not add up a mote's Pings to a flood", async () => {
    const peer = new RawPeer()
    await peer.send(csm, message(Code.Ping))
    peer.clock.step(-86_400_000)
    for (let i = 0; i < 2 * maxUnproductive; i++) {
        await peer.send(message(Code.Ping))
        await peer.clock.advance(unproductiveWindowMs)
    }
    assert.equal(peer.closed, 0)
})

test("a peer that does not close after an Abort is cut off", async () => {
    const peer = new RawPeer()
    peer.theirs.end = () => {} // bytes go out, no close comes back
    await peer.send(get)
    assert.equal(peer.closed, 0)
    await peer.clock.advance(lingerMs)
    assert.equal(peer.closed, 1)
    assert.equal(peer.clock.waiting, 0)
})

test("more requests at a time than one peer may have under way get 5.03 with Max-Age", async () => {
    const answer: (() => void)[] = []
    const slow: Server = () => new Promise(resolve => answer.push(() => resolve(message(Code.Content))))
    const peer = new RawPeer(slow)
    await peer.send(csm, ...Array<CoapMessage>(maxConcurrentRequests + 1).fill(get))
    assert.deepEqual(peer.codes, ["7.01", "5.03"])
    assert.equal(uintValue(peer.received[1]!.options, 14), 1)
    answer.forEach(go => go())
    await peer.send(get)
    answer.at(-1)!()
    await settle()
    assert.equal(peer.codes.filter(c => c === "2.05").length, maxConcurrentRequests + 1)
})

test("a peer that does not read is cut off", async () => {
    const peer = new RawPeer()
    let backlog = maxBacklogBytes
    Object.defineProperty(peer.theirs, "backlog", { get: () => backlog, set: () => {} })
    await peer.send(csm, get)
    assert.equal(peer.closed, 0)
    backlog++
    await peer.send(get)
    assert.equal(peer.closed, 1)
})

test("an answer larger than the peer takes ends in an Abort", async () => {
    const peer = new RawPeer()
    await peer.send(message(Code.CSM, { options: [uintOption(2, 9)] }), get)
    assert.ok(peer.abort)
})

test("a stream that was closed before it was accepted is closed once and leaves no timer", async () => {
    const clock = new ManualClock()
    const [ours, theirs] = streamPair()
    ours.destroy()
    await settle()
    let closed = 0
    const connection = new CoapConnection({
        stream: theirs,
        clock,
        random: n => new Uint8Array(n),
        serve: () => csm,
        onClose: () => closed++,
        log: silentLog,
    })
    connection.start()
    await settle()
    assert.equal(closed, 1)
    assert.equal(clock.waiting, 0)
})

test("random bytes never do more than end the connection", async () => {
    await fc.assert(
        fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 60 })), async pieces => {
            const peer = new RawPeer()
            await peer.send(csm, ...pieces)
            await peer.clock.advance(handshakeMs + idleMs + pongMs + lingerMs)
            assert.equal(peer.closed, 1)
            assert.equal(peer.clock.waiting, 0)
        }),
        { numRuns: 100 },
    )
})
