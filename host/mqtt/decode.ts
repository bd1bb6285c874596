import {
    types,
    type Connack,
    type Connect,
    type Packet,
    type Publish,
    type Qos,
    type Subscription,
    type Version,
    type Will,
} from "./packet.ts"
import { readProperties, type Properties, type PropertyPlace } from "./properties.ts"
import { malformed, Reader } from "./reader.ts"
import { MqttError, Reason } from "./reason.ts"

const kinds = new Map<number, Packet["kind"]>(
    Object.entries(types).map(([kind, { type }]) => [type, kind as Packet["kind"]]),
)
/** The reason codes that a packet may have (§3.4.2.1, §3.9.3, §3.11.3, §3.14.2.1). */
const codes = {
    puback: new Set([0, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99]),
    suback: new Set([0, 1, 2, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2]),
    unsuback: new Set([0, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91]),
    disconnect: new Set([0, 4, ...range(0x80, 0x83), 0x87, 0x89, 0x8b, ...range(0x8d, 0x90), ...range(0x93, 0xa2)]),
}
/** The return codes of SUBACK in MQTT 3.1.1 (§3.9.3). */
const grants = new Set([0, 1, 2, 0x80])

function range(first: number, last: number): number[] {
    return Array.from({ length: last - first + 1 }, (_, i) => first + i)
}

/**
 * Decodes a packet from the first byte of its fixed header and the bytes after the header.
 * @param version that of the connection; for CONNECT, which has its own, any
 * Throws MqttError. For a CONNECT of another version its code is `unsupportedVersion`.
 */
export function decode(first: number, body: Buffer, version: Version): Packet {
    const kind = kinds.get(first >> 4)
    if (kind === undefined) throw new MqttError(Reason.protocolError, `packet type ${first >> 4} is not spoken here`)
    const { flags } = types[kind]
    if (flags !== undefined && (first & 15) !== flags) throw malformed("flags of the fixed header")
    const reader = new Reader(body)
    const packet = decodeKind(kind, first & 15, reader, version)
    if (!reader.isAtEnd) throw malformed("packet too long")
    return packet
}

function decodeKind(kind: Packet["kind"], flags: number, reader: Reader, version: Version): Packet {
    switch (kind) {
        case "connect":
            return connect(reader)
        case "connack":
            return connack(reader, version)
        case "publish":
            return publish(flags, reader, version)
        case "puback":
            return { kind, id: reader.id(), ...outcome(kind, reader, version) }
        case "subscribe": {
            const head = { kind, id: reader.id(), ...propertiesOf(kind, reader, version) }
            return { ...head, subscriptions: list(reader, () => subscription(reader, version)) }
        }
        case "suback": {
            const head = { kind, id: reader.id(), ...propertiesOf(kind, reader, version) }
            const known = version === 5 ? codes.suback : grants
            return { ...head, codes: list(reader, () => checked(reader.byte(), known)) }
        }
        case "unsubscribe": {
            const head = { kind, id: reader.id(), ...propertiesOf(kind, reader, version) }
            return { ...head, filters: list(reader, () => filterOf(reader)) }
        }
        case "unsuback": {
            const head = { kind, id: reader.id(), ...propertiesOf(kind, reader, version) }
            if (version === 4) return { ...head, codes: [] }
            return { ...head, codes: list(reader, () => checked(reader.byte(), codes.unsuback)) }
        }
        case "disconnect":
            return { kind, ...outcome(kind, reader, version) }
        case "pingreq":
        case "pingresp":
            return { kind }
    }
}

/** MQTT 3.1.1 §3.1 and MQTT 5 §3.1. */
function connect(reader: Reader): Connect {
    const protocol = reader.string()
    const level = reader.byte()
    if (protocol !== "MQTT" || (level !== 4 && level !== 5))
        throw new MqttError(Reason.unsupportedVersion, "neither MQTT 3.1.1 nor 5")
    const version: Version = level
    const flags = reader.byte()
    const [hasUser, hasPassword, hasWill] = [flags & 0x80, flags & 0x40, flags & 4]
    if (flags & 1) throw malformed("reserved flag of CONNECT")
    if (hasWill ? (flags & 0x18) === 0x18 : flags & 0x38) throw malformed("flags of the last will")
    if (version === 4 && hasPassword && !hasUser) throw malformed("a password without a user name")
    const keepAlive = reader.uint16()
    const properties = propertiesOf("connect", reader, version)
    const clientId = reader.string()
    const will = hasWill ? { will: lastWill(flags, reader, version) } : {}
    return {
        ...{ kind: "connect", version, clean: (flags & 2) !== 0, keepAlive, ...properties, clientId, ...will },
        ...(hasUser ? { user: reader.string() } : {}),
        ...(hasPassword ? { password: reader.binary() } : {}),
    }
}

