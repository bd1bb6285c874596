import assert from "node:assert/strict"
import { test } from "node:test"
import { randomBytes } from "node:crypto"
import { makeCommand, makeConfig } from "../../wire/config.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { MqttPost, ScriptedBroker, serve } from "./scripted-broker.ts"
import { upTo, type Post } from "./scripted-router.ts"

/** A mote with `count` readings, one every `everyMs`, and its broker. */
async function start(o: { count?: number; everyMs?: number; prepare?: (broker: ScriptedBroker) => void }) {
    const { count = 10, everyMs = 2000 } = o
    const broker = new ScriptedBroker()
    o.prepare?.(broker)
    const run = await runProgram("test/src/uplink.ts", {
        clock: broker.clock,
        connect: broker.connect,
        settings: { ...broker.settings, count, everyMs },
    })
    return { ...run, broker }
}

const mqtt = (post: Post) => post as MqttPost
const hex = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString("hex")

test("the session follows docs/wire.md: clean, with a last will, subscribed, online", async () => {
    const { broker, run, panics, lines } = await start({ count: 20 })
    await run(45)
    assert.deepEqual(panics, [])
    assert.deepEqual(broker.readings, upTo(20))
    assert.deepEqual(broker.sendings(), upTo(20).fill(1))
    const { kid } = broker.settings
    assert.deepEqual(lines, [`mote ${kid}`, "linked"])
    assert.equal(broker.brokerConnections.length, 1)
    const [connection] = broker.brokerConnections
    const [connect, subscribe, online, ...rest] = connection!.packets
    assert.ok(connect?.cmd === "connect")
    assert.deepEqual(
        [connect.protocolId, connect.protocolVersion, connect.clean, connect.keepalive],
        ["MQTT", 4, true, 120],
    )
    assert.deepEqual([connect.clientId, connect.username], [kid, kid])
    assert.equal(connect.password?.toString(), hex(broker.keys.mqtt))
    const { topic, qos, retain, payload } = connect.will!
    assert.deepEqual([topic, qos, retain, String(payload)], [`vm/${kid}/status`, 1, true, "offline"])
    assert.ok(subscribe?.cmd === "subscribe")
    assert.deepEqual(
        subscribe.subscriptions.map(s => [s.topic, s.qos]),
        [
            [`vm/${kid}/receipt`, 0],
            [`vm/${kid}/config`, 1],
            [`vm/${kid}/command/+`, 1],
        ],
    )
    assert.ok(online?.cmd === "publish")
    assert.deepEqual(
        [online.topic, online.qos, online.retain, String(online.payload)],
        [`vm/${kid}/status`, 1, true, "online"],
    )
    assert.deepEqual(rest, [])
    const posts = broker.posts.map(p => mqtt(p).packet)
    assert.ok(posts.every(p => p.qos === 1 && !p.dup && !p.retain))
    const ids = [subscribe, online, ...posts].map(p => p.messageId)
    assert.deepEqual(
        ids,
        upTo(ids.length).map(n => n + 1),
    )
})

/** What a broker, or an impostor, may do instead of acknowledging and delivering the receipt. */
const faults: Record<string, (post: MqttPost, broker: ScriptedBroker) => void> = {
    "no answer": () => {},
    "a PUBACK without a receipt": p => p.acknowledge(),
    "a PUBACK for another identifier, and no receipt": p => send(p, Buffer.from([0x40, 2, 0xff, 0xff])),
    "a receipt with a wrong MAC": p => {
        const receipt = p.receipt()
        receipt[receipt.length - 1]! ^= 1
        p.publishReceipt(receipt)
        p.acknowledge()
    },
    "a receipt for another nonce": p => p.publishReceipt(p.receipt({ nonce: new Uint8Array(13) })),
    "the receipt of the envelope before": (p, broker) => {
        const before = broker.posts.find(q => q.hex !== p.hex)
        p.publishReceipt(before?.receipt() ?? Buffer.alloc(0))
        p.acknowledge()
    },
    "the receipt under another mote's topic": p => {
        const topic = "vm/ffffffffffffffff/receipt"
        brokerOf(p).publish("", p.receipt(), { topic })
    },
    "the end of the stream before the PUBACK": p => p.connection.stream.end(),
    "the end of the stream behind the PUBACK": p => {
        p.acknowledge()
        p.connection.stream.end()
    },
    "a malformed packet": p => send(p, Buffer.from("2002ffff", "hex")),
    "a second CONNACK": p => send(p, Buffer.from("20020000", "hex")),
    "a PUBLISH with QoS 2": p => brokerOf(p).publish("receipt", p.receipt(), { qos: 2, messageId: 1 }),
    "an announced gigabyte": p => send(p, Buffer.from("30ffffff7f", "hex")),
    "bytes that are no MQTT": p => send(p, Buffer.alloc(600, 0xff)),
}

