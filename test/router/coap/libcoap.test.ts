import assert from "node:assert/strict"
import { execFile, spawn, spawnSync } from "node:child_process"
import { createServer } from "node:net"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { promisify } from "node:util"
import { silentLog } from "../../../host/log.ts"
import { Code, dotted } from "../../../router/coap/message.ts"
import { pathOptions, uintOption } from "../../../router/coap/options.ts"
import { startRouter } from "../../../router/index.ts"
import { parseEnvelope } from "../../../wire/envelope.ts"
import { openReceipt } from "../../../wire/receipt.ts"
import { temporaryFolder } from "../../support/folder.ts"
import { until } from "../../support/until.ts"
import { CoapClient } from "../client.ts"
import { MemoryClinic } from "../memory-clinic.ts"
import { TestMote } from "../../support/mote.ts"

/** Against libcoap (Debian's libcoap3-bin), the most used other implementation of CoAP over TCP. */
const isThere = spawnSync("which", ["coap-client-openssl"]).status === 0
const skip = isThere ? false : "needs coap-client-openssl and coap-server-openssl (libcoap3-bin)"

async function startedRouter(t: TestContext, mote: TestMote) {
    const data = temporaryFolder(t)
    const clinic = new MemoryClinic(mote.routerKeys)
    const running = await startRouter({ data, coapPort: 0, clinic, log: silentLog })
    t.after(() => running.close())
    await until(() => running.router.keyring.find(mote.eui) !== undefined, "the keys have come")
    const uri = (path: string) => `coap+tcp://127.0.0.1:${running.coapPort}${path}`
    return { ...running, data, uri }
}

/** What coap-client prints: the payload on stdout, errors such as `4.00 not an envelope` on stderr. */
async function coapClient(...args: string[]): Promise<{ stdout: Buffer; stderr: string }> {
    const { stdout, stderr } = await promisify(execFile)("coap-client-openssl", ["-B", "5", ...args], {
        encoding: "buffer",
    })
    return { stdout, stderr: stderr.toString() }
}

test("libcoap's client discovers what the router serves", { skip }, async t => {
    const { uri } = await startedRouter(t, TestMote.numbered())
    const { stdout } = await coapClient(uri("/.well-known/core"))
    assert.equal(
        stdout.toString().trim(),
        '</vitals>;rt="vitalmote.vitals";ct=17,</alarms>;rt="vitalmote.alarm";ct=17,' +
            '</rd-lookup/ep>;rt="core.rd-lookup-ep";ct=40,</rd-lookup/res>;rt="core.rd-lookup-res";ct=40',
    )
})

test("libcoap's client posts an envelope and gets the receipt", { skip }, async t => {
    const mote = TestMote.numbered()
    const { uri, data, router } = await startedRouter(t, mote)
    const file = join(data, "envelope")
    const envelope = mote.envelope()
    writeFileSync(file, envelope)
    const { stdout } = await coapClient("-m", "post", "-t", "17", "-f", file, uri("/vitals"))
    const withoutNewline = stdout.subarray(0, stdout.at(-1) === 0x0a ? -1 : undefined)
    assert.equal(openReceipt(withoutNewline, parseEnvelope(envelope).nonce, mote.keys.receipt).config, 3)
    assert.equal(router.stats().stored, 1)
})

test("libcoap's client gets the code and the reason for what is wrong", { skip }, async t => {
    const { uri } = await startedRouter(t, TestMote.numbered())
    const post = (...args: string[]) => coapClient("-m", "post", ...args)
    assert.match((await post("-t", "17", "-e", "garbage", uri("/vitals"))).stderr, /4\.00.*envelope/)
    assert.match((await post("-t", "0", "-e", "garbage", uri("/vitals"))).stderr, /4\.15/)
    assert.match((await post("-t", "17", "-e", "garbage", uri("/other"))).stderr, /4\.04/)
    assert.match((await coapClient("-O", "2049,x", uri("/vitals"))).stderr, /4\.02/)
})

test("our client talks to libcoap's server", { skip }, async t => {
    const port = await freePort()
    const server = spawn("coap-server-openssl", ["-A", "127.0.0.1", "-p", String(port)], {
        stdio: "ignore",
    })
    t.after(() => server.kill())
    let client: CoapClient | undefined
    for (let i = 0; i < 100 && !client; i++) {
        client = await CoapClient.connect(port).catch(() => undefined)
        if (!client) await new Promise(resolve => setTimeout(resolve, 50))
    }
    assert.ok(client)
    t.after(() => client.destroy())
    const { connection } = client
    const core = await connection.request(Code.GET, { options: pathOptions("/.well-known/core") })
    assert.equal(dotted(core.code), "2.05")
    assert.match(Buffer.from(core.payload).toString(), /<\/time>/)
    const answers = await Promise.all(
        ["/time", "/", "/nowhere"].map(path => connection.request(Code.GET, { options: pathOptions(path) })),
    )
    assert.deepEqual(
        answers.map(a => dotted(a.code)),
        ["2.05", "2.05", "4.04"],
    )
    const put = await connection.request(Code.PUT, {
        options: [...pathOptions("/hr"), uintOption(12, 50)],
        payload: Buffer.from('{"hr":72}'),
    })
    assert.ok(["2.01", "2.04", "4.04", "4.05"].includes(dotted(put.code)), dotted(put.code))
})

async function freePort(): Promise<number> {
    const server = createServer().listen(0, "127.0.0.1")
    await new Promise(resolve => server.once("listening", resolve))
    const { port } = server.address() as { port: number }
    await new Promise(resolve => server.close(resolve))
    return port
}