function lastWill(flags: number, reader: Reader, version: Version): Will {
    const properties = propertiesOf("will", reader, version)
    const topic = topicOf(reader)
    if (topic === "") throw new MqttError(Reason.topicNameInvalid, "the last will has no topic")
    const qos = ((flags >> 3) & 3) as Qos
    return { topic, payload: reader.binary(), qos, retain: (flags & 0x20) !== 0, ...properties }
}

function connack(reader: Reader, version: Version): Connack {
    const flags = reader.byte()
    if (flags > 1) throw malformed("flags of CONNACK")
    const code = reader.byte()
    const head = { kind: "connack", sessionPresent: flags === 1, code } as const
    // A server of MQTT 3.1.1 refuses MQTT 5 in its own format (MQTT 3.1.1 §3.1.2.2).
    return code !== 0 && reader.isAtEnd ? head : { ...head, ...propertiesOf("connack", reader, version) }
}

function publish(flags: number, reader: Reader, version: Version): Publish {
    const qos = ((flags >> 1) & 3) as Qos | 3
    if (qos === 3) throw malformed("QoS 3")
    const dup = (flags & 8) !== 0
    if (dup && qos === 0) throw malformed("DUP with QoS 0")
    const topic = topicOf(reader)
    const id = qos === 0 ? 0 : reader.id()
    const { properties } = propertiesOf("publish", reader, version)
    if (topic === "" && properties?.topicAlias === undefined)
        throw new MqttError(Reason.protocolError, "neither a topic nor an alias")
    const packet: Publish = { kind: "publish", topic, id, qos, dup, retain: (flags & 1) !== 0, payload: reader.rest() }
    if (properties) packet.properties = properties
    return packet
}

function subscription(reader: Reader, version: Version): Subscription {
    const filter = filterOf(reader)
    const options = reader.byte()
    const qos = (options & 3) as Qos | 3
    if (qos === 3) throw malformed("QoS 3")
    if (version === 4) {
        if (options > 2) throw malformed("options of a subscription")
        return { filter, qos }
    }
    const retainHandling = ((options >> 4) & 3) as 0 | 1 | 2 | 3
    if (options & 0xc0) throw malformed("options of a subscription")
    if (retainHandling === 3) throw new MqttError(Reason.protocolError, "Retain Handling 3")
    const noLocal = (options & 4) !== 0
    if (noLocal && filter.startsWith("$share/"))
        throw new MqttError(Reason.protocolError, "No Local with a shared subscription")
    return { filter, qos, noLocal, retainAsPublished: (options & 8) !== 0, retainHandling }
}

/** The reason code and properties at the end of a packet, which may be left out. */
function outcome(
    kind: "puback" | "disconnect",
    reader: Reader,
    version: Version,
): { code: number; properties?: Properties } {
    if (version === 4 || reader.isAtEnd) return { code: 0 }
    const code = checked(reader.byte(), codes[kind])
    return reader.isAtEnd ? { code } : { code, ...propertiesOf(kind, reader, version) }
}

function propertiesOf(place: PropertyPlace, reader: Reader, version: Version): { properties?: Properties } {
    const properties = version === 5 ? readProperties(reader, place) : undefined
    return properties ? { properties } : {}
}

/** At least one is required (§3.8.3, §3.9.3, §3.10.3). */
function list<T>(reader: Reader, next: () => T): T[] {
    const items = [next()]
    while (!reader.isAtEnd) items.push(next())
    return items
}

function checked(code: number, known: Set<number>): number {
    if (!known.has(code)) throw malformed(`reason code ${code}`)
    return code
}

/** A topic has no wildcards (§4.7.1). */
function topicOf(reader: Reader): string {
    const topic = reader.string()
    if (topic.includes("+") || topic.includes("#"))
        throw new MqttError(Reason.topicNameInvalid, "a topic has wildcards")
    return topic
}

function filterOf(reader: Reader): string {
    const filter = reader.string()
    if (filter === "") throw malformed("an empty topic filter")
    return filter
}
