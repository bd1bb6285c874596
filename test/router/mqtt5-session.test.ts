// The router's broker for clients of MQTT 5, packet by packet.
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import { decode } from "../../host/mqtt/decode.ts"
import { encode } from "../../host/mqtt/encode.ts"
import { Frames } from "../../host/mqtt/frames.ts"
import type { Connect, Packet, Publish, Subscription } from "../../host/mqtt/packet.ts"
import { silentLog } from "../../host/log.ts"
import { Router, SqliteStore } from "../../router/index.ts"
import { refreshMs } from "../../router/keyring.ts"
import { MqttBroker } from "../../router/mqtt/broker.ts"
import { maxSessionExpiryS } from "../../router/mqtt/held-sessions.ts"
import { ManualClock, settle } from "../support/clock.ts"
import { TestMote } from "../support/mote.ts"
import { streamPair } from "../support/stream-pair.ts"
import { MemoryClinic } from "./memory-clinic.ts"

async function setUp() {
    const clock = new ManualClock()
    const mote = TestMote.numbered(1)
    const clinic = new MemoryClinic(mote.routerKeys)
    let broker!: MqttBroker
    const router = new Router({
        ...{ clock, random: randomBytes, store: SqliteStore.inMemory(), clinic, log: silentLog },
        attach: [parts => (broker = new MqttBroker(parts))],
    })
    await clock.advance(refreshMs)
    const open = () => {
        const [stream, theirs] = streamPair()
        let received: Packet[] = []
        const frames = new Frames(100_000)
        broker.accept(theirs)
        const data = (bytes: Uint8Array) =>
            frames.push(bytes, (first, body) => received.push(decode(first, body, 5)) > 0)
        stream.listen({ data, closed: () => {} })
        /** Sends packets; returns what came back. */
        const ask = async (...packets: (Packet | Uint8Array)[]) => {
            for (const packet of packets) stream.write(packet instanceof Uint8Array ? packet : encode(packet, 5))
            await settle()
            await clock.advance(0)
            const seen = received
            received = []
            return seen
        }
        return { stream, ask }
    }
    const connect = (more: Partial<Connect> = {}): Connect => ({
        ...{ kind: "connect", version: 5, clientId: "c", clean: true, keepAlive: 60, user: mote.eui },
        ...{ password: Buffer.from(Buffer.from(mote.keys.mqtt).toString("hex")), ...more },
    })
    const own = (name: string) => `vm/${mote.eui}/${name}`
    const publish = (name: string, payload: Uint8Array | string, more: Partial<Publish> = {}): Publish => ({
        ...{ kind: "publish", topic: own(name), payload: Buffer.from(payload), qos: 1, id: 7 },
        ...{ retain: false, dup: false, ...more },
    })
    const subscribe = (name: string, more: Partial<Subscription> = {}): Packet => ({
        ...{ kind: "subscribe", id: 3, subscriptions: [{ filter: own(name), qos: 1, ...more }] },
    })
    /** The clinic has a configuration of this many bytes for the mote. */
    const configure = async (bytes: number) => {
        clinic.routerKeys = [{ ...mote.routerKeys, sealedConfig: new Uint8Array(bytes) }]
        await clock.advance(refreshMs)
    }
    return { clock, router, broker, clinic, mote, open, connect, publish, subscribe, configure }
}

/** What matters of packets, such as "puback 99 envelope refused: malformed". */
function brief(packets: Packet[]): string[] {
    return packets.map(packet => {
        const reason = ("properties" in packet && packet.properties?.reasonString) || ""
        if (packet.kind === "publish") {
            const { topic, qos, retain, dup, payload } = packet
            return `${topic.slice(20)} ${qos}${retain ? " retained" : ""}${dup ? " again" : ""} ${payload.length}`
        }
        const codes = "codes" in packet ? packet.codes : "code" in packet ? [packet.code] : []
        const present = packet.kind === "connack" && packet.sessionPresent ? ["present"] : []
        return [packet.kind, ...codes.map(code => code.toString(16)), ...present, reason].join(" ").trim()
    })
}

