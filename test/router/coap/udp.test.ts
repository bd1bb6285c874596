import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { silentLog } from "../../../host/log.ts"
import { Code, dotted, message } from "../../../router/coap/message.ts"
import { pathOf } from "../../../router/coap/options.ts"
import type { Notifier, Server } from "../../../router/coap/requester.ts"
import { ackTimeoutMs, CoapUdp, maxRetransmit, piggybackMs } from "../../../router/coap/udp.ts"
import { ManualClock, settle } from "../manual-clock.ts"

const from = { address: "192.0.2.1", port: 40_000 }
const types = ["CON", "NON", "ACK", "RST"]

/** A server, and what it sends, each as `ACK 2.05 1234 token payload`. */
function setUp(serve: Server) {
    const clock = new ManualClock()
    const sent: { line: string; id: number; to: typeof from }[] = []
    const udp = new CoapUdp({
        ...{ clock, serve, log: silentLog },
        random: size => new Uint8Array(size).fill(7),
        send: (bytes, to) => {
            const tokenLength = bytes[0]! & 15
            const id = (bytes[2]! << 8) | bytes[3]!
            const token = Buffer.from(bytes.subarray(4, 4 + tokenLength)).toString("hex")
            const marker = bytes.indexOf(0xff, 4 + tokenLength)
            const payload = marker < 0 ? "" : Buffer.from(bytes.subarray(marker + 1)).toString()
            const type = types[(bytes[0]! >> 4) & 3]
            sent.push({ line: `${type} ${dotted(bytes[1]!)} ${token} ${payload}`.trim(), id, to })
        },
    })
    const receive = async (hex: string, peer = from) => {
        udp.receive(Buffer.from(hex.replaceAll(" ", ""), "hex"), peer)
        await settle()
    }
    const lines = () => sent.splice(0).map(({ line }) => line)
    return { clock, udp, sent, receive, lines }
}

/** CON GET /a with token `t`, message id 0x1234; NON the same. */
const get = "42 01 1234 abcd b1 61"
const nonGet = "52 01 1234 abcd b1 61"

const echo: Server = ({ options }) => message(Code.Content, { payload: Buffer.from(pathOf(options)) })

test("a confirmable request is answered in its acknowledgement", async () => {
    const { receive, sent, clock } = setUp(echo)
    await receive(get)
    assert.deepEqual(
        sent.map(({ line, id, to }) => [line, id, to]),
        [["ACK 2.05 abcd /a", 0x1234, from]],
    )
    assert.equal(clock.waiting, 0)
})

test("a non-confirmable request gets a non-confirmable response", async () => {
    const { receive, lines, clock } = setUp(echo)
    await receive(nonGet)
    assert.deepEqual(lines(), ["NON 2.05 abcd /a"])
    assert.equal(clock.waiting, 0)
})

test("a duplicate is served once and answered again", async () => {
    let served = 0
    const { receive, lines } = setUp(() => message(Code.Changed, { payload: Buffer.from(`${++served}`) }))
    for (let i = 0; i < 3; i++) await receive(get)
    assert.deepEqual(lines(), Array(3).fill("ACK 2.04 abcd 1"))
    await receive(get, { ...from, port: 40_001 })
    assert.deepEqual(lines(), ["ACK 2.04 abcd 2"], "from another port it is another request")
    await receive(nonGet.replace("1234", "1235"))
    await receive(nonGet.replace("1234", "1235"))
    assert.deepEqual(lines(), ["NON 2.04 abcd 3"])
})

test("after its lifetime a message id is a new request", async () => {
    let served = 0
    const { receive, clock } = setUp(() => message(Code.Changed, { payload: Buffer.from(`${++served}`) }))
    await receive(get)
    await clock.advance(246_000)
    await receive(get)
    assert.equal(served, 1)
    await clock.advance(1_000)
    await receive(get)
    assert.equal(served, 2)
})

/** A server that answers when it is told to. */
function slow() {
    let answer = () => {}
    const serve: Server = () => new Promise(resolve => (answer = () => resolve(message(Code.Content))))
    return { serve, answer: () => answer() }
}

test("a late response comes by itself, confirmable, until it is acknowledged", async () => {
    const { serve, answer } = slow()
    const { receive, lines, clock, sent } = setUp(serve)
    await receive(get)
    assert.deepEqual(lines(), [])
    await clock.advance(piggybackMs)
    assert.deepEqual(lines(), ["ACK 0.00"])
    await receive(get)
    assert.deepEqual(lines(), ["ACK 0.00"], "a duplicate is acknowledged again")
    answer()
    await settle()
    const { id } = sent[0]!
    assert.deepEqual(lines(), ["CON 2.05 abcd"])
    await clock.advance(2 * ackTimeoutMs)
    assert.deepEqual(lines(), ["CON 2.05 abcd"], "again")
    await receive(`60 00 ${id.toString(16).padStart(4, "0")}`)
    await clock.advance(1_000_000)
    assert.deepEqual(lines(), [])
    assert.equal(clock.waiting, 0)
})

