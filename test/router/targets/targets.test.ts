import assert from "node:assert/strict"
import { createSocket, type Socket } from "node:dgram"
import { createServer } from "node:net"
import { test, type TestContext } from "node:test"
import { realClock } from "../../../host/clock.ts"
import { silentLog } from "../../../host/log.ts"
import { HttpRequester } from "../../../router/browser/http-requester.ts"
import { blockOption } from "../../../router/coap/block.ts"
import { encode, header, parse, Type } from "../../../router/coap/datagram.ts"
import { Code, dotted, message, type CoapMessage } from "../../../router/coap/message.ts"
import { OptionNumber, pathOptions, uintOption } from "../../../router/coap/options.ts"
import { AllowedTargets } from "../../../router/targets/allowed.ts"
import { TargetError, Targets } from "../../../router/targets/targets.ts"
import { until } from "../../support/until.ts"

type Answer = (request: CoapMessage, messageId: number, send: (bytes: Uint8Array) => void) => void

/** A server of which each datagram is the test's. */
async function udpServer(t: TestContext, answer: Answer): Promise<{ port: number; socket: Socket; got: Buffer[] }> {
    const socket = createSocket("udp4")
    const got: Buffer[] = []
    socket.on("message", (bytes, from) => {
        got.push(bytes)
        const request = parse(bytes)
        if (request && request.code !== Code.Empty)
            answer(request, bytes.readUInt16BE(2), reply => socket.send(reply, from.port, from.address))
    })
    await new Promise<void>(resolve => socket.bind(0, "127.0.0.1", resolve))
    t.after(() => socket.close())
    return { port: socket.address().port, socket, got }
}

function targetsOf(t: TestContext, list: string, resolve?: (name: string) => Promise<string[]>): Targets {
    const targets = new Targets({
        ...{ allowed: new AllowedTargets(list), clock: realClock, log: silentLog },
        ...(resolve && { resolve }),
    })
    t.after(() => targets.close())
    return targets
}

const get = (path: string, ...options: CoapMessage["options"]) =>
    message(Code.GET, { token: Buffer.from("0102030405060708", "hex"), options: [...pathOptions(path), ...options] })
const content = (request: CoapMessage, text: string | Uint8Array, options: CoapMessage["options"] = []) =>
    message(Code.Content, { token: request.token, options, payload: Buffer.from(text) })

async function statusOf(work: Promise<unknown>): Promise<number> {
    return await work.then(
        () => 200,
        (error: unknown) => {
            assert.ok(error instanceof TargetError, String(error))
            return error.status
        },
    )
}

test("only what the list has; a name is resolved once, and the address that was checked is asked", async t => {
    let asked = 0
    const answers: Record<string, string[]> = {
        "good.example": ["127.0.0.1", "10.9.9.9"],
        "rebound.example": ["127.0.0.1"],
        "inside.example": ["192.0.2.1", "10.1.1.1"],
    }
    const targets = targetsOf(t, "good.example,10.0.0.0/8", name => {
        asked++
        return answers[name] ? Promise.resolve(answers[name]) : Promise.reject(new Error("ENOTFOUND"))
    })
    // Loopback is not named: of a listed name only another address is a target.
    assert.equal((await targets.find("coap://good.example")).address, "10.9.9.9")
    assert.equal(asked, 1)
    assert.deepEqual(await targets.find("coap+tcp://inside.example:5683"), {
        ...{ scheme: "coap+tcp", address: "10.1.1.1", port: 5683 },
        options: [{ number: OptionNumber.UriHost, value: Buffer.from("inside.example") }],
    })
    assert.equal(await statusOf(targets.find("coap://rebound.example")), 403)
    assert.equal(await statusOf(targets.find("coap://nowhere.example")), 502)
    const before = asked
    assert.equal(await statusOf(targets.find("coap://good.example:1234")), 403)
    assert.equal(await statusOf(targets.find("coap://127.0.0.1")), 403)
    assert.equal(await statusOf(targets.find("coap://[::ffff:7f00:1]")), 403)
    for (const bad of [
        "coaps://10.1.1.1",
        "coap://",
        "coap://user@10.1.1.1",
        "coap://10.1.1.1:0",
        "coap://[10.1.1.1]",
        "coap://10.1.1.1:99999",
    ])
        assert.equal(await statusOf(targets.find(bad)), 400, bad)
    assert.equal(asked, before, "a name that cannot be a target is not even resolved")
})

