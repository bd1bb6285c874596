import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import mqttPacket, { type Packet } from "mqtt-packet"
import { silentLog } from "../../host/log.ts"
import { Router, SqliteStore } from "../../router/index.ts"
import { refreshMs } from "../../router/keyring.ts"
import { MqttBroker } from "../../router/mqtt/broker.ts"
import { loginMs, maxUnproductive } from "../../router/mqtt/session.ts"
import { ManualClock, settle } from "../support/clock.ts"
import { MemoryClinic } from "./memory-clinic.ts"
import { TestMote } from "../support/mote.ts"
import { streamPair } from "../support/stream-pair.ts"

/** A router with its MQTT side, on a clock that a test moves. */
async function setUp() {
    const clock = new ManualClock()
    const motes = [TestMote.numbered(1), TestMote.numbered(2)] as const
    const clinic = new MemoryClinic(...motes.map(({ routerKeys }) => routerKeys))
    let broker!: MqttBroker
    const router = new Router({
        ...{ clock, random: randomBytes, store: SqliteStore.inMemory(), clinic, log: silentLog },
        attach: [parts => (broker = new MqttBroker(parts))],
    })
    await clock.advance(refreshMs)
    let peers = 0
    /** A peer that says nothing by itself. */
    const connect = () => {
        const [stream, theirs] = streamPair()
        Object.assign(theirs, { peer: `10.0.0.${++peers}:1` })
        const received: Packet[] = []
        const parser = mqttPacket.parser({ protocolVersion: 4 })
        parser.on("packet", packet => received.push(packet))
        broker.accept(theirs)
        stream.listen({ data: bytes => void parser.parse(Buffer.from(bytes)), closed: () => {} })
        const send = async (...packets: (Partial<Packet> | Uint8Array)[]) => {
            for (const packet of packets)
                stream.write(packet instanceof Uint8Array ? packet : mqttPacket.generate(packet as Packet))
            await settle()
            await clock.advance(0)
        }
        /** What came since, as "connack 0". */
        const seen = () =>
            received.splice(0).map(packet => {
                const { cmd } = packet
                if (cmd === "connack") return `connack ${packet.returnCode}`
                if (cmd === "suback") return `suback ${packet.granted.join(" ")}`
                if (cmd === "publish")
                    return `${packet.topic.slice(20)} ${packet.qos} ${packet.retain ? "retained" : "-"} ${packet.payload.length}`
                return cmd
            })
        return { stream, send, seen, received }
    }
    const login = (mote: TestMote, more: object = {}) => ({
        ...{ cmd: "connect" as const, protocolId: "MQTT" as const, protocolVersion: 4 as const, clean: true },
        ...{ clientId: mote.eui, keepalive: 120, username: mote.eui },
        ...{ password: Buffer.from(Buffer.from(mote.keys.mqtt).toString("hex")), ...more },
    })
    const publish = (topic: string, payload: Uint8Array | string, messageId = 7) => ({
        ...{ cmd: "publish" as const, topic, payload: Buffer.from(payload), qos: 1 as const, messageId },
        ...{ dup: false, retain: false },
    })
    const subscribe = (...topics: string[]) => ({
        ...{ cmd: "subscribe" as const, messageId: 3 },
        subscriptions: topics.map(topic => ({ topic, qos: 1 as const })),
    })
    return { clock, router, broker, clinic, mote: motes[0], other: motes[1], connect, login, publish, subscribe }
}

test("a mote logs in, subscribes, publishes, and hears what is for it", async () => {
    const { mote, clinic, clock, connect, login, publish, subscribe, router } = await setUp()
    clinic.routerKeys = [{ ...mote.routerKeys, sealedConfig: Uint8Array.of(1, 2) }]
    await clock.advance(refreshMs)
    const { send, seen } = connect()
    const at = `vm/${mote.eui}`
    await send(login(mote), subscribe(`${at}/receipt`, `${at}/config`, `${at}/command/+`))
    assert.deepEqual(seen(), ["connack 0", "suback 1 1 1", "config 1 retained 2"])
    await send(publish(`${at}/status`, "online"))
    assert.equal(router.stats().mqttMotes, 1)
    const envelope = mote.envelope()
    await send({ cmd: "puback", messageId: 1 }, publish(`${at}/vitals`, envelope, 8))
    assert.deepEqual(seen(), ["puback", "receipt 0 - 28", "puback"])
    await send({ cmd: "pingreq" }, { cmd: "unsubscribe", messageId: 4, unsubscriptions: [`${at}/config`] })
    assert.deepEqual(seen(), ["pingresp", "unsuback"])
    clinic.routerKeys = [{ ...mote.routerKeys, commands: [{ name: "identify", sealed: Uint8Array.of(5) }] }]
    await clock.advance(refreshMs)
    assert.deepEqual(seen(), ["command/identify 1 - 1"])
})