test("what nobody acknowledges is sent five times", async () => {
    const { serve, answer } = slow()
    const { receive, lines, clock } = setUp(serve)
    await receive(get)
    await clock.advance(piggybackMs)
    answer()
    await clock.advance(1_000_000)
    assert.deepEqual(lines(), ["ACK 0.00", ...Array<string>(1 + maxRetransmit).fill("CON 2.05 abcd")])
    assert.equal(clock.waiting, 0)
})

test("a server that throws answers 5.00 without saying what", async () => {
    const { receive, lines } = setUp(() => {
        throw new Error("secret detail")
    })
    await receive(get)
    assert.deepEqual(lines(), ["ACK 5.00 abcd"])
})

test("a ping, a response to nothing and what is no message are reset; the rest is passed over", async () => {
    const { receive, lines } = setUp(echo)
    for (const hex of [
        "40 00 1234", // ping
        "42 45 1234 abcd", // a response
        "49 01 1234 010203040506070809", // reserved token length
        "44 01 1234 abcd", // token cut short
        "40 01 1234 ff", // payload marker without payload
        "40 01 1234 f0", // reserved option delta
        "40 20 1234", // reserved class
    ]) {
        await receive(hex)
        assert.deepEqual(lines(), ["RST 0.00"], hex)
    }
    for (const hex of [
        "",
        "40",
        "40 01 12",
        "80 01 1234",
        "00 01 1234",
        "50 00 1234",
        "51 45 1234 ab",
        "60 00 9999",
        "70 00 9999",
        "60 01 1234 b1 61",
    ]) {
        await receive(hex)
        assert.deepEqual(lines(), [], hex)
    }
})

test("any datagram is taken without harm", async () => {
    const { udp, receive, lines } = setUp(echo)
    fc.assert(
        fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 0, max: 255 }), (bytes, port) =>
            udp.receive(bytes, { address: "192.0.2.2", port }),
        ),
        { numRuns: 2000 },
    )
    await settle()
    lines()
    await receive(get)
    assert.deepEqual(lines(), ["ACK 2.05 abcd /a"])
})

test("who asks too much in a second is not heard, then heard again; others are", async () => {
    const { receive, lines, clock } = setUp(echo)
    for (let id = 0; id < 100; id++) await receive(`40 01 ${(0x1000 + id).toString(16)} b1 61`)
    assert.equal(lines().length, 64)
    await receive(get, { ...from, address: "192.0.2.9" })
    assert.equal(lines().length, 1)
    await clock.advance(1000)
    await receive(get)
    assert.equal(lines().length, 1)
})

/** A server whose every request observes. */
function observed() {
    const notifiers: Notifier[] = []
    let gone = 0
    const serve: Server = (request, requester) => {
        notifiers.push(requester.notifier(request.token, () => gone++))
        return message(Code.Content)
    }
    const system = setUp(serve)
    const notify = (text: string) => {
        for (const n of notifiers) n.send(message(Code.Content, { payload: Buffer.from(text) }))
    }
    const acknowledge = (type: "60" | "70", id: number) =>
        system.receive(`${type} 00 ${id.toString(16).padStart(4, "0")}`)
    return { ...system, notifiers, notify, acknowledge, gone: () => gone }
}

test("notifications go out one at a time, and only the newest of those that wait", async () => {
    const { receive, notify, lines, sent, acknowledge, gone, clock } = observed()
    await receive(get)
    lines()
    notify("1")
    notify("2")
    notify("3")
    const { id } = sent[0]!
    assert.deepEqual(lines(), ["CON 2.05 abcd 1"])
    await acknowledge("60", id)
    await acknowledge("60", sent[0]!.id)
    assert.deepEqual(lines(), ["CON 2.05 abcd 3"])
    assert.equal(clock.waiting, 0)
    assert.equal(gone(), 0)
})

test("an observer that resets, or is gone, is forgotten", async () => {
    const { receive, notify, lines, sent, acknowledge, gone, clock } = observed()
    await receive(get)
    lines()
    notify("1")
    await acknowledge("70", sent[0]!.id)
    assert.equal(gone(), 1)
    lines()
    notify("2")
    assert.deepEqual(lines(), [])
    await receive(get.replace("1234", "1235"))
    lines()
    notify("3")
    await clock.advance(1_000_000)
    assert.equal(gone(), 2)
    assert.equal(lines().length, 1 + maxRetransmit)
})

test("after its end an observer gets what was sent before, and is not told gone", async () => {
    const { receive, notify, lines, sent, acknowledge, notifiers, gone } = observed()
    await receive(get)
    lines()
    notify("1")
    notify("last")
    notifiers[0]!.end()
    await acknowledge("60", sent[0]!.id)
    assert.deepEqual(lines(), ["CON 2.05 abcd 1", "CON 2.05 abcd last"])
    assert.equal(gone(), 0)
})

test("a thousand strangers do not push an observer out", async () => {
    const { receive, notify, lines, gone } = observed()
    await receive(get)
    for (let port = 1; port < 1500; port++) await receive("40 00 1234", { ...from, port })
    lines()
    assert.equal(gone(), 0)
    notify("still there")
    assert.deepEqual(lines(), ["CON 2.05 abcd still there"])
})

test("closing leaves no timer and tells observers' servers", async () => {
    const { receive, notify, udp, gone, clock } = observed()
    await receive(get)
    notify("1")
    udp.close()
    assert.equal(gone(), 1)
    assert.equal(clock.waiting, 0)
})
