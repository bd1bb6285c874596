import assert from "node:assert/strict"
import { test } from "node:test"
import { fastify } from "fastify"
import { EventStreams } from "../../../router/browser/event-streams.ts"
import { Code, message } from "../../../router/coap/message.ts"
import { OptionNumber, uintOption } from "../../../router/coap/options.ts"
import type { Notifier, Server } from "../../../router/coap/requester.ts"
import { until } from "../../support/until.ts"

test("an event stream ends when who has asked may no longer look, and leaves no observer", async t => {
    let notifier: Notifier | undefined
    let mayLook = true
    const content = (text: string) =>
        message(Code.Content, { options: [uintOption(OptionNumber.Observe, 1)], payload: Buffer.from(text) })
    const serve: Server = (request, requester) => {
        notifier = requester.addObserver(request.token, () => (notifier = undefined))
        return content("first")
    }
    const streams = new EventStreams({ serve }, () => mayLook)
    const app = fastify({ forceCloseConnections: true })
    app.get("/", async (request, reply) => await streams.observe(message(Code.GET), request, reply))
    t.after(() => app.close())
    const { body } = await fetch(await app.listen({ port: 0, host: "127.0.0.1" }))
    let text = ""
    const read = (async () => {
        for await (const chunk of body!) text += Buffer.from(chunk).toString()
    })()
    await until(() => notifier !== undefined && text.includes("event: first"), "it is observed")
    notifier!.send(content("seen"))
    await until(() => text.includes("event: notification"), "a notification has come")
    mayLook = false
    notifier!.send(content("secret"))
    await read.catch(() => {})
    assert.equal(notifier, undefined)
    assert.ok(!text.includes(Buffer.from("secret").toString("hex")))
})