test("only the documented topics can be subscribed to, and few at a time", async () => {
    const { mote, other, connect, login, subscribe } = await setUp()
    const { send, seen, stream } = connect()
    await send(login(mote))
    const at = `vm/${mote.eui}`
    await send(
        subscribe(
            "#",
            `${at}/#`,
            `${at}/+`,
            `${at}/status`,
            `vm/${other.eui}/receipt`,
            `${at}/command/x`,
            `${at}/receipt/x`,
        ),
    )
    assert.deepEqual(seen(), ["connack 0", `suback ${Array(7).fill(128).join(" ")}`])
    await send(subscribe(...Array.from({ length: 9 }, (_, i) => `${at}/${i}`)))
    assert.equal(stream.closed, true)
})

test("a million subscriptions are some dozens, and then the connection is closed", async () => {
    const { mote, connect, login, subscribe } = await setUp()
    const { send, stream, seen } = connect()
    await send(login(mote))
    seen()
    for (let i = 0; i < 1000 && !stream.closed; i++)
        await send(subscribe(...Array.from({ length: 8 }, (_, j) => `vm/${mote.eui}/command/${i}-${j}`)))
    assert.equal(stream.closed, true)
    assert.ok(seen().length <= maxUnproductive)
})

test("SUBSCRIBE and UNSUBSCRIBE without a topic filter cost the peer its connection, and nobody else anything", async () => {
    const { mote, other, connect, login, broker } = await setUp()
    const neighbour = connect()
    await neighbour.send(login(other))
    for (const header of [0x82, 0xa2]) {
        const { send, stream, seen } = connect()
        await send(login(mote))
        assert.deepEqual(seen(), ["connack 0"])
        await send(Uint8Array.of(header, 2, 0, 3))
        assert.deepEqual([stream.closed, seen()], [true, []])
    }
    await neighbour.send({ cmd: "pingreq" })
    assert.deepEqual([neighbour.seen(), broker.size], [["connack 0", "pingresp"], 1])
})

test("who does not log in within five seconds is cut off, whatever else it sends", async () => {
    const { mote, clock, connect, login, broker } = await setUp()
    const silent = connect()
    const other = connect()
    await other.send(login(mote, { password: Buffer.from("wrong") }))
    assert.deepEqual(other.seen(), ["connack 4"])
    const early = connect()
    await early.send({ cmd: "pingreq" })
    assert.equal(early.stream.closed, true)
    assert.equal(silent.stream.closed, false)
    await clock.advance(loginMs)
    assert.equal(silent.stream.closed, true)
    assert.equal(broker.size, 0)
    assert.equal(clock.waiting, 1, "only the keyring's")
})

test("other protocols and levels, foreign wills and unnamed sessions are refused by the codes of MQTT 3.1.1", async () => {
    const { mote, other, connect, login } = await setUp()
    const will = (topic: string, payload = "offline") => ({
        topic,
        payload: Buffer.from(payload),
        qos: 1,
        retain: true,
    })
    for (const [code, more] of [
        [1, { protocolVersion: 3 }],
        [1, { protocolId: "MQIsdp", protocolVersion: 3 }],
        [2, { clientId: "", clean: false }],
        [3, { username: "ffffffffffffffff" }],
        [4, { username: "ffffffffffffffff" }],
        [4, { username: undefined, password: undefined }],
        [5, { will: will(`vm/${other.eui}/status`) }],
        [5, { will: will(`vm/${mote.eui}/status`, "online") }],
        [0, { will: will(`vm/${mote.eui}/status`) }],
        [0, { keepalive: 0 }],
        [0, { keepalive: 65_535 }],
        [0, { clean: false }],
    ] as const) {
        const { send, seen, stream } = connect()
        const packet = Buffer.from(
            mqttPacket.generate(
                login(mote, { ...more, protocolVersion: 4, protocolId: "MQTT", clean: true }) as Packet,
            ),
        )
        // The encoder refuses what the router has to.
        const [level, flags] = [8, 9]
        if ("protocolVersion" in more) packet[level] = 3
        if ("clean" in more) packet[flags]! &= ~2
        const bytes = "protocolId" in more ? mqttPacket.generate(login(mote, more) as Packet) : packet
        await send(bytes)
        assert.deepEqual(seen(), [`connack ${code}`], JSON.stringify(more))
        assert.equal(stream.closed, code !== 0)
    }
})

