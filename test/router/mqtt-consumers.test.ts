// Consumers at the router's own broker, with mosquitto's clients and the npm library `mqtt`.
import assert from "node:assert/strict"
import { spawn, spawnSync } from "node:child_process"
import { readdirSync, statSync, writeFileSync } from "node:fs"
import { connect as connectTcp } from "node:net"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { connectAsync, type IClientOptions, type MqttClient } from "mqtt"
import { silentLog } from "../../host/log.ts"
import { UserError } from "../../host/errors.ts"
import { encode } from "../../host/mqtt/encode.ts"
import { consumerAccounts, startRouter } from "../../router/index.ts"
import { temporaryFolder } from "../support/folder.ts"
import { TestMote } from "../support/mote.ts"
import { until } from "../support/until.ts"
import { CoapClient } from "./client.ts"
import { MemoryClinic } from "./memory-clinic.ts"
import { selfSigned } from "./tls-server.ts"

const isThere = spawnSync("which", ["mosquitto_sub"]).status === 0
const skip = isThere ? false : "needs mosquitto_sub (mosquitto-clients)"

async function setUp(t: TestContext) {
    const [mote, other] = [TestMote.numbered(1), TestMote.numbered(2)]
    const clinic = new MemoryClinic(mote.routerKeys, other.routerKeys)
    const data = temporaryFolder(t)
    const { cert, key } = await selfSigned()
    const running = await startRouter({
        ...{ data, coapPort: 0, mqttPort: 0, udp: false, clinic, log: silentLog },
        tls: { cert, key, coapsPort: 0, mqttsPort: 0 },
    })
    t.after(() => running.close())
    await until(() => running.router.keyring.find(other.eui) !== undefined, "the keys have come")
    const coap = await CoapClient.connect(running.coapPort)
    t.after(() => coap.destroy())
    const accounts = consumerAccounts(data)
    const open = async (username: string, password: string, more: Partial<IClientOptions> = {}) => {
        const client = await connectAsync({
            ...{ host: "127.0.0.1", port: running.mqttPort!, protocolVersion: 5, username, password },
            ...{ clientId: "", clean: true, reconnectPeriod: 0, ...more },
        } as IClientOptions)
        client.on("error", () => {})
        t.after(() => client.end(true))
        return client
    }
    return { running, mote, other, coap, accounts, data, open, cert }
}

/** What a client gets, by topic, the newest last. */
function received(client: MqttClient) {
    const seen: { topic: string; payload: Buffer; retain: boolean }[] = []
    client.on("message", (topic, payload, { retain }) => seen.push({ topic, payload, retain }))
    return seen
}

test("mosquitto_sub, as MQTT 3.1.1 and 5, over TLS: retained states, then sealed envelopes", { skip }, async t => {
    const { running, mote, coap, accounts, data, cert } = await setUp(t)
    assert.equal(await coap.code("/vitals", mote.envelope()), "2.04")
    const password = accounts.add("wall", { envelopes: true, motes: ["*"] })
    const ca = join(data, "ca.pem")
    writeFileSync(ca, cert)
    for (const version of ["mqttv311", "mqttv5"]) {
        const subscriber = spawn("stdbuf", [
            ...["-o0", "mosquitto_sub", "-h", "localhost", "-p", `${running.mqttsPort}`, "--cafile", ca, "-V", version],
            ...["-u", "wall", "-P", password, "-q", "1", "-t", "vm/+/state", "-t", "vm/+/vitals", "-t", "vm/+/alarms"],
            ...["-F", "%r %t %x", "-d"],
        ])
        t.after(() => subscriber.kill())
        let output = ""
        subscriber.stdout.on("data", chunk => (output += String(chunk)))
        subscriber.stderr.on("data", chunk => (output += String(chunk)))
        const state = new RegExp(`^1 vm/${mote.eui}/state ([0-9a-f]+)$`, "m")
        await until(() => state.test(output), `the retained state as ${version}`)
        const { transport, lastReadings, lastAlarms, stored } = JSON.parse(
            Buffer.from(state.exec(output)![1]!, "hex").toString(),
        ) as Record<string, unknown>
        assert.deepEqual([transport, typeof lastReadings, stored], ["coap", "number", version === "mqttv5" ? 3 : 1])
        assert.equal(lastAlarms === null, version === "mqttv311")
        const [vitals, alarm] = [mote.envelope(), mote.envelope({ purpose: "alarm" })]
        assert.equal(await coap.code("/vitals", vitals), "2.04")
        assert.equal(await coap.code("/alarms", alarm), "2.04")
        for (const [topic, envelope] of [
            ["vitals", vitals],
            ["alarms", alarm],
        ] as const)
            await until(
                () => output.includes(`0 vm/${mote.eui}/${topic} ${Buffer.from(envelope).toString("hex")}`),
                `${topic} as ${version}`,
            )
        subscriber.kill()
    }
})

