// The packets of MQTT 3.1.1 and 5, with the library `mqtt-packet` as the other side.
import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import mqttPacket from "mqtt-packet"
import { decode } from "../../host/mqtt/decode.ts"
import { encode } from "../../host/mqtt/encode.ts"
import { Frames } from "../../host/mqtt/frames.ts"
import type { Packet, Subscription, Version, Will } from "../../host/mqtt/packet.ts"
import { maxUserProperties, type Properties } from "../../host/mqtt/properties.ts"
import { MqttError } from "../../host/mqtt/reason.ts"

const maxBytes = 100_000

/** Decodes a stream that came in these pieces. */
function decodeStream(pieces: Uint8Array[], version: Version): Packet[] {
    const frames = new Frames(maxBytes)
    const packets: Packet[] = []
    for (const piece of pieces)
        frames.push(piece, (first, body) => packets.push(decode(first, Buffer.from(body), version)) > 0)
    return packets
}

const text = fc.string({ unit: "grapheme", maxLength: 12 }).filter(s => !s.includes("\0"))
const name = text.filter(s => s !== "" && !/[+#]/.test(s))
const bytes = fc.uint8Array({ maxLength: 20 }).map(b => Buffer.from(b))
const flag = fc.constantFrom(0, 1)
const uint16 = fc.nat({ max: 0xffff })
const positive16 = fc.integer({ min: 1, max: 0xffff })
const uint32 = fc.nat({ max: 0xffff_ffff })
const id = positive16
const qos = fc.constantFrom(0 as const, 1 as const)

/** Properties, or none of them. */
function some(model: { [K in keyof Properties]: fc.Arbitrary<Properties[K]> }): fc.Arbitrary<Properties | undefined> {
    const userProperties = fc
        .uniqueArray(fc.tuple(name, name), { minLength: 1, maxLength: 4, selector: ([key]) => key })
        .filter(pairs => pairs.every(([key]) => !(key in {}))) as fc.Arbitrary<[string, string][]>
    return fc
        .record({ ...model, userProperties } as Record<string, fc.Arbitrary<unknown>>, { requiredKeys: [] })
        .map(properties => (Object.keys(properties).length > 0 ? (properties as Properties) : undefined))
}
const aboutMessage = { payloadFormat: flag, messageExpiry: uint32, contentType: name, responseTopic: name }
const reason = some({ reasonString: name })

/** A packet for a connection of this version. */
function packet(version: Version): fc.Arbitrary<Packet> {
    const none = fc.constant(undefined)
    const p = (properties: fc.Arbitrary<Properties | undefined>) => (version === 5 ? properties : none)
    const code = (...known: number[]) => (version === 5 ? fc.constantFrom(...known) : fc.constant(0))
    const will: fc.Arbitrary<Will> = fc.record({
        ...{ topic: name, payload: bytes, qos, retain: fc.boolean() },
        properties: p(some({ ...aboutMessage, willDelay: uint32, correlationData: bytes })),
    })
    const subscription: fc.Arbitrary<Subscription> =
        version === 4
            ? fc.record({ filter: name, qos })
            : fc.record({
                  ...{ filter: name, qos, noLocal: fc.boolean(), retainAsPublished: fc.boolean() },
                  retainHandling: fc.constantFrom(0, 1, 2),
              })
    const kinds: { [K in Packet["kind"]]: fc.Arbitrary<object> } = {
        connect: fc.record({
            ...{ version: fc.constant(version), clean: fc.boolean(), keepAlive: uint16, clientId: name },
            ...{ will: fc.option(will, { nil: undefined }), user: name },
            password: fc.option(bytes, { nil: undefined }),
            properties: p(
                some({
                    ...{ sessionExpiry: uint32, receiveMaximum: positive16, maximumPacketSize: positive16 },
                    ...{ topicAliasMaximum: uint16, requestProblemInformation: flag },
                    ...{ requestResponseInformation: flag, authenticationMethod: name, authenticationData: bytes },
                }),
            ),
        }),
        connack: fc.record({
            ...{ sessionPresent: fc.boolean(), code: version === 5 ? code(0, 0x87, 0x95) : fc.nat({ max: 5 }) },
            properties: p(
                some({
                    ...{ sessionExpiry: uint32, receiveMaximum: positive16, maximumQos: flag, retainAvailable: flag },
                    ...{ maximumPacketSize: positive16, assignedClientId: name, topicAliasMaximum: uint16 },
                    ...{ wildcardAvailable: flag, subscriptionIdsAvailable: flag, sharedAvailable: flag },
                    ...{
                        serverKeepAlive: uint16,
                        responseInformation: name,
                        serverReference: name,
                        reasonString: name,
                    },
                }),
            ),
        }),
        publish: fc
            .record({
                ...{ topic: name, payload: bytes, qos, retain: fc.boolean(), dup: fc.boolean(), id },
                properties: p(some({ ...aboutMessage, correlationData: bytes, topicAlias: positive16 })),
            })
            .map(({ dup, id, ...more }) => ({ ...more, dup: dup && more.qos === 1, id: more.qos === 1 ? id : 0 })),
        puback: fc.record({ id, code: code(0, 0x10, 0x80, 0x97), properties: p(reason) }),
        subscribe: fc.record({
            ...{ id, subscriptions: fc.array(subscription, { minLength: 1, maxLength: 4 }) },
            properties: p(some({})),
        }),
        suback: fc.record({
            ...{ id, codes: fc.array(fc.constantFrom(0, 1, 0x80), { minLength: 1, maxLength: 4 }) },
            properties: p(reason),
        }),
        unsubscribe: fc.record({
            ...{ id, filters: fc.array(name, { minLength: 1, maxLength: 4 }), properties: p(some({})) },
        }),
        unsuback: fc.record({
            ...{ id, codes: version === 5 ? fc.array(code(0, 0x11), { minLength: 1 }) : fc.constant([]) },
            properties: p(reason),
        }),
        pingreq: fc.constant({}),
        pingresp: fc.constant({}),
        disconnect: fc.record({
            ...{ code: code(0, 4, 0x81, 0x8e) },
            properties: p(some({ sessionExpiry: uint32, reasonString: name, serverReference: name })),
        }),
    }
    return fc.oneof(...Object.entries(kinds).map(([kind, more]) => more.map(rest => ({ kind, ...rest }) as Packet)))
}

const versioned = fc
    .constantFrom<Version>(4, 5)
    .chain(version => fc.tuple(fc.constant(version), fc.array(packet(version), { minLength: 1, maxLength: 4 })))

/** Without what is undefined, and with the bytes in hex. */
function plain(packets: Packet[]): unknown {
    const text = JSON.stringify(packets, (_key, value: unknown) =>
        value && typeof value === "object" && "type" in value && value.type === "Buffer"
            ? Buffer.from((value as unknown as { data: number[] }).data).toString("hex")
            : value,
    )
    return JSON.parse(text)
}

test("every packet is decoded as it was encoded, whatever the pieces in which it comes", () => {
    fc.assert(
        fc.property(versioned, fc.infiniteStream(fc.integer({ min: 1, max: 40 })), ([version, packets], sizes) => {
            const stream = Buffer.concat(packets.map(packet => encode(packet, version)))
            const pieces: Uint8Array[] = []
            for (let at = 0; at < stream.length;) {
                const size = sizes.next().value
                pieces.push(stream.subarray(at, at + size))
                at += size
            }
            assert.deepEqual(plain(decodeStream(pieces, version)), plain(packets))
            assert.deepEqual(plain(decodeStream([stream], version)), plain(packets))
        }),
    )
})

test("mqtt-packet understands what is encoded here, and what it encodes is understood here", () => {
    fc.assert(
        fc.property(versioned, ([version, packets]) => {
            for (const packet of packets) {
                const theirs = mqttPacket.parser({ protocolVersion: version })
                const parsed: mqttPacket.Packet[] = []
                theirs.on("packet", packet => parsed.push(packet))
                theirs.on("error", error => assert.fail(error))
                theirs.parse(encode(packet, version))
                assert.equal(parsed.length, 1)
                const again = mqttPacket.generate(parsed[0]!, { protocolVersion: version })
                assert.deepEqual(sorted(decodeStream([again], version)), sorted([packet]))
            }
        }),
    )
})

/** Their encoder writes user properties in another order, and leaves reason codes of 0 out or in. */
function sorted(packets: Packet[]): unknown {
    return plain(
        packets.map(packet => {
            if (!("properties" in packet) || !packet.properties?.userProperties) return packet
            const userProperties = [...packet.properties.userProperties].sort()
            return { ...packet, properties: { ...packet.properties, userProperties } }
        }),
    )
}

/** Random bytes, and packets of which some bytes have been changed, cut off or added. */
const garbage = versioned.chain(([version, packets]) => {
    const good = Buffer.concat(packets.map(packet => encode(packet, version)))
    const change = fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }))
    const changed = fc.array(change, { minLength: 1, maxLength: 4 }).map(changes => {
        const bytes = Buffer.from(good)
        for (const [at, value] of changes) bytes[at] = value
        return bytes
    })
    const random = fc.uint8Array({ maxLength: 80 }).map(bytes => Buffer.from(bytes))
    const cut = fc.nat({ max: good.length }).map(end => good.subarray(0, end))
    return fc.tuple(fc.constant(version), fc.oneof(changed, random, cut))
})

