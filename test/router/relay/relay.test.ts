import assert from "node:assert/strict"
import { test } from "node:test"
import { responseMs } from "../../../router/coap/connection.ts"
import type { Attach } from "../../../router/index.ts"
import { Code, code, message } from "../../../router/coap/message.ts"
import { OptionNumber, pathOptions, uintOption, uintValue } from "../../../router/coap/options.ts"
import { burstRequests, maxQueued, msPerRequest } from "../../../router/relay/relayed-mote.ts"
import { maxObservers, maxObserversOfAddress } from "../../../router/relay/observation.ts"
import { settle } from "../../support/clock.ts"
import { TestMote } from "../../support/mote.ts"
import { startCore } from "./served-mote.ts"

const { Accept, MaxAge, Observe, ProxyUri, ProxyScheme, UriHost, UriQuery } = OptionNumber

async function setUp(attach: Attach[] = []) {
    const keys = TestMote.numbered(1)
    const core = await startCore([keys], attach)
    const mote = await core.mote(keys)
    return { core, keys, mote, client: core.client(), clock: core.clock, at: `/m/${keys.eui}` }
}

/** Another way than CoAP by which one mote is attached. */
function elsewhere(eui: string): Attach {
    return () => ({
        ...{ protocol: "mqtt", online: [eui], has: other => other === eui, relayed: () => undefined },
        ...{ changed: () => {}, dismiss: () => {}, close: () => {} },
    })
}

const option = (number: number, text: string) => ({ number, value: Buffer.from(text) })

test("every method reaches the mote, with path, query and Accept, and its answer comes back", async () => {
    const { client, mote, at } = await setUp()
    mote.answer = ({ code: method, payload }) =>
        message(Code.Changed, { payload: Buffer.from(`${method} ${Buffer.from(payload).toString()}`) })
    for (const method of [Code.GET, Code.POST, Code.PUT, Code.DELETE])
        assert.equal(await client.ask(method, `${at}/a/b`), `2.04 ${method}`)
    await client.get(`${at}/a`, option(UriQuery, "x=1"), uintOption(Accept, 17))
    assert.deepEqual(mote.asked, ["0.01 /a/b", "0.02 /a/b", "0.03 /a/b", "0.04 /a/b", "0.01 /a?x=1 Accept=17"])
    // RFC 8132
    for (const method of [Code.FETCH, Code.PATCH, Code.iPATCH])
        assert.equal(await client.ask(method, `${at}/a/b`), `2.04 ${method}`)
    assert.match(await client.ask(code("0.08"), `${at}/a`), /^4\.05/)
})

test("errors of the mote come back with their diagnostic", async () => {
    const { client, mote, at } = await setUp()
    mote.answer = () => message(Code.Forbidden, { payload: Buffer.from("version: above 3") })
    assert.equal(await client.ask(Code.PUT, `${at}/config`), "4.03 version: above 3")
})

test("Proxy-Uri and Proxy-Scheme lead to the mote, too; other hosts are refused", async () => {
    const { client, mote, keys } = await setUp()
    const uri = (text: string) => client.get("/", option(ProxyUri, text))
    assert.equal(await uri(`coap+tcp://${keys.eui}/st%61tus?a=b%26&c`), "2.05 ok")
    assert.equal(await uri(`coap://${keys.eui.toUpperCase()}`), "2.05 ok")
    const scheme = [option(ProxyScheme, "coap+tcp"), option(UriHost, keys.eui)]
    assert.equal(await client.get("/status", ...scheme), "2.05 ok")
    assert.deepEqual(mote.asked, ["0.01 /status?a=b&?c", "0.01 /", "0.01 /status"])
    for (const other of ["coap://[::1]/x", `http://${keys.eui}/`, "coap+tcp://example.org/"])
        assert.match(await uri(other), /^5\.05/)
    assert.match(await uri("not a uri"), /^4\.02/)
    assert.match(await uri(`coap://${keys.eui}/%ff%zz`), /^4\.02/)
    assert.match(await client.get("/x", option(ProxyScheme, "coap+tcp")), /^5\.05/)
})

