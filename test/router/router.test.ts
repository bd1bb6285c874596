import assert from "node:assert/strict"
import { createServer } from "node:net"
import { test, type TestContext } from "node:test"
import { UserError } from "../../host/errors.ts"
import { silentLog } from "../../host/log.ts"
import { encodeFrame } from "../../router/coap/frame.ts"
import { Code, dotted, message } from "../../router/coap/message.ts"
import { OptionNumber, pathOptions, uintOption, uintValue } from "../../router/coap/options.ts"
import { lingerMs } from "../../router/coap/session.ts"
import { Router, SqliteStore, startRouter } from "../../router/index.ts"
import { listen } from "../../router/listen.ts"
import { maxEnvelopeBytes, parseEnvelope } from "../../wire/envelope.ts"
import { openReceipt } from "../../wire/receipt.ts"
import { temporaryFolder } from "../support/folder.ts"
import { until } from "../support/until.ts"
import { flipBit } from "../wire/arbitrary.ts"
import { CoapClient, codesUntilClosed, openSocket } from "./client.ts"
import { ManualClock, settle } from "../support/clock.ts"
import { MemoryClinic } from "./memory-clinic.ts"
import { TestMote } from "../support/mote.ts"
import { streamPair } from "../support/stream-pair.ts"

async function setUp(t: TestContext) {
    const mote = TestMote.numbered()
    const clinic = new MemoryClinic(mote.routerKeys)
    const running = await startRouter({
        data: temporaryFolder(t),
        coapPort: 0,
        clinic,
        log: silentLog,
    })
    t.after(() => running.close())
    const { coapPort, router } = running
    await until(() => router.keyring.find(mote.eui) !== undefined, "the keys have come")
    const client = await CoapClient.connect(coapPort)
    t.after(() => client.destroy())
    /** The router still works: the next good envelope is taken and reaches the clinic. */
    const stillWorks = async () => {
        const envelope = mote.envelope()
        const stored = Buffer.from(envelope).toString("hex")
        const fresh = await CoapClient.connect(coapPort)
        assert.equal(await fresh.code("/vitals", envelope), "2.04")
        fresh.destroy()
        await until(() => clinic.stored.includes(stored), "the clinic has it")
    }
    return { mote, clinic, coapPort, router, client, running, stillWorks }
}

const csm = encodeFrame(message(Code.CSM))

test("an envelope is answered with 2.04 and its receipt, and reaches the clinic", async t => {
    const { mote, clinic, client } = await setUp(t)
    const vitals = mote.envelope()
    const response = await client.post("/vitals", vitals)
    assert.equal(dotted(response.code), "2.04")
    assert.equal(uintValue(response.options, 12), 17)
    const nonce = Buffer.from("21000001010203040500000000", "hex")
    const receipt = openReceipt(response.payload, nonce, mote.keys.receipt)
    assert.ok(Math.abs(receipt.now - Date.now()) < 60_000)
    const alarm = mote.envelope({ purpose: "alarm" })
    assert.equal(await client.code("/alarms", alarm), "2.04")
    const both = [vitals, alarm].map(e => Buffer.from(e).toString("hex"))
    await until(() => clinic.stored.length === 2, "the clinic has both")
    assert.deepEqual(clinic.stored, both)
})

test("whatever is wrong with an envelope gets its code and a diagnostic, and nothing is stored", async t => {
    const { mote, client, router, stillWorks } = await setUp(t)
    const good = mote.envelope()
    const stale = mote.envelope()
    mote.reboot()
    const stranger = TestMote.numbered(9)
    const clone = TestMote.numbered()
    clone.boot = mote.boot
    assert.equal(await client.code("/vitals", mote.envelope()), "2.04")
    const first = await client.post("/vitals", stranger.envelope())
    assert.deepEqual([dotted(first.code), uintValue(first.options, OptionNumber.MaxAge)], ["5.03", 1])
    for (const [payload, code] of [
        [Buffer.from("garbage"), "4.00"],
        [new Uint8Array(0), "4.00"],
        [good.subarray(0, -1), "4.00"],
        [stranger.envelope(), "4.01"],
        [flipBit(good, good.length * 8 - 1), "4.01"],
        [mote.envelope({ purpose: "alarm" }), "4.01"],
        [stale, "4.03"],
        [clone.envelope(), "4.03"],
        [new Uint8Array(maxEnvelopeBytes + 1), "4.13"],
    ] as const) {
        const response = await client.post("/vitals", payload)
        assert.equal(dotted(response.code), code)
        assert.ok(response.payload.length > 0)
        assert.doesNotMatch(Buffer.from(response.payload).toString(), new RegExp(mote.eui))
    }
    assert.equal(router.stats().stored, 1)
    await stillWorks()
})