test("a mote that promises no sign of life, or none for long, is asked for one all the same", async () => {
    const { mote, clock, connect, login } = await setUp()
    for (const [keepalive, seconds] of [
        [0, 900],
        [65_535, 900],
        [60, 90],
    ] as const) {
        const { send, stream } = connect()
        await send(login(mote, { keepalive }))
        await clock.advance(seconds * 1000 - 1)
        assert.equal(stream.closed, false)
        await clock.advance(1)
        assert.equal(stream.closed, true)
    }
})

test("what is not acknowledged is bounded: four under way, the newest configuration behind them", async () => {
    const { mote, connect, login, subscribe, clinic, clock } = await setUp()
    const { send, seen, stream } = connect()
    await send(login(mote, { keepalive: 600 }), subscribe(`vm/${mote.eui}/config`))
    seen()
    const config = async (bytes: number) => {
        clinic.routerKeys = [{ ...mote.routerKeys, sealedConfig: new Uint8Array(bytes) }]
        await clock.advance(refreshMs)
    }
    for (let bytes = 1; bytes <= 20; bytes++) await config(bytes)
    assert.deepEqual(
        seen(),
        [1, 2, 3, 4].map(bytes => `config 1 - ${bytes}`),
    )
    await send({ cmd: "puback", messageId: 1 })
    assert.deepEqual(seen(), ["config 1 - 20"])
    await send({ cmd: "puback", messageId: 2 })
    assert.deepEqual(seen(), [])
    assert.equal(stream.closed, false)
})

test("four connections of one mote, no more; under the same name one takes over from the other", async () => {
    const { mote, connect, login, router } = await setUp()
    const peers = [1, 2, 3, 4, 5].map(() => connect())
    for (const [i, { send }] of peers.entries()) await send(login(mote, { clientId: `${i}` }))
    assert.deepEqual(
        peers.map(({ stream }) => stream.closed),
        [true, false, false, false, false],
    )
    const again = connect()
    await again.send(login(mote, { clientId: "3" }))
    assert.equal(peers[3]!.stream.closed, true)
    assert.equal(again.stream.closed, false)
    assert.equal(router.stats().mqttMotes, 0)
})

test("the last will of a connection that another one has followed says nothing", async () => {
    const { mote, connect, login, publish, router } = await setUp()
    const topic = `vm/${mote.eui}/status`
    const will = { topic, payload: Buffer.from("offline"), qos: 1, retain: true }
    const [first, second] = [connect(), connect()]
    await first.send(login(mote, { clientId: "1", will }), publish(topic, "online"))
    await second.send(login(mote, { clientId: "2", will }), publish(topic, "online"))
    first.stream.destroy()
    await settle()
    assert.equal(router.stats().mqttMotes, 1)
    second.stream.destroy()
    await settle()
    assert.equal(router.stats().mqttMotes, 0)
})

test("replays and pings cost; new envelopes do not", async () => {
    const { mote, connect, login, publish } = await setUp()
    const topic = `vm/${mote.eui}/vitals`
    const good = connect()
    await good.send(login(mote))
    for (let i = 0; i < 3 * maxUnproductive; i++) await good.send(publish(topic, mote.envelope(), i + 1))
    assert.equal(good.stream.closed, false)
    assert.equal(good.seen().filter(packet => packet === "puback").length, 3 * maxUnproductive)
    const envelope = mote.envelope()
    for (let i = 0; i < maxUnproductive + 2; i++) await good.send(publish(topic, envelope))
    assert.equal(good.stream.closed, true)
    const pinging = connect()
    await pinging.send(login(mote))
    await pinging.send(Buffer.concat(Array<Uint8Array>(5000).fill(mqttPacket.generate({ cmd: "pingreq" }))))
    assert.equal(pinging.stream.closed, true)
    assert.ok(pinging.received.length <= maxUnproductive + 2)
})