test("who is not there, not a mote, or an MQTT mote is told so", async () => {
    const { client } = await setUp([elsewhere("00000000000000ff")])
    assert.equal(await client.get("/m/0000000000000000/status"), "5.03 this mote is not connected")
    assert.match(await client.get("/m/DF525DD54201955B/status"), /^4\.04/)
    assert.match(await client.get("/m/x"), /^4\.04/)
    assert.match(await client.get("/m"), /^4\.04/)
    assert.match(await client.get("/m/00000000000000ff/status"), /^5\.01 .*MQTT/)
})

test("a mote that does not answer is 5.04, one that goes is 5.03", async () => {
    const { core, client, mote, clock, keys, at } = await setUp()
    mote.answer = () => new Promise<never>(() => {})
    const late = core.router.relay.request(keys.eui, Code.GET, { options: pathOptions("/status") })
    await clock.advance(responseMs)
    assert.equal((await late).code, Code.GatewayTimeout)
    const gone = client.get(`${at}/status`)
    await settle()
    mote.stream.destroy()
    assert.equal(await gone, "5.03 the mote has disconnected")
    assert.match(await client.get(`${at}/status`), /^5\.03/)
})

test("a mote is asked one thing at a time, and few wait", async () => {
    const { client, mote, at } = await setUp()
    const answers: (() => void)[] = []
    mote.answer = () => new Promise(resolve => answers.push(() => resolve(mote.content("ok"))))
    const asked = Array.from({ length: maxQueued + 1 }, (_, i) => client.get(`${at}/${i}`))
    assert.equal(await asked.pop(), "5.03 the mote is busy")
    for (let i = 0; i < maxQueued; i++) {
        assert.equal(answers.length, i + 1)
        answers[i]!()
        await settle()
    }
    assert.deepEqual(await Promise.all(asked), Array(maxQueued).fill("2.05 ok"))
})

test("strangers cannot wear a mote out: a burst, then a request every ten seconds", async () => {
    const { client, mote, clock, at } = await setUp()
    const ask = (i: number) => client.ask(Code.PUT, `${at}/config`, option(UriQuery, `${i}`))
    for (let i = 0; i < burstRequests; i++) assert.equal(await ask(i), "2.05 ok")
    const options = pathOptions(`${at}/config`)
    const refused = await client.connection.request(Code.PUT, { options })
    assert.equal(refused.code, Code.TooManyRequests)
    assert.equal(uintValue(refused.options, MaxAge), msPerRequest / 1000)
    await clock.advance(100_000)
    let served = 0
    for (let i = 0; i < burstRequests; i++) if ((await ask(i)).startsWith("2.")) served++
    assert.equal(served, 100_000 / msPerRequest)
    assert.equal(mote.asked.length, burstRequests + served)
})

test("an answer is given again while it is fresh, with what is left of its age; a change ends that", async () => {
    const { client, mote, clock, at } = await setUp()
    const get = async () => {
        const options = pathOptions(`${at}/status`)
        const response = await client.connection.request(Code.GET, { options })
        return uintValue(response.options, MaxAge)
    }
    assert.deepEqual(await Promise.all([get(), get(), get()]), [5, 5, 5])
    await clock.advance(2_000)
    assert.equal(await get(), 3)
    assert.equal(mote.asked.length, 1)
    assert.equal(await client.get(`${at}/status`, uintOption(Accept, 60)), "2.05 ok")
    assert.equal(mote.asked.length, 2, "another Accept is another question")
    await clock.advance(3_000)
    assert.equal(await get(), 5)
    assert.equal(mote.asked.length, 3)
    await client.ask(Code.PUT, `${at}/config`)
    await get()
    assert.equal(mote.asked.length, 5)
})

test("what a mote must not answer is 5.02, and it stays connected", async () => {
    const { client, mote, at } = await setUp()
    for (const strange of [uintOption(9, 1), uintOption(OptionNumber.Block2, 8)]) {
        mote.answer = () => message(Code.Content, { options: [strange] })
        assert.match(await client.get(`${at}/status`), /^5\.02/)
    }
    mote.answer = () => mote.content("ok")
    assert.equal(await client.get(`${at}/status`), "2.05 ok")
})