test("a mote that the clinic does not know and a wrong MAC cannot be told apart", async t => {
    const { mote, client } = await setUp(t)
    const envelope = mote.envelope()
    assert.equal(await client.code("/vitals", TestMote.numbered(9).envelope()), "5.03")
    const wrongMac = await client.post("/vitals", flipBit(envelope, envelope.length * 8 - 1))
    const unknown = await client.post("/vitals", TestMote.numbered(9).envelope())
    assert.deepEqual(wrongMac.payload, unknown.payload)
})

test("wrong methods, paths, formats and options get their codes", async t => {
    const { mote, client, router, stillWorks } = await setUp(t)
    const envelope = mote.envelope()
    const ask = async (code: number, path: string, ...options: ReturnType<typeof uintOption>[]) =>
        dotted(
            (
                await client.connection.request(code, {
                    options: [...pathOptions(path), ...options],
                    payload: envelope,
                })
            ).code,
        )
    assert.equal(await ask(Code.GET, "/vitals"), "4.05")
    assert.equal(await ask(Code.POST, "/nowhere"), "4.04")
    assert.equal(await ask(Code.POST, "/vitals"), "4.15")
    assert.equal(await ask(Code.POST, "/vitals", uintOption(12, 60)), "4.15")
    assert.equal(await ask(Code.POST, "/vitals", uintOption(12, 17), uintOption(9, 1)), "4.02")
    assert.equal(await ask(Code.POST, "/vitals", uintOption(12, 17), uintOption(17, 0)), "4.06")
    assert.equal(router.stats().stored, 0)
    await stillWorks()
})

test("one flipped bit anywhere in an envelope: nothing is accepted", async t => {
    const { mote, coapPort, router, stillWorks } = await setUp(t)
    const envelope = mote.envelope()
    const codes = new Set<string>()
    for (let byte = 0; byte < envelope.length; byte++) {
        const client = await CoapClient.connect(coapPort) // more failures than one may have in a second
        for (let bit = byte * 8; bit < byte * 8 + 8; bit++)
            codes.add(await client.code("/vitals", flipBit(envelope, bit)))
        client.destroy()
    }
    assert.deepEqual([...codes].sort(), ["4.00", "4.01", "5.03"])
    assert.equal(router.stats().stored, 0)
    await stillWorks()
})

test("a replay gets its receipt again and reaches the clinic once", async t => {
    const { mote, clinic, coapPort, client, router } = await setUp(t)
    const envelope = mote.envelope()
    const first = await client.post("/vitals", envelope)
    const other = await CoapClient.connect(coapPort)
    const again = await other.post("/vitals", envelope)
    other.destroy()
    const { nonce } = parseEnvelope(envelope)
    for (const { payload } of [first, again]) assert.equal(openReceipt(payload, nonce, mote.keys.receipt).config, 3)
    await until(() => router.stats().outbox === 0, "the outbox is empty")
    assert.equal(clinic.stored.length, 1)
    assert.equal(router.stats().duplicate, 1)
})

