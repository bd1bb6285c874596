// A client's connections to a broker that does as the test says.
import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { test } from "node:test"
import { silentLog } from "../../host/log.ts"
import { MqttConnection } from "../../host/mqtt/client.ts"
import { decode } from "../../host/mqtt/decode.ts"
import { encode } from "../../host/mqtt/encode.ts"
import { Frames } from "../../host/mqtt/frames.ts"
import type { Packet, Version } from "../../host/mqtt/packet.ts"
import { Reconnection } from "../../host/mqtt/reconnection.ts"
import { ManualClock, settle } from "../support/clock.ts"
import { streamPair } from "../support/stream-pair.ts"

/** A client that connects again and again to a broker with these answers, one a connection, the last one for all others. */
function setUp(...answers: (Packet | Uint8Array)[][]) {
    const clock = new ManualClock()
    /** The versions of the CONNECTs so far. */
    const versions: Version[] = []
    const received: string[] = []
    const reasons: string[] = []
    const access = {
        url: "mqtt://broker",
        connect: async () => {
            const [near, far] = streamPair()
            const frames = new Frames(1000)
            const answer = answers.length > 1 ? answers.shift()! : answers[0]!
            far.listen({
                data: bytes =>
                    frames.push(bytes, (first, body) => {
                        const packet = decode(first, body, 5)
                        if (packet.kind !== "connect") return true
                        versions.push(packet.version)
                        for (const bytes of answer)
                            far.write(bytes instanceof Uint8Array ? bytes : encode(bytes, packet.version))
                        return true
                    }),
                closed: () => {},
            })
            return near
        },
    }
    const reconnection = new Reconnection({
        ...{ clock, random: randomBytes, log: silentLog, access },
        opened: (stream, version) =>
            void new MqttConnection({
                ...{ clock, stream, maxPacketBytes: 100, hello: { version, clientId: "c", clean: true } },
                owner: {
                    connected: () => reconnection.ready(),
                    received: ({ kind }) => received.push(kind),
                    closed: (reason, isOtherVersion) => {
                        reasons.push(reason)
                        reconnection.lost(reason, isOtherVersion)
                    },
                },
            }),
    })
    return { clock, versions, received, reasons, close: () => reconnection.close() }
}

const accepted: Packet = { kind: "connack", sessionPresent: false, code: 0 }

test("a broker that speaks MQTT 3.1.1 only is asked again in that", async () => {
    for (const refusal of [Uint8Array.of(0x20, 2, 0, 1), encode({ ...accepted, code: 0x84 }, 5)]) {
        const { clock, versions, close } = setUp([refusal], [accepted])
        await clock.advance(5_000)
        assert.deepEqual(versions, [5, 4])
        close()
    }
})

test("what a broker does wrong ends the connection, and another one is tried", async () => {
    const message: Packet = {
        kind: "publish",
        topic: "a",
        payload: Buffer.alloc(0),
        qos: 0,
        retain: false,
        dup: false,
        id: 0,
    }
    for (const [reason, ...packets] of [
        [
            "the broker refuses the login: not today",
            { ...accepted, code: 0x87, properties: { reasonString: "not today" } },
        ],
        ["the broker refuses the login: 0x0", accepted, accepted],
        ["the broker has not accepted the login", message],
        ["the broker disconnects: 0x8b", accepted, { kind: "disconnect", code: 0x8b }],
        ["packet too large", accepted, { ...message, payload: Buffer.alloc(200) }],
        ["malformed packet: flags of the fixed header", accepted, Uint8Array.of(0x21, 0)],
    ] as [string, ...(Packet | Uint8Array)[]][]) {
        const { clock, versions, reasons, close } = setUp(packets, [accepted])
        await settle()
        assert.deepEqual(reasons, [reason])
        await clock.advance(5_000)
        assert.deepEqual(versions, [5, 5])
        close()
    }
})

test("a broker that is silent is left: before the login after 10 s, then after a PINGREQ and 30 s", async () => {
    const mute = setUp([])
    await mute.clock.advance(9_999)
    assert.deepEqual(mute.reasons, [])
    await mute.clock.advance(1)
    assert.deepEqual(mute.reasons, ["the broker is silent"])
    mute.close()
    const dying = setUp([accepted])
    await dying.clock.advance(30_000)
    assert.deepEqual(dying.reasons, ["the broker is silent"])
    dying.close()
})
