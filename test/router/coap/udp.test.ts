import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { silentLog } from "../../../host/log.ts"
import { Code, dotted, message } from "../../../router/coap/message.ts"
import { decodeOptionsAndPayload, OptionNumber, pathOf } from "../../../router/coap/options.ts"
import type { Notifier, Server } from "../../../router/coap/requester.ts"
import { ackTimeoutMs, maxRetransmit } from "../../../router/coap/udp-peer.ts"
import { CoapUdp, maxPerAddress, maxUnverified, piggybackMs } from "../../../router/coap/udp.ts"
import { ManualClock, settle } from "../../support/clock.ts"

const from = { address: "192.0.2.1", port: 40_000 }
const types = ["CON", "NON", "ACK", "RST"]

/** A server, and what it sends, each as `ACK 2.05 1234 token payload`. */
function setUp(serve: Server) {
    const clock = new ManualClock()
    const sent: { line: string; id: number; to: typeof from; bytes: Uint8Array }[] = []
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
            sent.push({ line: `${type} ${dotted(bytes[1]!)} ${token} ${payload}`.trim(), id, to, bytes })
        },
    })
    const receive = async (hex: string, peer = from) => {
        udp.receive(Buffer.from(hex.replaceAll(" ", ""), "hex"), peer)
        await settle()
    }
    const lines = () => sent.splice(0).map(({ line }) => line)
    /** The peer shows that its address is its own, as it has to before it observes. */
    const verify = async (peer = from) => {
        await receive("51 01 0fff ee 60 51 62", peer) // NON GET /b, Observe: 0
        const { bytes } = sent.pop()!
        assert.equal(dotted(bytes[1]!), "4.01")
        const { options } = decodeOptionsAndPayload(bytes.subarray(5))
        const echo = options.find(({ number }) => number === OptionNumber.Echo)!.value
        // Uri-Path "b" (11), then Echo: 241 further on.
        await receive(`51 01 1fff ee b1 62 d8 e4 ${Buffer.from(echo).toString("hex")}`, peer)
        sent.splice(0)
        return echo
    }
    return { clock, udp, sent, receive, lines, verify }
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
    const { receive, lines, clock, sent, verify } = setUp(serve)
    const verifying = verify()
    answer()
    await verifying
    answer()
    await settle()
    sent.splice(0)
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
    const { receive, lines, clock, sent, verify } = setUp(serve)
    await verify()
    answer()
    await settle()
    sent.splice(0)
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

test("who asks too much in a second, on whatever ports, is not heard, then heard again; others are", async () => {
    const { receive, lines, clock } = setUp(echo)
    for (let id = 0; id < 100; id++)
        await receive(`40 01 ${(0x1000 + id).toString(16)} b1 61`, { ...from, port: 1000 + id })
    assert.equal(lines().length, maxPerAddress)
    for (let id = 0; id < 100; id++) {
        const address = `2001:db8::${id.toString(16)}`
        await receive(`40 01 ${(0x1000 + id).toString(16)} b1 61`, { address, port: 1000 })
    }
    assert.equal(lines().length, maxPerAddress, "a /64 is one owner's")
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
        notifiers.push(requester.addObserver(request.token, () => gone++))
        return message(Code.Content)
    }
    const system = setUp(serve)
    const prepare = async () => {
        await system.verify()
        for (const notifier of notifiers.splice(0)) notifier.end()
    }
    const notify = (text: string) => {
        for (const n of notifiers) n.send(message(Code.Content, { payload: Buffer.from(text) }))
    }
    const acknowledge = (type: "60" | "70", id: number) =>
        system.receive(`${type} 00 ${id.toString(16).padStart(4, "0")}`)
    return { ...system, prepare, notifiers, notify, acknowledge, gone: () => gone }
}

test("notifications go out one at a time, and only the newest of those that wait", async () => {
    const { prepare, receive, notify, lines, sent, acknowledge, gone, clock } = observed()
    await prepare()
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
    const { prepare, receive, notify, lines, sent, acknowledge, gone, clock } = observed()
    await prepare()
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
    const { prepare, receive, notify, lines, sent, acknowledge, notifiers, gone } = observed()
    await prepare()
    await receive(get)
    lines()
    notify("1")
    notify("last")
    notifiers[0]!.end()
    await acknowledge("60", sent[0]!.id)
    assert.deepEqual(lines(), ["CON 2.05 abcd 1", "CON 2.05 abcd last"])
    assert.equal(gone(), 0)
})

