import assert from "node:assert/strict"
import { execFile, spawn, spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import { once } from "node:events"
import { connect } from "node:net"
import { promisify } from "node:util"
import fc from "fast-check"
import { generate } from "mqtt-packet"
import { silentLog } from "../../host/log.ts"
import { maxPacketBytes } from "../../router/mqtt/session.ts"
import { startRouter } from "../../router/index.ts"
import type { RouterKeys } from "../../wire/keys.ts"
import { parseEnvelope } from "../../wire/envelope.ts"
import { openReceipt } from "../../wire/receipt.ts"
import { temporaryFolder } from "../support/folder.ts"
import { until } from "../support/until.ts"
import { openSocket } from "./client.ts"
import { MemoryClinic } from "./memory-clinic.ts"
import { TestMote } from "../support/mote.ts"

/** Against mosquitto's clients (Debian's mosquitto-clients). */
const isThere = spawnSync("which", ["mosquitto_pub"]).status === 0
const skip = isThere ? false : "needs mosquitto_pub and mosquitto_sub (mosquitto-clients)"

async function setUp(t: TestContext, ...more: RouterKeys[]) {
    const [mote, other] = [TestMote.numbered(1), TestMote.numbered(2)]
    const data = temporaryFolder(t)
    const clinic = new MemoryClinic(mote.routerKeys, other.routerKeys, ...more)
    const refusals: string[] = []
    const log = {
        ...silentLog,
        debug: (fields: { reason?: string }, message: string) =>
            void (
                message === "MQTT connection closed" &&
                !fields.reason?.startsWith("the peer") &&
                refusals.push(fields.reason ?? "")
            ),
    }
    const running = await startRouter({ data, coapPort: 0, mqttPort: 0, clinic, log })
    t.after(() => running.close())
    const { router, mqttPort } = running
    await until(() => router.keyring.find(mote.eui) !== undefined, "the keys have come")
    const connection = (password = Buffer.from(mote.keys.mqtt).toString("hex")) => [
        ...["-h", "127.0.0.1", "-p", String(mqttPort), "-V", "mqttv311"],
        ...["-u", mote.eui, "-P", password],
    ]
    const publisher = (topic: string, payload: Uint8Array, ...more: string[]) => {
        const file = join(data, "payload")
        writeFileSync(file, payload)
        const child = spawn("mosquitto_pub", [...connection(), "-q", "1", "-t", topic, "-f", file, ...more], {
            stdio: "ignore",
        })
        t.after(() => child.kill("SIGKILL"))
        return child
    }
    /** Publishes with QoS 1; resolves to mosquitto_pub's exit code, which is 0 only when PUBACK came. */
    const publish = async (topic: string, payload: Uint8Array) => {
        const child = publisher(topic, payload)
        return await new Promise<number | null>(resolve => child.once("exit", resolve))
    }
    /** Publishes what the router refuses; resolves to its reason, once mosquitto_pub had no PUBACK. */
    const refusal = async (topic: string, payload: Uint8Array, ...more: string[]) => {
        refusals.length = 0
        const child = publisher(topic, payload, ...more)
        const exited = new Promise(resolve => child.once("exit", resolve))
        await until(() => refusals.length > 0 || child.exitCode !== null, "the router's refusal")
        // It would reconnect for ever.
        child.kill("SIGKILL")
        await exited
        assert.notEqual(child.exitCode, 0, "acknowledged")
        return refusals[0]
    }
    return { mote, other, clinic, router, mqttPort: mqttPort!, connection, publish, refusal }
}

test("a QoS 1 publish is acknowledged once it is durable, and brings a receipt", { skip }, async t => {
    const { mote, clinic, router, connection, publish } = await setUp(t)
    clinic.answer = () => {
        throw new Error("down") // so that it stays in the outbox
    }
    // Unbuffered, to see when the subscription stands.
    const subscriber = spawn(
        "stdbuf",
        ["-o0", "mosquitto_sub", ...connection(), "-t", `vm/${mote.eui}/receipt`].concat(["-C", "1", "-F", "%x", "-d"]),
        { stdio: ["ignore", "pipe", "ignore"] },
    )
    t.after(() => subscriber.kill())
    let output = ""
    subscriber.stdout.on("data", chunk => (output += String(chunk)))
    const exited = new Promise(resolve => subscriber.once("exit", resolve))
    await until(() => output.includes("received SUBACK"), "subscribed")
    const envelope = mote.envelope()
    assert.equal(await publish(`vm/${mote.eui}/vitals`, envelope), 0)
    assert.equal(router.stats().outbox, 1)
    await exited
    const receipt = Buffer.from(/^d184[0-9a-f]+$/m.exec(output)![0], "hex")
    assert.equal(openReceipt(receipt, parseEnvelope(envelope).nonce, mote.keys.receipt).config, 3)
})

test("both kinds of envelope reach the clinic", { skip }, async t => {
    const { mote, clinic, publish } = await setUp(t)
    assert.equal(await publish(`vm/${mote.eui}/vitals`, mote.envelope()), 0)
    const alarm = mote.envelope({ purpose: "alarm" })
    assert.equal(await publish(`vm/${mote.eui}/alarms`, alarm), 0)
    await until(() => clinic.stored.length === 2, "the clinic has both")
})

test("what is refused gets no acknowledgement and is not stored; the next good one is", { skip }, async t => {
    const { mote, other, router, publish, refusal } = await setUp(t)
    const topic = `vm/${mote.eui}/vitals`
    const alarm = mote.envelope({ purpose: "alarm" })
    assert.equal(await refusal(topic, Buffer.from("garbage")), "envelope refused: malformed")
    assert.equal(await refusal(topic, alarm), "envelope refused: badMac")
    assert.equal(await refusal(topic, other.envelope()), "envelope refused: unknownKid")
    for (const elsewhere of [
        `vm/${other.eui}/vitals`,
        `vm/${mote.eui}/config`,
        `vm/${mote.eui}/vitals/more`,
        "elsewhere",
    ])
        assert.equal(await refusal(elsewhere, mote.envelope()), "publishing there is not allowed")
    assert.equal(await refusal(topic, mote.envelope(), "-q", "2"), "QoS 2 is not served")
    assert.equal(router.stats().stored, 0)
    assert.equal(await publish(topic, mote.envelope()), 0)
    assert.equal(router.stats().stored, 1)
})

test("while a secret is being changed the password of either will do", { skip }, async t => {
    const renewed = TestMote.numbered(3, TestMote.numbered(1).keys.kid)
    const { mote, connection } = await setUp(t, { ...renewed.routerKeys, generation: 1 })
    const password = (of: TestMote) => Buffer.from(of.keys.mqtt).toString("hex")
    const attempt = (args: string[]) =>
        promisify(execFile)("mosquitto_pub", [...[...args, "-q", "1", "-t", `vm/${mote.eui}/status`, "-m", "online"]])
    await attempt(connection(password(mote)))
    await attempt(connection(password(renewed)))
    await assert.rejects(attempt(connection("00".repeat(32))), /[Bb]ad user name|not authori[sz]ed/)
})

test("a mote that the clinic has revoked is sent away", async t => {
    const { mote, other, clinic, router, mqttPort } = await setUp(t)
    const socket = connect(mqttPort, "127.0.0.1")
    t.after(() => socket.destroy())
    const password = Buffer.from(mote.keys.mqtt).toString("hex")
    socket.write(
        generate({
            ...{ cmd: "connect", protocolId: "MQTT", protocolVersion: 4, clean: true },
            ...{
                clientId: "a",
                keepalive: 600,
                username: mote.eui,
                password: Buffer.from(password),
            },
        }),
    )
    socket.write(
        generate({
            ...{ cmd: "publish", topic: `vm/${mote.eui}/status`, payload: "online" },
            ...{ qos: 0, dup: false, retain: false },
        }),
    )
    await until(() => router.stats().mqttMotes === 1, "it is there")
    const closed = once(socket.resume(), "close")
    clinic.routerKeys = [other.routerKeys]
    await closed
})

test("a wrong password or user is refused", { skip }, async t => {
    const { connection } = await setUp(t)
    const attempt = (args: string[]) => promisify(execFile)("mosquitto_pub", [...args, "-t", "x", "-m", "x"])
    const wrong = connection("00".repeat(32))
    await assert.rejects(attempt(wrong), /[Bb]ad user name or password|not authori[sz]ed/)
    const nobody = connection()
    nobody[nobody.indexOf("-u") + 1] = "ffffffffffffffff"
    await assert.rejects(attempt(nobody), /unavailable/, "the clinic has yet to say")
    await assert.rejects(attempt(nobody), /[Bb]ad user name or password|not authori[sz]ed/)
})

test("a mote hears nothing but its own topics", { skip }, async t => {
    const { mote, other, connection } = await setUp(t)
    for (const topic of [
        ...["#", "vm/#", "vm/+/receipt", `vm/${other.eui}/receipt`, "$SYS/#", `vm/${mote.eui}/#`],
        ...[`vm/${mote.eui}/+`, `vm/${mote.eui}/vitals`, `vm/${mote.eui}/command/other`],
    ]) {
        const { stderr } = await promisify(execFile)("mosquitto_sub", [
            ...[...connection(), "-t", topic, "-W", "2", "-E"],
        ]).catch((error: { stderr: string }) => error)
        assert.match(stderr, /denied|not granted|All subscription requests were denied/i, topic)
    }
    for (const name of ["receipt", "config", "command/+", "command/identify"])
        await promisify(execFile)("mosquitto_sub", [...connection(), "-t", `vm/${mote.eui}/${name}`, "-E"])
})

/** A CONNECT packet of MQTT 3.1.1, then whatever follows. */
function connectPacket(mote: TestMote): Buffer {
    const text = (s: string) => Buffer.concat([Buffer.from([0, s.length]), Buffer.from(s)])
    const body = Buffer.concat([
        text("MQTT"),
        Buffer.from([4, 0xc2, 0, 60]),
        text("raw"),
        text(mote.eui),
        text(Buffer.from(mote.keys.mqtt).toString("hex")),
    ])
    return Buffer.concat([Buffer.from([0x10, body.length]), body])
}

async function bytesUntilClosed(port: number, ...pieces: Uint8Array[]): Promise<Buffer> {
    const socket = await openSocket(port)
    const received: Buffer[] = []
    socket.on("data", chunk => received.push(chunk))
    socket.on("error", () => {})
    for (const piece of pieces) socket.write(piece)
    await new Promise(resolve => socket.once("close", resolve))
    return Buffer.concat(received)
}

test("a packet that announces too much closes the connection, before CONNECT and after", async t => {
    const { mote, mqttPort } = await setUp(t)
    const length = (n: number) => [(n & 127) | 128, n >> 7]
    for (const head of [
        Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f]),
        Buffer.from([0x30, ...length(maxPacketBytes + 1)]),
        Buffer.from([0x30, 0xff, 0xff, 0xff, 0xff, 0x01]),
    ]) {
        await bytesUntilClosed(mqttPort, head)
        await bytesUntilClosed(mqttPort, connectPacket(mote), head)
    }
})

test("random bytes never stop the broker", async t => {
    const { mote, mqttPort, router, publish } = await setUp(t)
    await fc.assert(
        fc.asyncProperty(
            fc.boolean(),
            fc.array(fc.tuple(fc.nat({ max: 255 }), fc.uint8Array({ maxLength: 60 })), {
                maxLength: 5,
            }),
            async (connected, packets) => {
                const socket = await openSocket(mqttPort)
                socket.on("error", () => {}).resume()
                if (connected) socket.write(connectPacket(mote))
                for (const [type, body] of packets)
                    socket.write(Buffer.concat([Buffer.from([type, body.length]), body]))
                socket.end()
                await new Promise(resolve => socket.once("close", resolve))
            },
        ),
        { numRuns: 150 },
    )
    assert.equal(router.stats().stored, 0)
    if (isThere) assert.equal(await publish(`vm/${mote.eui}/vitals`, mote.envelope()), 0)
})