const brokerOf = (p: MqttPost) => (p.router as ScriptedBroker).brokerConnections.at(-1)!
const send = (p: MqttPost, bytes: Uint8Array) => p.connection.stream.write(bytes)

for (const [what, fault] of Object.entries(faults))
    test(`${what}: the same bytes come again, everything arrives once`, async () => {
        // The second envelope fails three times, the fifth once.
        const wrong = [1, 2, 3, 7]
        const { broker, run, panics } = await start({
            count: 12,
            prepare: b => {
                b.onPost = post => {
                    if (wrong.includes(b.posts.length - 1)) fault(mqtt(post), b)
                    else post.accept()
                }
            },
        })
        await run(120)
        assert.deepEqual(panics, [])
        assert.deepEqual(broker.readings, upTo(12))
        assert.equal(broker.lost, 0)
        assert.equal(broker.sendings()[1], 4)
    })

test("without a PUBACK the same packet is sent again: same identifier, DUP; with one it is a new packet", async () => {
    const { broker, run } = await start({
        count: 3,
        prepare: b => {
            b.onPost = post => {
                if (b.posts.length === 2) mqtt(post).connection.stream.end()
                else if (b.posts.length === 4) mqtt(post).acknowledge()
                else post.accept()
            }
        },
    })
    await run(60)
    assert.deepEqual(broker.readings, upTo(3))
    const [, first, again, lost, anew] = broker.posts.map(p => mqtt(p).packet)
    assert.deepEqual([first!.dup, again!.dup, lost!.dup, anew!.dup], [false, true, false, false])
    assert.equal(again!.messageId, first!.messageId)
    assert.notEqual(anew!.messageId, lost!.messageId)
})

test("a receipt counts even without a PUBACK; the connection is closed", async () => {
    const { broker, run } = await start({
        count: 4,
        everyMs: 30_000,
        prepare: b => {
            b.onPost = post => {
                b.accepted(post)
                mqtt(post).publishReceipt()
            }
        },
    })
    await run(150)
    assert.deepEqual(broker.readings, upTo(4))
    assert.deepEqual(broker.sendings(), [1, 1, 1, 1])
    assert.ok(broker.brokerConnections.length >= 4)
    assert.ok(broker.brokerConnections.slice(0, -1).every(c => c.isClosed))
})

test("a silent connection is pinged, and closed without a response", async () => {
    const { broker, run, panics } = await start({ count: 2, everyMs: 400_000 })
    await run(390)
    const [connection] = broker.brokerConnections
    const pings = connection!.of("pingreq").length
    assert.ok(pings >= 4 && pings <= 7, `${pings} pings`)
    assert.equal(connection!.isClosed, false)
    broker.onPacket = (packet, c) => packet.cmd !== "pingreq" && serve(packet, c)
    await run(5)
    assert.equal(connection!.isClosed, false)
    await run(80)
    assert.ok(connection!.isClosed)
    // The next reading is sent over a new connection.
    assert.deepEqual(broker.readings, upTo(2))
    assert.deepEqual(panics, [])
})

test("a broker that refuses, or never completes the handshake, is tried again", async () => {
    const refusals: ScriptedBroker["onPacket"][] = [
        (packet, c) => packet.cmd === "connect" && c.send({ cmd: "connack", returnCode: 4, sessionPresent: false }),
        (packet, c) => packet.cmd === "connect" && c.send({ cmd: "connack", returnCode: 0, sessionPresent: true }),
        (packet, c) => packet.cmd === "connect" && c.send({ cmd: "pingresp" }),
        packet => packet.cmd === "connect",
        (packet, c) => packet.cmd !== "subscribe" && serve(packet, c),
        (packet, c) => {
            if (packet.cmd !== "subscribe") serve(packet, c)
            else c.send({ cmd: "suback", messageId: packet.messageId!, granted: [0x80, 1, 1] })
        },
        (packet, c) => packet.cmd !== "publish" && serve(packet, c),
    ]
    const { broker, run, panics, lines } = await start({
        count: 5,
        prepare: b => {
            b.onPacket = (packet, c) => (refusals[b.brokerConnections.length - 1] ?? serve)(packet, c)
        },
    })
    await run(240)
    assert.deepEqual(panics, [])
    assert.deepEqual(broker.readings, upTo(5))
    assert.equal(broker.brokerConnections.length, refusals.length + 1)
    assert.ok(broker.brokerConnections.slice(0, -1).every(c => c.isClosed))
    assert.ok(lines.includes("the broker refuses: 4"), lines.join("\n"))
})