test("a request larger than the mote takes does not reach it", async () => {
    const { core, client, keys, at } = await setUp()
    const { connection } = core.router.motes.find(keys.eui)!
    // What the peer announced, as a mote does: 512 bytes.
    ;(connection as unknown as { session: { peerMaxMessageBytes: number } }).session.peerMaxMessageBytes = 512
    const options = pathOptions(`${at}/config`)
    const response = await client.connection.request(Code.PUT, { options, payload: new Uint8Array(600) })
    assert.equal(response.code, Code.RequestEntityTooLarge)
    assert.equal(await client.get(`${at}/status`), "2.05 ok")
})

test("a replayed envelope does not bring its sender the mote's requests, a new one of the mote does", async () => {
    const { core, client, mote, keys, at } = await setUp()
    const envelope = keys.envelope()
    await mote.bring(envelope)
    const thief = core.connect(() => message(Code.Content, { payload: Buffer.from("thief") }))
    const options = [...pathOptions("/vitals"), uintOption(OptionNumber.ContentFormat, 17)]
    const replayed = thief.connection.request(Code.POST, { options, payload: envelope })
    await core.clock.advance(1)
    assert.equal((await replayed).code, Code.Changed, "it has its receipt")
    assert.equal(await client.get(`${at}/status`), "2.05 ok")
    const again = await core.mote(keys)
    again.answer = () => again.content("new connection")
    assert.equal(await client.get(`${at}/status`), "2.05 new connection")
    mote.stream.destroy()
    await settle()
    assert.equal(core.router.motes.list().length, 1)
})

test("observers share one registration; the last one to go deregisters", async () => {
    const { core, client, mote, at } = await setUp()
    const other = core.client()
    const a = await client.observe(`${at}/vitals`)
    const b = await other.observe(`${at}/vitals`)
    assert.deepEqual([a.first, b.first], ["2.05 first", "2.05 first"])
    await mote.notify("1")
    await mote.notify("2")
    assert.deepEqual(client.notified, ["2.05 1", "2.05 2"])
    assert.deepEqual(other.notified, ["2.05 1", "2.05 2"])
    const late = await core.client().observe(`${at}/vitals`)
    assert.equal(late.first, "2.05 2")
    assert.ok(late.sequence! > a.sequence!)
    late.cancel()
    a.cancel()
    await settle()
    await mote.notify("3")
    assert.deepEqual(client.notified, ["2.05 1", "2.05 2"])
    assert.deepEqual(other.notified, ["2.05 1", "2.05 2", "2.05 3"])
    assert.deepEqual(mote.asked, ["0.01 /vitals Observe=0"])
    other.stream.destroy()
    await settle()
    assert.deepEqual(mote.asked, ["0.01 /vitals Observe=0", "0.01 /vitals Observe=1"])
    assert.equal(mote.observers.length, 0)
})

test("what is observed is fresh for those who only ask", async () => {
    const { client, mote, at } = await setUp()
    await client.observe(`${at}/vitals`)
    await mote.notify("newest")
    assert.equal(await client.get(`${at}/vitals`), "2.05 newest")
    assert.equal(mote.asked.length, 1)
})

test("a resource that is not observable is answered once, without Observe", async () => {
    const { client, mote, at } = await setUp()
    const { first, sequence } = await client.observe(`${at}/status`)
    assert.equal(first, "2.05 ok")
    assert.equal(sequence, undefined)
    mote.stream.destroy()
    await settle()
    assert.deepEqual(client.notified, [])
})

test("the mote is gone, or goes on elsewhere: its observers hear 5.03, and that is the end", async () => {
    const { core, client, mote, keys, at } = await setUp()
    await client.observe(`${at}/vitals`)
    await core.mote(keys)
    await settle()
    assert.deepEqual(client.notified, ["5.03 the mote has disconnected"])
    await mote.notify("from the past")
    assert.deepEqual(client.notified, ["5.03 the mote has disconnected"])
    await client.observe(`${at}/vitals`)
    core.router.motes.find(keys.eui)!.connection.destroy()
    await settle()
    assert.deepEqual(client.notified, ["5.03 the mote has disconnected", "5.03 the mote has disconnected"])
})