test("protocol violations are answered with Abort, close the connection and leave nothing", async t => {
    const { coapPort, router, client, stillWorks } = await setUp(t)
    const request = encodeFrame(message(Code.GET, { options: pathOptions("/.well-known/core") }))
    for (const [what, bytes] of [
        ["a request before the CSM", request],
        ["an HTTP request", Buffer.from("GET / HTTP/1.1\r\nHost: router\r\n\r\n")],
        ["a TLS hello", Buffer.from("16030100f0010000ec0303", "hex")],
        ["zeros, then text", Buffer.from("\0\0\0\0hello, is there anybody?")],
        ["a huge announced length", Buffer.concat([csm, Buffer.from("f0ffffffff02", "hex")])],
        ["a reserved token length", Buffer.concat([csm, Buffer.from("0f01", "hex")])],
        ["an unknown critical CSM option", encodeFrame(message(Code.CSM, { options: [uintOption(9, 1)] }))],
    ] as const) {
        const codes = await codesUntilClosed(coapPort, bytes)
        assert.deepEqual(codes, ["7.01", "7.05"], what)
    }
    await until(() => router.stats().connections === 1, "only the good connection is left")
    client.destroy()
    await until(() => router.stats().connections === 0, "no connection is left")
    await stillWorks()
})

test("clients that come and go at any byte leave no connection behind", async t => {
    const { mote, coapPort, router, client, stillWorks } = await setUp(t)
    client.destroy()
    const options = [...pathOptions("/vitals"), uintOption(12, 17)]
    const payload = mote.envelope()
    const bytes = Buffer.concat([csm, encodeFrame(message(Code.POST, { options, payload }))])
    for (let length = 0; length <= bytes.length; length += 7) {
        const socket = await openSocket(coapPort)
        socket.write(bytes.subarray(0, length))
        socket.destroy()
    }
    await until(() => router.stats().connections === 0, "no connection is left")
    await stillWorks()
})

test("a mote on one connection is served while many others are half open", async t => {
    const { coapPort, stillWorks } = await setUp(t)
    const silent = await Promise.all(Array.from({ length: 100 }, () => openSocket(coapPort)))
    for (const socket of silent) socket.write(Uint8Array.of(0xe0))
    await stillWorks()
    silent.forEach(socket => socket.destroy())
})

test("when there are too many connections, strangers make room and motes stay", async () => {
    const clock = new ManualClock()
    const mote = TestMote.numbered()
    const store = SqliteStore.inMemory()
    const router = new Router({
        clock,
        random: n => new Uint8Array(n),
        store,
        clinic: new MemoryClinic(mote.routerKeys),
        log: silentLog,
        maxConnections: 3,
    })
    await clock.advance(0)
    const open = () => {
        const [ours, theirs] = streamPair()
        ours.listen({ data: () => {}, closed: () => {} })
        router.accept(theirs)
        return ours
    }
    const motes = open()
    const options = [...pathOptions("/vitals"), uintOption(12, 17)]
    motes.write(csm)
    motes.write(encodeFrame(message(Code.POST, { options, payload: mote.envelope() })))
    await clock.advance(1)
    const strangers = [open(), open(), open(), open()]
    await settle()
    assert.equal(router.stats().connections, 3)
    assert.equal(router.stats().stored, 1)
    assert.ok(!motes.closed)
    assert.deepEqual(
        strangers.map(s => s.closed),
        [true, true, false, false],
    )
})

test("the router says goodbye with a Release and closes", async t => {
    const { client, running } = await setUp(t)
    const closing = running.close()
    await client.closed
    await closing
})

test("closing does not wait for ever for a peer that stays", async () => {
    const clock = new ManualClock()
    const store = SqliteStore.inMemory()
    const clinic = new MemoryClinic()
    const router = new Router({ clock, random: n => new Uint8Array(n), store, clinic, log: silentLog })
    const [ours, theirs] = streamPair()
    theirs.end = () => {}
    ours.listen({ data: () => {}, closed: () => {} })
    router.accept(theirs)
    const closed = router.close()
    await clock.advance(2 * lingerMs)
    await closed
    assert.equal(clock.waiting, 0)
})

