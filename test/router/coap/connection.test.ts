import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import { silentLog } from "../../../host/log.ts"
import { CoapConnection, maxPendingRequests, NoResponseError, responseMs } from "../../../router/coap/connection.ts"
import type { Server } from "../../../router/coap/requester.ts"
import { Code, dotted, message, type CoapMessage } from "../../../router/coap/message.ts"
import { pathOf, pathOptions } from "../../../router/coap/options.ts"
import { ManualClock, settle } from "../../support/clock.ts"
import { streamPair } from "../../support/stream-pair.ts"

const echo: Server = request => message(Code.Content, { payload: Buffer.from(pathOf(request.options)) })

function connected(serveA: Server, serveB: Server = echo) {
    const clock = new ManualClock()
    const [streamA, streamB] = streamPair()
    const end = (stream: typeof streamA, serve: Server) =>
        new CoapConnection({ stream, clock, random: randomBytes, serve, log: silentLog })
    const a = end(streamA, serveA)
    const b = end(streamB, serveB)
    a.start()
    b.start()
    return { clock, a, b, streamA, streamB }
}

const get = (connection: CoapConnection, path: string) => connection.request(Code.GET, { options: pathOptions(path) })

const text = (response: CoapMessage) => Buffer.from(response.payload).toString()

test("both ends ask on one connection", async () => {
    const { a, b } = connected(echo)
    const answers = await Promise.all([get(a, "/from-a"), get(b, "/from-b"), get(a, "/again")])
    assert.deepEqual(answers.map(text), ["/from-a", "/from-b", "/again"])
})

test("responses find their requests in any order", async () => {
    const waiting = new Map<string, () => void>()
    const slow: Server = request =>
        new Promise(resolve => {
            const path = pathOf(request.options)
            waiting.set(path, () => resolve(message(Code.Content, { payload: Buffer.from(path) })))
        })
    const { a } = connected(echo, slow)
    const answers = ["/1", "/2", "/3"].map(path => get(a, path))
    await settle()
    for (const path of ["/2", "/3", "/1"]) waiting.get(path)!()
    assert.deepEqual((await Promise.all(answers)).map(text), ["/1", "/2", "/3"])
})

test("a request without a response fails in time and leaves nothing", async () => {
    const { a, clock } = connected(echo, () => new Promise<never>(() => {}))
    const answer = assert.rejects(get(a, "/x"), NoResponseError)
    await clock.advance(responseMs)
    await answer
})

test("a response that comes too late or unasked is passed over", async () => {
    let answerLate = () => {}
    const late: Server = () => new Promise(resolve => (answerLate = () => resolve(message(Code.Content))))
    const { a, b, clock } = connected(echo, late)
    const answer = assert.rejects(get(a, "/x"), NoResponseError)
    await clock.advance(responseMs)
    await answer
    answerLate()
    await settle()
    assert.equal(text(await get(b, "/still-there")), "/still-there")
})

test("a closing connection fails what waits, and later requests at once", async () => {
    const { a, b, streamB } = connected(echo, () => new Promise<never>(() => {}))
    const answer = assert.rejects(get(a, "/x"), NoResponseError)
    await settle()
    streamB.destroy()
    await answer
    await assert.rejects(get(a, "/y"), NoResponseError)
    await assert.rejects(get(b, "/z"), NoResponseError)
})

test("a server that throws answers 5.00 without saying what", async () => {
    const { a } = connected(echo, () => {
        throw new Error("secret detail")
    })
    const response = await get(a, "/x")
    assert.equal(dotted(response.code), "5.00")
    assert.equal(response.payload.length, 0)
})

test("more requests than may wait for a peer fail at once", async () => {
    const { a } = connected(echo, () => new Promise<never>(() => {}))
    const answers = Array.from({ length: maxPendingRequests }, () => get(a, "/x"))
    await assert.rejects(get(a, "/x"), NoResponseError)
    a.destroy()
    for (const { status } of await Promise.allSettled(answers)) assert.equal(status, "rejected")
})

test("release answers what was asked, then closes both ends", async () => {
    let answer = () => {}
    const slow: Server = () => new Promise(resolve => (answer = () => resolve(message(Code.Content))))
    const { a, b, streamA, streamB, clock } = connected(echo, slow)
    const asked = get(a, "/x")
    await settle()
    b.release()
    await settle()
    assert.ok(!streamB.closed)
    await assert.rejects(get(b, "/new"), NoResponseError)
    answer()
    assert.equal(dotted((await asked).code), "2.05")
    await settle()
    assert.ok(streamA.closed && streamB.closed)
    assert.equal(clock.waiting, 0)
})