test("a resource that ends ends its observation", async () => {
    const { client, mote, at } = await setUp()
    await client.observe(`${at}/vitals`)
    await mote.tell(message(Code.NotFound))
    await mote.notify("late")
    assert.deepEqual(client.notified, ["4.04"])
})

for (const times of [2, 3, 4])
    test(`registered ${times} times with the same token: one observer, who goes on hearing`, async () => {
        const { core, mote, at } = await setUp()
        const got: string[] = []
        const [ours] = [core.client()]
        const token = Uint8Array.of(1)
        const options = [...pathOptions(`${at}/vitals`), uintOption(Observe, 0)]
        const session = (ours.connection as unknown as { session: { send(m: unknown): void } }).session
        Object.assign(ours.connection, {
            received: (m: { payload: Uint8Array }) => got.push(Buffer.from(m.payload).toString()),
        })
        for (let i = 0; i < times; i++) {
            session.send(message(Code.GET, { token, options }))
            await settle()
        }
        await mote.notify("x")
        assert.deepEqual(got, [...Array<string>(times).fill("first"), "x"])
        assert.deepEqual(mote.asked, ["0.01 /vitals Observe=0"], "the mote hears nothing of it")
    })

test("a malformed option of a mote's answer is left out; a router that gives it again does not loop", async () => {
    const { client, mote, at } = await setUp()
    const endless = { number: MaxAge, value: new Uint8Array(130).fill(0xff) }
    for (const strange of [
        endless,
        { number: MaxAge, value: new Uint8Array(5).fill(0xff) },
        uintOption(MaxAge, 2 ** 32 - 1),
    ]) {
        mote.answer = () => message(Code.Content, { options: [strange], payload: Buffer.from("ok") })
        const path = `${at}/${strange.value.length}`
        assert.equal(await client.get(path), "2.05 ok")
        const options = pathOptions(path)
        const again = await client.connection.request(Code.GET, { options })
        assert.equal(uintValue(again.options, MaxAge), strange.value.length === 4 ? 2 ** 32 - 1 : 60)
    }
    const long = new Uint8Array(9)
    for (const number of [OptionNumber.ETag, OptionNumber.ContentFormat, OptionNumber.Size1, OptionNumber.Observe]) {
        mote.answer = () => message(Code.Content, { options: [{ number, value: long }] })
        const { options } = await client.connection.request(Code.GET, { options: pathOptions(`${at}/n${number}`) })
        assert.ok(options.every(option => option.value.length < long.length))
    }
})

test("one client takes a quarter of the observers' places, and one of the mote's registrations", async () => {
    const { core, mote, at } = await setUp()
    const named = (peer: string) => {
        const client = core.client(peer)
        return client
    }
    const greedy = named("192.0.2.1:1")
    const observed: (number | undefined)[] = []
    for (let i = 0; i < maxObservers; i++) observed.push((await greedy.observe(`${at}/vitals`)).sequence)
    assert.equal(observed.filter(sequence => sequence !== undefined).length, maxObserversOfAddress)
    const sameAddress = await named("192.0.2.1:2").observe(`${at}/vitals`)
    assert.deepEqual([sameAddress.first, sameAddress.sequence], ["2.05 first", undefined])
    assert.notEqual((await named("192.0.2.2:1").observe(`${at}/vitals`)).sequence, undefined)
    await greedy.observe(`${at}/vitals`, option(UriQuery, "other"))
    assert.equal(mote.observers.length, 1)
    assert.notEqual((await named("192.0.2.3:1").observe(`${at}/vitals`, option(UriQuery, "x"))).sequence, undefined)
})

test("a hundred notifications in a second are no flood", async () => {
    const { client, mote, at } = await setUp()
    await client.observe(`${at}/vitals`)
    for (let i = 0; i < 300; i++) await mote.notify(String(i))
    assert.equal(client.notified.length, 300)
    assert.ok(!mote.stream.closed)
})