test("an account sees its motes only, envelopes only with the right for them, and publishes nothing", async t => {
    const { mote, other, coap, accounts, open } = await setUp(t)
    const password = accounts.add("ward-a", { envelopes: false, motes: [mote.eui] })
    const client = await open("ward-a", password)
    const seen = received(client)
    for (const bad of [
        `vm/${mote.eui}/vitals`,
        "vm/+/alarms",
        `vm/${other.eui}/state`,
        `vm/${mote.eui}/config`,
        "#",
        "$SYS/#",
    ])
        await assert.rejects(client.subscribeAsync(bad, { qos: 1 }), /Not authorized/i, bad)
    assert.deepEqual(
        (await client.subscribeAsync("vm/#", { qos: 1 })).map(({ qos }) => qos),
        [1],
    )
    assert.equal(await coap.code("/vitals", mote.envelope()), "2.04")
    assert.equal(await coap.code("/vitals", other.envelope()), "2.04")
    await until(() => seen.some(({ payload }) => payload.includes('"stored":1')), "the state after five seconds")
    assert.deepEqual([...new Set(seen.map(({ topic }) => topic))], [`vm/${mote.eui}/state`])
    await assert.rejects(client.publishAsync(`vm/${mote.eui}/status`, "offline", { qos: 1 }), /Not authorized/i)
    // Removed while it is connected.
    const closed = new Promise<void>(resolve => client.once("close", () => resolve()))
    assert.ok(accounts.remove("ward-a"))
    await closed
    await assert.rejects(open("ward-a", password), /Bad user name or password/i)
})

test("wrong passwords, last wills and a fifth connection are refused; a mote's place is never taken", async t => {
    const { mote, accounts, open, running } = await setUp(t)
    const password = accounts.add("wall", { envelopes: true, motes: ["*"] })
    await assert.rejects(open("wall", "wrong"), /Bad user name or password/i)
    await assert.rejects(open("nobody", password), /Bad user name or password/i)
    const will = { topic: "vm/x/state", payload: Buffer.from("x"), qos: 0, retain: false } as const
    await assert.rejects(open("wall", password, { will }), /Not authorized/i)
    const clients = []
    for (let n = 0; n < 4; n++) clients.push(await open("wall", password))
    await assert.rejects(open("wall", password), /Quota exceeded/i)
    const asMote = await open(mote.eui, Buffer.from(mote.keys.mqtt).toString("hex"))
    await asMote.publishAsync(`vm/${mote.eui}/status`, "online", { qos: 1, retain: true })
    assert.deepEqual(
        running.router.status().motes.map(({ transport }) => transport),
        ["mqtt"],
    )
})

test("a consumer that does not read loses its connection, and nobody else anything", async t => {
    const { mote, coap, accounts, open, running } = await setUp(t)
    const password = accounts.add("slow", { envelopes: true, motes: ["*"] })
    const reading = await open("slow", password)
    const seen = received(reading)
    await reading.subscribeAsync("vm/+/vitals", { qos: 0 })
    const slow = connectTcp(running.mqttPort!, "127.0.0.1")
    t.after(() => slow.destroy())
    slow.on("error", () => {}).resume()
    const closed = new Promise(resolve => slow.once("close", resolve))
    slow.write(
        encode(
            {
                kind: "connect",
                version: 5,
                clientId: "slow",
                clean: true,
                keepAlive: 60,
                user: "slow",
                password: Buffer.from(password),
            },
            5,
        ),
    )
    slow.write(encode({ kind: "subscribe", id: 1, subscriptions: [{ filter: "vm/#", qos: 1 }] }, 5))
    await until(() => slow.bytesRead > 10, "it has subscribed")
    // Nothing is acknowledged: 32 are under way, the next 256 wait, then the oldest readings are dropped.
    for (let n = 0; n < 300; n++) assert.equal(await coap.code("/vitals", mote.envelope()), "2.04")
    await until(() => seen.length === 300, "the other one has all")
    assert.ok(!slow.destroyed)
    // Alarms are never dropped while the connection lasts: it ends where no more can wait.
    for (let n = 0; n < 300; n++) assert.equal(await coap.code("/alarms", mote.envelope({ purpose: "alarm" })), "2.04")
    await closed
    assert.equal(running.router.stats().stored, 600)
    assert.ok(reading.connected)
})

test("accounts: a file each for its owner alone, with no password in it", t => {
    const data = temporaryFolder(t)
    const accounts = consumerAccounts(data)
    const password = accounts.add("wall", { envelopes: false, motes: ["70b3*"] })
    const folder = join(data, "mqtt", "consumers")
    assert.deepEqual(readdirSync(folder), ["wall.json"])
    assert.equal(statSync(join(folder, "wall.json")).mode & 0o777, 0o600)
    assert.ok(password.length >= 43 && !JSON.stringify(accounts.all()).includes(password))
    assert.equal(accounts.verified("wall", Buffer.from(password))?.name, "wall")
    assert.equal(accounts.verified("wall", Buffer.from("")), undefined)
    assert.equal(accounts.verified("../wall", Buffer.from(password)), undefined)
    for (const bad of ["0011223344556677", "../x", "", "A", "x".repeat(33)])
        assert.throws(() => accounts.add(bad, { envelopes: false, motes: ["*"] }), UserError, bad)
    assert.throws(() => accounts.add("x", { envelopes: false, motes: ["zz"] }), UserError)
    assert.throws(() => accounts.add("wall", { envelopes: false, motes: ["*"] }), UserError)
    writeFileSync(join(folder, "wall.json"), "{}")
    assert.throws(() => accounts.all(), /damaged/)
})