test("a lost response is asked for again, a separate one acknowledged, Echo returned, blocks assembled", async t => {
    let losses = 1
    const body = Buffer.alloc(150, "x")
    const { port, got } = await udpServer(t, (request, id, send) => {
        const path = request.options.filter(({ number }) => number === OptionNumber.UriPath).map(o => String(o.value))
        switch (path[0]) {
            case "lost":
                if (losses-- === 0) send(encode(Type.acknowledgement, id, content(request, "late")))
                return
            case "separate":
                send(header(Type.acknowledgement, Code.Empty, id))
                send(encode(Type.confirmable, 7, content(request, "separate")))
                return
            case "fresh": {
                const echo = { number: OptionNumber.Echo, value: Buffer.from("00ff", "hex") }
                const has = request.options.some(
                    ({ number, value }) => number === OptionNumber.Echo && value[1] === 0xff,
                )
                const response = message(Code.Unauthorized, { token: request.token, options: [echo] })
                send(encode(Type.acknowledgement, id, has ? content(request, "fresh") : response))
                return
            }
            case "long": {
                const block = request.options.find(({ number }) => number === OptionNumber.Block2)?.value[0] ?? 2
                const num = block >> 4
                const part = body.subarray(64 * num, 64 * num + 64)
                const option = blockOption(OptionNumber.Block2, { num, more: 64 * num + 64 < body.length, szx: 2 })
                send(encode(Type.acknowledgement, id, content(request, part, [option])))
                return
            }
            case "reset":
                send(header(Type.reset, Code.Empty, id))
        }
    })
    const targets = targetsOf(t, `127.0.0.1:${port}`)
    const serve = await targets.serverAt(`coap://127.0.0.1:${port}`)
    const ask = async (path: string) => await serve(get(path), new HttpRequester("192.0.2.1"))
    assert.equal(String((await ask("/lost")).payload), "late")
    assert.equal(String((await ask("/separate")).payload), "separate")
    await until(() => got.some(bytes => bytes[0] === 0x60 && bytes.readUInt16BE(2) === 7), "it is acknowledged")
    assert.equal(String((await ask("/fresh")).payload), "fresh")
    const long = await ask("/long")
    assert.deepEqual(Buffer.from(long.payload), body)
    assert.deepEqual(
        long.options.map(({ number, value }) => [number, ...value]),
        [[OptionNumber.Block2, ...blockOption(OptionNumber.Block2, { num: 2, more: false, szx: 2 }).value]],
    )
    assert.equal(dotted((await ask("/reset")).code), "5.02")
})

test("an observation over UDP: notifications in order, a reset once it is over", async t => {
    let answerTo: { request: CoapMessage; send: (bytes: Uint8Array) => void } | undefined
    const { port, got } = await udpServer(t, (request, id, send) => {
        const observe = request.options.find(({ number }) => number === OptionNumber.Observe)
        if (observe?.value.length === 0) {
            answerTo = { request, send }
            send(encode(Type.acknowledgement, id, content(request, "0", [uintOption(OptionNumber.Observe, 10)])))
        }
    })
    const targets = targetsOf(t, `127.0.0.1:${port}`)
    const serve = await targets.serverAt(`coap://127.0.0.1:${port}`)
    const requester = new HttpRequester("192.0.2.1")
    const seen: string[] = []
    requester.notified = response => void seen.push(String(response.payload))
    const first = await serve(get("/time", uintOption(OptionNumber.Observe, 0)), requester)
    assert.equal(String(first.payload), "0")
    const notify = (id: number, observe: number, text: string) =>
        answerTo!.send(
            encode(Type.confirmable, id, content(answerTo!.request, text, [uintOption(OptionNumber.Observe, observe)])),
        )
    notify(1, 12, "2")
    notify(2, 11, "old")
    notify(1, 12, "2") // a duplicate
    notify(3, 13, "3")
    await until(() => seen.length === 2, "both have come")
    assert.deepEqual(seen, ["2", "3"])
    const deregistered = () =>
        got
            .map(bytes => parse(bytes))
            .some(m => m?.options.some(o => o.number === OptionNumber.Observe && o.value[0] === 1))
    assert.ok(!deregistered())
    requester.close()
    await until(deregistered, "the server is told")
})

test("32 servers at a time; a port where nobody is, or somebody who speaks no CoAP", async t => {
    const { port, got } = await udpServer(t, () => {})
    const silent = createServer(socket => socket.end("SSH-2.0-none\r\n")).listen(0, "127.0.0.1")
    t.after(() => silent.close())
    await new Promise(resolve => silent.once("listening", resolve))
    const tcpPort = (silent.address() as { port: number }).port
    const targets = targetsOf(t, `127.0.0.1:${port},127.0.0.1:${tcpPort},127.0.0.1:1`)
    const at = async (uri: string) => await (await targets.serverAt(uri))(get("/"), new HttpRequester("192.0.2.1"))
    assert.equal(dotted((await at(`coap+tcp://127.0.0.1:${tcpPort}`)).code), "5.02")
    assert.equal(dotted((await at("coap+tcp://127.0.0.1:1")).code), "5.02")
    assert.equal(dotted((await at("coap://127.0.0.1:1")).code), "5.02")
    const waiting = Array.from({ length: 32 }, () => at(`coap://127.0.0.1:${port}`))
    await until(() => got.length >= 32, "all are asked")
    assert.equal(dotted((await at(`coap://127.0.0.1:${port}`)).code), "5.03")
    targets.close()
    for (const response of await Promise.all(waiting)) assert.equal(dotted(response.code), "5.02")
})