test("CONNACK tells a client of MQTT 5 what is served, and what it gets instead of what it asked for", async () => {
    const { open, connect } = await setUp()
    const [first] = await open().ask(connect({ clientId: "", keepAlive: 0, properties: { sessionExpiry: 1e6 } }))
    assert.ok(first?.kind === "connack" && first.code === 0)
    const { assignedClientId, ...properties } = first.properties!
    assert.match(assignedClientId!, /^auto-[0-9a-f]{24}$/)
    assert.deepEqual(properties, {
        ...{ receiveMaximum: 32, maximumQos: 1, maximumPacketSize: 8192, topicAliasMaximum: 8 },
        ...{ subscriptionIdsAvailable: 0, sharedAvailable: 0, serverKeepAlive: 600, sessionExpiry: maxSessionExpiryS },
    })
    const [second] = await open().ask(connect({ clientId: "d", keepAlive: 600, properties: { sessionExpiry: 60 } }))
    assert.ok(second?.kind === "connack")
    for (const name of ["assignedClientId", "serverKeepAlive", "sessionExpiry"] as const)
        assert.equal(second.properties?.[name], undefined)
})

test("a refused login has a reason", async () => {
    const { open, connect, mote } = await setUp()
    const will = { topic: `vm/${mote.eui}/status`, payload: Buffer.from("offline"), qos: 1 as const, retain: true }
    for (const [reply, more] of [
        ["connack 86 wrong user name or password", { password: Buffer.from("x") }],
        ["connack 86 wrong user name or password", { user: "somebody" }],
        ["connack 88 the clinic is being asked for the mote's keys", { user: "ffffffffffffffff" }],
        ["connack 87 the last will is not its own", { will: { ...will, topic: "a" } }],
        ["connack 9b QoS 2 is not served", { will: { ...will, qos: 2 } }],
        ["connack 8c only user and password are accepted", { properties: { authenticationMethod: "x" } }],
        ["connack 0", { will }],
    ] as [string, Partial<Connect>][]) {
        const { ask, stream } = open()
        assert.deepEqual(brief(await ask(connect(more))), [reply])
        assert.equal(stream.closed, reply !== "connack 0")
    }
})

test("a refused envelope has a reason code, and the connection stays; acknowledgements keep their order", async () => {
    const { open, connect, publish, mote, router } = await setUp()
    const { ask, stream } = open()
    await ask(connect())
    const replies = await ask(
        publish("vitals", mote.envelope(), { id: 1 }),
        publish("vitals", "garbage", { id: 2 }),
        publish("vitals", mote.envelope({ purpose: "alarm" }), { id: 3 }),
        publish("config", "x", { id: 4 }),
        publish("status", "on", { id: 5 }),
        publish("alarms", mote.envelope({ purpose: "alarm" }), { id: 6 }),
    )
    assert.deepEqual(brief(replies), [
        "puback 0",
        "puback 99 envelope refused: malformed",
        "puback 87 envelope refused: badMac",
        "puback 87 publishing there is not allowed",
        "puback 99 not a status",
        "puback 0",
    ])
    assert.deepEqual(
        replies.map(reply => "id" in reply && reply.id),
        [1, 2, 3, 4, 5, 6],
    )
    assert.equal(router.stats().stored, 2)
    assert.deepEqual(brief(await ask(publish("vitals", "garbage", { qos: 0, id: 0 }))), [
        "disconnect 99 envelope refused: malformed",
    ])
    assert.equal(stream.closed, true)
})

test("a client that wants no reasons gets codes only", async () => {
    const { open, connect, publish } = await setUp()
    const { ask } = open()
    await ask(connect({ properties: { requestProblemInformation: 0 } }))
    assert.deepEqual(brief(await ask(publish("vitals", "garbage"))), ["puback 99"])
})