test("of garbage every packet is refused with a reason code, or means one thing only", () => {
    fc.assert(
        fc.property(garbage, ([version, stream]) => {
            const frames = new Frames(maxBytes)
            try {
                frames.push(stream, (first, body) => {
                    const packet = decode(first, body, version)
                    const own = packet.kind === "connect" ? packet.version : version
                    const users = "properties" in packet ? (packet.properties?.userProperties?.length ?? 0) : 0
                    assert.ok(users <= maxUserProperties)
                    assert.deepEqual(plain(decodeStream([encode(packet, own)], own)), plain([packet]))
                    return true
                })
            } catch (error) {
                if (!(error instanceof MqttError)) throw error
                assert.ok(error.code >= 0x80)
            }
        }),
        { numRuns: 1000 },
    )
})

/** Hex to the reason code of the refusal. */
function refusal(hex: string, version: Version = 5): number | undefined {
    try {
        decodeStream([Buffer.from(hex.replaceAll(" ", ""), "hex")], version)
        return undefined
    } catch (error) {
        return (error as MqttError).code
    }
}

test("what the standard forbids is refused by the codes of MQTT 5", () => {
    for (const [hex, code, version] of [
        ["e0 00", undefined], // DISCONNECT
        ["e0 01 04", undefined],
        ["e0 01 05", 0x81], // a reason code that it does not have
        ["e1 00", 0x81], // flags
        ["f0 00", 0x82], // AUTH
        ["00 00", 0x82],
        ["c0 01 00", 0x81], // PINGREQ with a body
        ["40 02 00 00", 0x81], // PUBACK 0
        ["40 02 00 01", undefined],
        ["40 04 00 01 00 00", undefined],
        ["40 04 00 01 00 00", 0x81, 4], // MQTT 3.1.1 has no reason code there
        ["30 03 00 01 2b", 0x90], // PUBLISH to "+"
        ["30 04 00 01 61 00", undefined],
        ["30 03 00 01 61", undefined, 4],
        ["36 06 00 01 61 00 01 00", 0x81], // QoS 3
        ["38 04 00 01 61 00", 0x81], // DUP with QoS 0
        ["30 03 00 00 00", 0x82], // neither topic nor alias
        ["30 06 00 00 03 23 00 00", 0x94], // alias 0
        ["30 06 00 00 03 23 00 01", undefined],
        ["30 09 00 00 06 23 00 01 23 00 01", 0x82], // an alias twice
        ["30 06 00 01 61 02 01 02", 0x82], // Payload Format Indicator 2
        ["30 06 00 01 61 02 17 01", 0x81], // a property of CONNECT
        ["30 05 00 01 61 80 00", 0x81], // a length in more bytes than needed
        ["30 04 00 01 00 00", 0x81], // U+0000
        ["30 05 00 02 c3 28 00", 0x81], // not UTF-8
        ["30 06 00 03 ed a0 80 00", 0x81], // a surrogate
        ["30 ff ff ff 7f", 0x95],
        ["30 80 80 80 80 01", 0x81],
        ["82 03 00 01 00", 0x81], // no topic filter
        ["82 07 00 01 00 00 01 61 03", 0x81], // QoS 3
        ["82 07 00 01 00 00 01 61 30", 0x82], // Retain Handling 3
        ["82 07 00 01 00 00 01 61 40", 0x81],
        ["82 06 00 01 00 01 61 04", 0x81, 4],
        ["10 0c 00 04 4d 51 54 54 03 02 00 00 00 00", 0x84],
        ["10 0e 00 06 4d 51 49 73 64 70 03 02 00 00 00 00", 0x84],
        ["10 0c 00 04 4d 51 54 54 04 02 00 00 00 00", undefined],
        ["10 0c 00 04 4d 51 54 54 04 03 00 00 00 00", 0x81], // the reserved flag
        ["10 0c 00 04 4d 51 54 54 04 0a 00 00 00 00", 0x81], // QoS of no last will
        ["10 10 00 04 4d 51 54 54 04 42 00 00 00 00 00 02 61 61", 0x81], // a password, no user
    ] as [string, number | undefined, Version?][])
        assert.equal(refusal(hex, version), code, hex)
})