test("thousands of strangers do not push an observer out, nor keep it from being heard", async () => {
    const { receive, notify, lines, gone, prepare, clock } = observed()
    await prepare()
    await receive(get)
    for (let second = 0; second < 3; second++) {
        for (let i = 0; i < 1500; i++) await receive("40 00 1234", { address: `10.0.${i >> 8}.${i & 255}`, port: 1 })
        assert.ok(lines().length <= maxUnverified)
        await receive(get.replace("1234", `123${second + 5}`).replaceAll("abcd", `abc${second}`))
        assert.deepEqual(lines(), [`ACK 2.05 abc${second}`])
        await clock.advance(1000)
    }
    lines()
    assert.equal(gone(), 0)
    notify("still there")
    assert.equal(lines()[0], "CON 2.05 abcd still there")
})

test("closing leaves no timer and tells observers' servers", async () => {
    const { prepare, receive, notify, udp, gone, clock } = observed()
    await prepare()
    await receive(get)
    notify("1")
    udp.close()
    assert.equal(gone(), 1)
    assert.equal(clock.waiting, 0)
})

test("an observer first shows that its address is its own; a forged or stale Echo does not do", async () => {
    let served = 0
    const { receive, lines, verify, clock } = setUp(() => {
        served++
        return message(Code.Content)
    })
    const observe = (id: string) => `41 01 ${id} aa 60 51 62`
    await receive(observe("1000"))
    assert.deepEqual(lines(), ["ACK 4.01 aa"])
    assert.equal(served, 0)
    for (const forged of ["d8 e4 0000000000000000", "d1 e4 00"]) {
        await receive(`41 01 1001 aa 60 51 62 ${forged}`)
        assert.deepEqual(lines(), ["ACK 4.01 aa"])
    }
    const echo = await verify()
    await receive(observe("1002"))
    assert.deepEqual(lines(), ["ACK 2.05 aa"])
    await clock.advance(601_000)
    await receive(observe("1003"))
    assert.deepEqual(lines(), ["ACK 4.01 aa"], "after a while again")
    await receive(`41 01 1004 aa 60 51 62 d8 e4 ${Buffer.from(echo).toString("hex")}`)
    assert.deepEqual(lines(), ["ACK 4.01 aa"], "the value is too old")
    await verify()
    const other = { ...from, port: 9 }
    await receive(observe("1005"), other)
    assert.deepEqual(lines(), ["ACK 4.01 aa"], "another port is another peer")
})

test("no forged address gets more than three times the bytes of the question", async () => {
    const { receive, sent, verify, lines } = setUp(() => message(Code.Content, { payload: new Uint8Array(1000) }))
    for (const question of ["40 01 1234", "41 01 1235 aa", get, "42 01 1236 abcd b1 61 0d 10 " + "61".repeat(29)]) {
        await receive(question)
        const { bytes, line } = sent.pop()!
        assert.match(line, /4\.01/)
        assert.ok(bytes.length <= 3 * (question.replaceAll(" ", "").length / 2), question)
        assert.equal(sent.length, 0)
    }
    await verify()
    await receive(get.replace("1234", "1240"))
    assert.match(lines()[0]!, /^ACK 2\.05 abcd/)
})

test("a late answer to an address that may be forged is sent once", async () => {
    const { serve, answer } = slow()
    const { receive, lines, clock } = setUp(serve)
    await receive(get)
    await clock.advance(piggybackMs)
    answer()
    await clock.advance(1_000_000)
    assert.deepEqual(lines(), ["ACK 0.00", "NON 2.05 abcd"])
})

test("the same port and message id with another request is another request", async () => {
    const { receive, lines } = setUp(echo)
    await receive("42 01 0001 abcd b1 61")
    await receive("42 01 0001 beef b1 62")
    assert.deepEqual(lines(), ["ACK 2.05 abcd /a", "ACK 2.05 beef /b"])
    await receive("42 01 0001 beef b1 62")
    assert.deepEqual(lines(), ["ACK 2.05 beef /b"])
    await receive("42 01 0001 cafe b1 62")
    assert.deepEqual(lines(), ["ACK 2.05 cafe /b"], "another token is another request")
})