test("topic aliases save the topic in both directions", async () => {
    const { open, connect, publish, subscribe, mote, router } = await setUp()
    const { ask } = open()
    await ask(connect({ properties: { topicAliasMaximum: 4 } }), subscribe("receipt"))
    const alias = { properties: { topicAlias: 3 } }
    const [first] = await ask(publish("vitals", mote.envelope(), alias))
    const [second] = await ask(publish("vitals", mote.envelope(), { ...alias, topic: "" }))
    assert.equal(router.stats().stored, 2)
    assert.ok(first?.kind === "publish" && second?.kind === "publish")
    assert.deepEqual([first.topic, first.properties], [`vm/${mote.eui}/receipt`, { topicAlias: 1 }])
    assert.deepEqual([second.topic, second.properties], ["", { topicAlias: 1 }])
    const unknown = await ask(publish("vitals", "", { topic: "", properties: { topicAlias: 5 } }))
    assert.deepEqual(brief(unknown), ["disconnect 82 unknown topic alias"])
    const other = open()
    await other.ask(connect({ clientId: "d" }))
    assert.deepEqual(brief(await other.ask(publish("vitals", "", { properties: { topicAlias: 9 } }))), [
        "disconnect 94 topic alias too large",
    ])
})

test("subscriptions are granted, or refused with a reason code", async () => {
    const { open, connect, subscribe } = await setUp()
    const { ask } = open()
    await ask(connect())
    const share = { filter: "$share/g/a" }
    const replies = [
        ...(await ask(
            subscribe("receipt"),
            subscribe("vitals"),
            subscribe("", share),
            subscribe("config", { qos: 2 }),
        )),
        ...(await ask({ kind: "unsubscribe", id: 4, filters: ["x"] })),
        ...(await ask({ ...subscribe("config"), properties: { subscriptionIds: [1] } } as Packet)),
    ]
    assert.deepEqual(brief(replies), [
        ...["suback 1", "suback 87", "suback 9e", "suback 1", "unsuback 11"],
        "disconnect a1 no subscription identifiers",
    ])
})

test("what a retained message is sent for, and its flag, is as the subscription says", async () => {
    const { open, connect, subscribe, configure } = await setUp()
    await configure(5)
    const { ask } = open()
    await ask(connect())
    const config = async (more: Partial<Subscription>) => brief(await ask(subscribe("config", more))).slice(1)
    assert.deepEqual(await config({ retainHandling: 2 }), [])
    assert.deepEqual(await config({ retainHandling: 1 }), [])
    assert.deepEqual(await config({ retainHandling: 0, retainAsPublished: true }), ["config 1 retained 5"])
    await configure(6)
    assert.deepEqual(brief(await ask()), ["config 1 retained 6"])
    await ask({ kind: "puback", id: 1, code: 0 }, subscribe("config", { retainHandling: 2 }))
    await configure(7)
    assert.deepEqual(brief(await ask()), ["config 1 7"])
})

test("a client's Receive Maximum and Maximum Packet Size hold", async () => {
    const { open, connect, subscribe, configure } = await setUp()
    const { ask } = open()
    await ask(connect({ properties: { receiveMaximum: 1, maximumPacketSize: 100 } }), subscribe("config"))
    await configure(10)
    await configure(11)
    assert.deepEqual(brief(await ask()), ["config 1 10"])
    assert.deepEqual(brief(await ask({ kind: "puback", id: 1, code: 0 })), ["config 1 11"])
    await configure(200)
    assert.deepEqual(brief(await ask({ kind: "puback", id: 2, code: 0 })), [])
    await configure(12)
    assert.deepEqual(brief(await ask()), ["config 1 12"])
})

test("a session continues until it expires: subscriptions, and what has no PUBACK", async () => {
    const { open, connect, subscribe, configure, clock, broker } = await setUp()
    const session = connect({ clean: false, properties: { sessionExpiry: 600 } })
    const first = open()
    assert.deepEqual(brief(await first.ask(session, subscribe("config"))), ["connack 0", "suback 1"])
    await configure(5)
    first.stream.destroy()
    await configure(6)
    await configure(7)
    const second = open()
    assert.deepEqual(brief(await second.ask(session)), ["connack 0 present", "config 1 again 5", "config 1 7"])
    const clean = open()
    assert.deepEqual(brief(await clean.ask(connect())), ["connack 0"])
    assert.deepEqual(brief(await second.ask()), ["disconnect 8e taken over"])
    clean.stream.destroy()
    const third = open()
    assert.deepEqual(brief(await third.ask(session, subscribe("config", { retainHandling: 2 }))).slice(0, 1), [
        "connack 0",
    ])
    third.stream.destroy()
    await clock.advance(600_001)
    const late = open()
    assert.deepEqual(brief(await late.ask(session)), ["connack 0"])
    assert.equal(broker.size, 1)
})

