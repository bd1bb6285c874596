import { types, type Connect, type Packet, type Publish, type Version } from "./packet.ts"
import { writeProperties } from "./properties.ts"
import { Writer } from "./writer.ts"

/** Encodes a packet for a connection of this version; CONNECT has its own. */
export function encode(packet: Packet, version: Version): Buffer {
    const { kind } = packet
    const writer = new Writer(kind === "publish" ? packet.payload.length + 2 * packet.topic.length + 64 : 64)
    const { type, flags = 0 } = types[kind]
    const more = encodeBody(packet, writer, version) ?? 0
    const head = new Writer(writer.length + 5)
    head.byte((type << 4) | flags | more)
    head.varint(writer.length)
    head.raw(writer.written)
    return head.written
}

/** Writes what follows the fixed header. Returns the flags of a PUBLISH. */
function encodeBody(packet: Packet, writer: Writer, version: Version): number | undefined {
    const properties = () => {
        if (version === 5) writeProperties(writer, "properties" in packet ? packet.properties : undefined)
    }
    switch (packet.kind) {
        case "connect":
            return void encodeConnect(packet, writer)
        case "connack":
            writer.byte(packet.sessionPresent ? 1 : 0)
            writer.byte(packet.code)
            return void properties()
        case "publish":
            return encodePublish(packet, writer, version)
        case "puback":
            writer.uint16(packet.id)
            if (version === 4 || (packet.code === 0 && !packet.properties)) return
            writer.byte(packet.code)
            return packet.properties && void properties()
        case "subscribe":
            writer.uint16(packet.id)
            properties()
            for (const { filter, qos, noLocal, retainAsPublished, retainHandling = 0 } of packet.subscriptions) {
                writer.string(filter)
                writer.byte(qos | (noLocal ? 4 : 0) | (retainAsPublished ? 8 : 0) | (retainHandling << 4))
            }
            return
        case "unsubscribe":
            writer.uint16(packet.id)
            properties()
            for (const filter of packet.filters) writer.string(filter)
            return
        case "suback":
        case "unsuback":
            writer.uint16(packet.id)
            properties()
            for (const code of packet.codes) writer.byte(code)
            return
        case "disconnect":
            if (version === 4 || (packet.code === 0 && !packet.properties)) return
            writer.byte(packet.code)
            return packet.properties && void properties()
    }
}

function encodeConnect(packet: Connect, writer: Writer): void {
    const { version, clean, will, user, password } = packet
    writer.string("MQTT")
    writer.byte(version)
    const willFlags = will ? 4 | (will.qos << 3) | (will.retain ? 0x20 : 0) : 0
    writer.byte((clean ? 2 : 0) | willFlags | (password === undefined ? 0 : 0x40) | (user === undefined ? 0 : 0x80))
    writer.uint16(packet.keepAlive)
    if (version === 5) writeProperties(writer, packet.properties)
    writer.string(packet.clientId)
    if (will) {
        if (version === 5) writeProperties(writer, will.properties)
        writer.string(will.topic)
        writer.binary(will.payload)
    }
    if (user !== undefined) writer.string(user)
    if (password !== undefined) writer.binary(password)
}

function encodePublish(packet: Publish, writer: Writer, version: Version): number {
    const { topic, id, qos, dup, retain, payload } = packet
    writer.string(topic)
    if (qos > 0) writer.uint16(id)
    if (version === 5) writeProperties(writer, packet.properties)
    writer.raw(payload)
    return (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
}
