// The router's broker with the clients that people use: mosquitto's, and the npm library `mqtt`.
import assert from "node:assert/strict"
import { execFile, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { promisify } from "node:util"
import { connectAsync, type IClientOptions } from "mqtt"
import { silentLog } from "../../host/log.ts"
import { startRouter } from "../../router/index.ts"
import { parseEnvelope } from "../../wire/envelope.ts"
import { openReceipt } from "../../wire/receipt.ts"
import { temporaryFolder } from "../support/folder.ts"
import { TestMote } from "../support/mote.ts"
import { until } from "../support/until.ts"
import { MemoryClinic } from "./memory-clinic.ts"

const isThere = spawnSync("which", ["mosquitto_pub"]).status === 0
const skip = isThere ? false : "needs mosquitto_pub and mosquitto_sub (mosquitto-clients)"

async function setUp(t: TestContext) {
    const mote = TestMote.numbered(1)
    const clinic = new MemoryClinic({ ...mote.routerKeys, sealedConfig: Uint8Array.of(1, 2, 3) })
    const data = temporaryFolder(t)
    const { router, mqttPort, close } = await startRouter({ data, coapPort: 0, mqttPort: 0, clinic, log: silentLog })
    t.after(close)
    await until(() => router.keyring.find(mote.eui) !== undefined, "the keys have come")
    const password = Buffer.from(mote.keys.mqtt).toString("hex")
    return { mote, router, data, password, mqttPort: mqttPort!, at: `vm/${mote.eui}` }
}

test("mosquitto's clients, as MQTT 5", { skip }, async t => {
    const { mote, router, data, password, mqttPort, at } = await setUp(t)
    const client = ["-h", "127.0.0.1", "-p", `${mqttPort}`, "-V", "mqttv5", "-u", mote.eui, "-P", password]
    const publish = async (payload: Uint8Array | string, ...more: string[]) => {
        const file = join(data, "payload")
        writeFileSync(file, payload)
        const args = [...client, "-q", "1", "-t", `${at}/vitals`, "-f", file, ...more]
        return await promisify(execFile)("mosquitto_pub", args)
    }
    const subscriber = spawn("stdbuf", [
        ...["-o0", "mosquitto_sub", ...client, "-q", "1", "-t", `${at}/receipt`, "-t", `${at}/config`],
        ...["-C", "2", "-F", "%t %x", "-d"],
    ])
    t.after(() => subscriber.kill())
    const exited = once(subscriber, "exit")
    let output = ""
    subscriber.stdout.on("data", chunk => (output += String(chunk)))
    await until(() => output.includes(`${at}/config 010203`), "the retained configuration")
    const envelope = mote.envelope()
    await publish(envelope, "-D", "publish", "topic-alias", "1", "-D", "publish", "user-property", "a", "b")
    await exited
    const receipt = Buffer.from(/receipt (d184[0-9a-f]+)$/m.exec(output)![1]!, "hex")
    assert.equal(openReceipt(receipt, parseEnvelope(envelope).nonce, mote.keys.receipt).config, 3)
    assert.equal(router.stats().stored, 1)
    const refused = await publish("garbage")
    assert.match(refused.stderr, /Payload format invalid/i)
    assert.equal(router.stats().malformed, 1)
    await assert.rejects(publish(envelope, "-P", "wrong"), /Bad user name or password/i)
})

test("the npm library mqtt, as MQTT 5 and 3.1.1", async t => {
    const { mote, router, password, mqttPort, at } = await setUp(t)
    for (const protocolVersion of [5, 4] as const) {
        const options: IClientOptions = {
            ...{ host: "127.0.0.1", port: mqttPort, protocolVersion, username: mote.eui, password, keepalive: 30 },
            ...{ clean: true, reconnectPeriod: 0, clientId: `library-${protocolVersion}` },
            will: { topic: `${at}/status`, payload: Buffer.from("offline"), qos: 1 as const, retain: true },
        }
        const client = await connectAsync(options)
        t.after(() => client.end(true))
        const seen: string[] = []
        client.on("message", (topic, payload) => seen.push(`${topic.slice(at.length + 1)} ${payload.length}`))
        const granted = await client.subscribeAsync([`${at}/receipt`, `${at}/config`, `${at}/command/+`], { qos: 1 })
        assert.deepEqual(
            granted.map(({ qos }) => qos),
            [1, 1, 1],
        )
        await client.publishAsync(`${at}/status`, "online", { qos: 1, retain: true })
        assert.equal(router.stats().mqttMotes, 1)
        await client.publishAsync(`${at}/vitals`, Buffer.from(mote.envelope()), { qos: 1 })
        await until(() => seen.length === 2, "configuration and receipt")
        assert.deepEqual(seen, ["config 3", "receipt 28"])
        const garbage = client.publishAsync(`${at}/vitals`, "garbage", { qos: 1 })
        if (protocolVersion === 5) await assert.rejects(garbage, { code: 0x99 })
        else garbage.catch(() => {})
        client.stream.destroy()
        await until(() => router.stats().mqttMotes === 0, "its last will")
    }
})
