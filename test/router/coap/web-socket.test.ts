import assert from "node:assert/strict"
import { once } from "node:events"
import { test, type TestContext } from "node:test"
import fc from "fast-check"
import { WebSocket } from "ws"
import { silentLog } from "../../../host/log.ts"
import { encodeForWebSocket, encodeFrame, FrameReader, fromWebSocket } from "../../../router/coap/frame.ts"
import { Code, dotted, message, type CoapMessage } from "../../../router/coap/message.ts"
import { CoapFormatError, OptionNumber, pathOptions } from "../../../router/coap/options.ts"
import { startRouter } from "../../../router/index.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { TestMote } from "../../support/mote.ts"
import { until } from "../../support/until.ts"
import { MemoryClinic } from "../memory-clinic.ts"

const bytes = (maxLength: number) => fc.uint8Array({ maxLength })

test("a message is the same in a stream and over a WebSocket, whatever its length", () => {
    fc.assert(
        fc.property(fc.nat(255), bytes(8), bytes(70_000), (code, token, payload) => {
            const options = pathOptions("/a")
            const sent = message(code, { token, options, payload })
            assert.deepEqual(Buffer.from(fromWebSocket(encodeForWebSocket(sent))), Buffer.from(encodeFrame(sent)))
        }),
    )
    fc.assert(
        fc.property(bytes(40), input => {
            try {
                fromWebSocket(input)
            } catch (error) {
                assert.ok(error instanceof CoapFormatError)
            }
        }),
    )
})

async function served(t: TestContext) {
    const mote = TestMote.numbered()
    const clinic = new MemoryClinic({ ...mote.keys, config: 0 })
    const running = await startRouter({
        ...{ data: temporaryFolder(t), coapPort: 0, udp: false, http: { port: 0 }, clinic, log: silentLog },
    })
    t.after(() => running.close())
    return { mote, clinic, url: `ws://127.0.0.1:${running.httpPort}` }
}

test("coap+ws: requests are answered, an envelope is stored, what breaks the rules is cut off", async t => {
    const { mote, clinic, url } = await served(t)
    const open = async () => {
        const socket = new WebSocket(`${url}/.well-known/coap`, ["coap"])
        const received: CoapMessage[] = []
        socket.on("message", (data: Buffer) => received.push(...new FrameReader(2 ** 20).push(fromWebSocket(data))))
        await once(socket, "open")
        return { socket, received }
    }
    const { socket, received } = await open()
    assert.equal(socket.protocol, "coap")
    socket.send(encodeForWebSocket(message(Code.CSM)))
    const ask = async (code: number, parts: Partial<CoapMessage>, token: number) => {
        socket.send(encodeForWebSocket(message(code, { ...parts, token: Uint8Array.of(token) })))
        const answer = () => received.find(one => one.token[0] === token)
        await until(() => answer() !== undefined, "it is answered")
        return answer()!
    }
    const core = await ask(Code.GET, { options: pathOptions("/.well-known/core") }, 1)
    assert.match(Buffer.from(core.payload).toString(), /<\/vitals>/)
    const post = async (token: number) =>
        await ask(
            Code.POST,
            {
                options: [...pathOptions("/vitals"), { number: OptionNumber.ContentFormat, value: Uint8Array.of(17) }],
                payload: mote.envelope({ seq: 7 }),
            },
            token,
        )
    let token = 2
    await until(async () => dotted((await post(token++)).code) === "2.04", "the envelope is stored")
    await until(() => clinic.stored.length === 1, "the clinic has it")
    for (const wrong of [Buffer.from([0x10, 1, 0]), Buffer.from([0x09, 1]), "text"]) {
        const { socket } = await open()
        socket.send(wrong)
        await once(socket, "close")
    }
    socket.close()
    await once(socket, "close")
})

test("coap+ws: who may not connect gets an HTTP status", async t => {
    const { url } = await served(t)
    const status = async (path: string, protocols: string[], headers: Record<string, string> = {}) => {
        const socket = new WebSocket(url + path, protocols, { headers })
        const [error] = (await once(socket, "error")) as [Error]
        return /(\d{3})$/.exec(error.message)?.[1]
    }
    assert.equal(await status("/elsewhere", ["coap"]), "404")
    assert.equal(await status("/.well-known/coap", []), "400")
    assert.equal(await status("/.well-known/coap", ["mqtt"]), "400")
    assert.equal(await status("/.well-known/coap", ["coap"], { origin: "http://elsewhere.example" }), "403")
    assert.equal(await status("/.well-known/coap", ["coap"], { host: "elsewhere.example" }), "421")
})