test("what was receipted before a restart is delivered after it", async t => {
    const data = temporaryFolder(t)
    const mote = TestMote.numbered()
    const clinic = new MemoryClinic(mote.routerKeys)
    clinic.answer = () => {
        throw new Error("down")
    }
    const start = () => startRouter({ data, coapPort: 0, clinic, log: silentLog })
    const first = await start()
    await until(() => first.router.keyring.find(mote.eui) !== undefined, "the keys have come")
    const client = await CoapClient.connect(first.coapPort)
    for (let i = 0; i < 5; i++) assert.equal(await client.code("/vitals", mote.envelope()), "2.04")
    await first.close()
    clinic.answer = undefined
    const second = await start()
    t.after(() => second.close())
    await until(() => clinic.stored.length === 5, "the clinic has all")
})

test("what the clinic refused is said at the next start, and offered again when asked", async t => {
    const data = temporaryFolder(t)
    const mote = TestMote.numbered()
    const clinic = new MemoryClinic(mote.routerKeys)
    clinic.answer = batch => batch.map(({ id }) => ({ id, status: "refused", reason: "no patient" }))
    const warned: object[] = []
    const log = { ...silentLog, warn: (fields: object) => void warned.push(fields) }
    const start = (retryRefused = false) => startRouter({ data, coapPort: 0, clinic, retryRefused, log })
    const first = await start()
    await until(() => first.router.keyring.find(mote.eui) !== undefined, "the keys have come")
    const client = await CoapClient.connect(first.coapPort)
    const envelope = mote.envelope()
    assert.equal(await client.code("/vitals", envelope), "2.04")
    await until(() => first.router.stats().refusedByClinic === 1, "the clinic refused it")
    await first.close()
    warned.length = 0
    clinic.answer = undefined
    await (await start()).close()
    assert.deepEqual(warned, [{ envelopes: 1, bytes: envelope.length }])
    const third = await start(true)
    t.after(() => third.close())
    await until(() => clinic.stored.length === 1, "the clinic has it")
    assert.equal(third.router.stats().refusedByClinic, 0)
})

test("a router that is closed, or that could not start, lets go of the clinic", async t => {
    const data = temporaryFolder(t)
    let closed = 0
    const clinic = Object.assign(new MemoryClinic(), { close: async () => void closed++ })
    const start = (coapPort: number) => startRouter({ data, coapPort, clinic, log: silentLog })
    const running = await start(0)
    await running.close()
    assert.equal(closed, 1)
    const other = await start(0)
    t.after(() => other.close())
    await assert.rejects(start(0), /cannot use the router's store/)
    assert.equal(closed, 2)
})

test("connections that cannot be accepted are logged, and the server goes on", async t => {
    const server = createServer()
    t.after(() => server.close())
    const warnings: object[] = []
    const log = { ...silentLog, warn: (fields: object) => void warnings.push(fields), error: () => assert.fail() }
    const port = await listen(server, 0, "127.0.0.1", log)
    for (let i = 0; i < 2; i++) server.emit("error", Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }))
    assert.equal(warnings.length, 1, "a line a minute")
    ;(await openSocket(port)).destroy()
})

test("a port in use and an unusable data folder are one clear line", async t => {
    const clinic = new MemoryClinic()
    const server = createServer().listen(0, "127.0.0.1")
    t.after(() => server.close())
    await new Promise(resolve => server.once("listening", resolve))
    const { port } = server.address() as { port: number }
    const data = temporaryFolder(t)
    const isUserError = (pattern: RegExp) => (error: Error) =>
        error instanceof UserError && pattern.test(error.message) && !error.message.includes("\n")
    await assert.rejects(
        startRouter({ data, coapPort: port, clinic, log: silentLog }),
        isUserError(/port \d+: the port is in use/),
    )
    await assert.rejects(
        startRouter({ data: `${data}/router.db`, coapPort: 0, clinic, log: silentLog }),
        isUserError(/cannot make the folder .*a file is where a folder should be/),
    )
    const running = await startRouter({ data, coapPort: 0, mqttPort: 0, clinic, log: silentLog })
    await running.close()
})