test("a client's DISCONNECT may end its session sooner, or ask for its last will, but not start a session", async () => {
    const { open, connect, publish, mote, router } = await setUp()
    const will = { topic: `vm/${mote.eui}/status`, payload: Buffer.from("offline"), qos: 1 as const, retain: true }
    const online = publish("status", "online")
    const session = connect({ clean: false, will, properties: { sessionExpiry: 600 } })
    const leave = async (code: number, sessionExpiry?: number) => {
        const { ask } = open()
        await ask(session, online)
        await ask({ kind: "disconnect", code, ...(sessionExpiry !== undefined && { properties: { sessionExpiry } }) })
        return router.stats().mqttMotes
    }
    assert.equal(await leave(0), 1, "no last will")
    assert.equal(await leave(4), 0)
    await leave(0, 0)
    const { ask } = open()
    assert.deepEqual(brief(await ask(session)), ["connack 0"])
    const clean = open()
    await clean.ask(connect({ clientId: "d" }))
    assert.deepEqual(brief(await clean.ask({ kind: "disconnect", code: 0, properties: { sessionExpiry: 5 } })), [
        "disconnect 82 a session that ends with its connection cannot be kept",
    ])
})

test("a last will waits for its delay, unless the session continues before", async () => {
    const { open, connect, publish, mote, router, clock } = await setUp()
    const payload = Buffer.from("offline")
    const delayed = { topic: `vm/${mote.eui}/status`, payload, qos: 1 as const, retain: true }
    const session = connect({
        ...{ clean: false, properties: { sessionExpiry: 600 } },
        will: { ...delayed, properties: { willDelay: 30 } },
    })
    const first = open()
    await first.ask(session, publish("status", "online"))
    first.stream.destroy()
    await clock.advance(29_000)
    const second = open()
    await second.ask(session)
    await clock.advance(30_000)
    assert.equal(router.stats().mqttMotes, 1)
    second.stream.destroy()
    await clock.advance(29_999)
    assert.equal(router.stats().mqttMotes, 1)
    await clock.advance(1)
    assert.equal(router.stats().mqttMotes, 0)
})

test("whoever breaks the protocol learns how, and is disconnected", async () => {
    const { open, connect, publish, mote, clock, clinic } = await setUp()
    const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex")
    const many = Array.from({ length: 33 }, (_, i) => publish("vitals", mote.envelope(), { id: i + 1 }))
    for (const [reply, ...packets] of [
        ["disconnect 9b QoS 2 is not served", publish("vitals", "", { qos: 2 })],
        ["disconnect 93 too many messages at once", ...many],
        ["disconnect 95 packet too large", hex("30 ff ff 7f")],
        ["disconnect 82 CONNECT must be the first packet and sent once", connect()],
        ["disconnect 82 packet type 15 is not spoken here", hex("f0 00")],
        ["disconnect 81 malformed packet: flags of the fixed header", hex("e1 00")],
        ["disconnect 82 unexpected pingresp", { kind: "pingresp" }],
        [
            "disconnect 97 a packet has at most 8 topic filters",
            { kind: "unsubscribe", id: 1, filters: Array(9).fill("a") },
        ],
    ] as [string, ...(Packet | Uint8Array)[]][]) {
        const { ask, stream } = open()
        await ask(connect())
        assert.equal(brief(await ask(...packets)).at(-1), reply)
        assert.equal(stream.closed, true)
    }
    const silent = open()
    await silent.ask(connect())
    await clock.advance(90_000)
    assert.deepEqual(brief(await silent.ask()), ["disconnect 8d the peer is silent"])
    const revoked = open()
    await revoked.ask(connect())
    clinic.routerKeys = []
    await clock.advance(refreshMs)
    assert.deepEqual(brief(await revoked.ask()), ["disconnect 98 the mote is revoked"])
})