test("the broker's handshake may break at every byte", async () => {
    /** CONNACK, SUBACK for three topics, PUBACK. */
    const greetingBytes = 4 + 7 + 4
    const { broker, run, panics } = await start({
        count: 3,
        prepare: b => {
            b.onPacket = (packet, c) => {
                const cut = b.brokerConnections.length - 1
                if (packet.cmd === "connect" && cut < greetingBytes) {
                    const write = c.stream.write.bind(c.stream)
                    let left = cut
                    c.stream.write = bytes => {
                        write(bytes.subarray(0, left))
                        left = Math.max(0, left - bytes.length)
                        if (left === 0) c.stream.end()
                    }
                }
                serve(packet, c)
            }
        },
    })
    await run(1200)
    assert.deepEqual(panics, [])
    assert.equal(broker.brokerConnections.length, greetingBytes + 1)
    assert.deepEqual(broker.readings, upTo(3))
})

/** Packet identifiers that the mote acknowledged. */
const acknowledged = (broker: ScriptedBroker) =>
    broker.brokerConnections.flatMap(c => c.of("puback").map(p => p.messageId))

/** Values with this name in the accepted envelopes. */
const said = (broker: ScriptedBroker, name: string) =>
    broker.posts.flatMap(p => p.measurements.filter(m => m.name === name).map(m => m.value))

test("a configuration is applied, then acknowledged, and the next envelope reports it", async () => {
    const { broker, run, panics } = await start({ count: 40 })
    await run(6)
    const [connection] = broker.brokerConnections
    const sealed = makeConfig({ hrHigh: 150 }, 7, broker.keys, randomBytes)
    connection!.publish("config", sealed, { qos: 1, messageId: 9, retain: true })
    await run(10)
    assert.deepEqual(acknowledged(broker), [9])
    assert.deepEqual(said(broker, "config"), [0, 7])
    // A retained message is delivered on every connection; an empty one only deletes it.
    connection!.publish("config", sealed, { qos: 1, messageId: 10, dup: true })
    connection!.publish("config", Buffer.alloc(0), { qos: 1, messageId: 11 })
    connection!.publish("config", Buffer.from("not a configuration"), { qos: 1, messageId: 12 })
    connection!.publish("config", sealed)
    await run(10)
    assert.deepEqual(acknowledged(broker), [9, 10, 11, 12])
    assert.deepEqual(said(broker, "config").at(-1), 7)
    assert.equal(broker.brokerConnections.length, 1)
    await run(80)
    assert.deepEqual(broker.readings, upTo(40))
    assert.deepEqual(panics, [])
})

test("commands arrive on topics with their names and are executed once", async () => {
    const { broker, run, panics } = await start({ count: 30, everyMs: 500 })
    const down = (name: "identify" | "clear", version: number) => makeCommand(name, version, broker.keys, randomBytes)
    await run(5)
    broker.onPost = () => {} // so that readings wait
    await run(3)
    const clear = down("clear", 1)
    const [connection] = broker.brokerConnections
    connection!.publish("command/clear", clear, { qos: 1, messageId: 1 })
    connection!.publish("command/clear", clear, { qos: 1, messageId: 2, dup: true })
    connection!.publish("command/clear", down("identify", 2), { qos: 1, messageId: 3 })
    connection!.publish("command/identify", down("identify", 3), { qos: 1, messageId: 4 })
    await run(2)
    assert.deepEqual(acknowledged(broker), [1, 2, 3, 4])
    broker.onPost = post => post.accept()
    await run(60)
    assert.deepEqual(panics, [])
    assert.ok(broker.lost > 0)
    assert.equal(broker.readings.length + broker.lost, 30)
})

test("a flood of messages, or one on an unsubscribed topic, ends the connection, not the mote", async () => {
    const { broker, run, panics } = await start({ count: 30, everyMs: 1000 })
    await run(5)
    const latest = () => broker.brokerConnections.at(-1)!
    const sealed = makeConfig({}, 1, broker.keys, randomBytes)
    for (let i = 1; i <= 50; i++) latest().publish("config", sealed, { qos: 1, messageId: i })
    await run(1)
    assert.ok(broker.brokerConnections[0]!.isClosed)
    await run(5)
    const { length } = broker.brokerConnections
    latest().publish("firmware", sealed)
    await run(5)
    assert.ok(broker.brokerConnections[length - 1]!.isClosed)
    await run(60)
    assert.deepEqual(panics, [])
    assert.deepEqual(broker.readings, upTo(30))
})
