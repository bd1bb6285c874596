/* Control packets of MQTT 3.1.1 that a mote needs: it publishes with QoS 1 and subscribes with up to QoS 1. */
import { FrameReader } from "../link/frames"

/** The largest packet accepted, including its fixed header: a configuration fits. */
const maxPacketBytes = 384

/** Packet types (§2.2.1) as in the first byte, with their reserved flags (§2.2.2). */
export const enum PacketType {
    connect = 0x10,
    connack = 0x20,
    publish = 0x30,
    puback = 0x40,
    subscribe = 0x82,
    suback = 0x90,
    pingreq = 0xc0,
    pingresp = 0xd0,
}

/** Flags of PUBLISH (§3.3.1). */
export const enum PublishFlag {
    retain = 0x01,
    qos1 = 0x02,
    qos2 = 0x04,
    dup = 0x08,
}

/** Protocol name "MQTT", level 4 (§3.1.2.1). */
const protocol = hex`0004 4d515454 04`
/** User name, password, will retained with QoS 1, clean session (§3.1.2.3). */
const connectFlags = 0x80 | 0x40 | 0x20 | 0x08 | 0x04 | 0x02

/** A received packet. */
export interface Packet {
    /** Packet type without flags. */
    type: PacketType
    /** Packet identifier of PUBLISH with QoS 1, PUBACK and SUBACK; otherwise 0. */
    id: number
    /** Topic name of PUBLISH. */
    topic?: string
    /** Payload of PUBLISH, return codes of SUBACK, return code of CONNACK. */
    payload: Buffer
}

/** Every session is clean. @param will topic of the last will, "offline", retained */
export function encodeConnect(
    clientId: string,
    keepAliveS: number,
    will: string,
    user: string,
    password: string,
): Buffer {
    return encode(
        PacketType.connect,
        Buffer.concat(
            protocol,
            Buffer.from([connectFlags, keepAliveS >> 8, keepAliveS & 0xff]),
            text(clientId),
            text(will),
            text("offline"),
            text(user),
            text(password),
        ),
    )
}

/** @param flags in addition to QoS 1 */
export function encodePublish(topic: string, id: number, payload: Buffer, flags = 0): Buffer {
    const head = Buffer.concat(text(topic), uint16(id))
    return encode(PacketType.publish | PublishFlag.qos1 | flags, head, payload)
}

/** Subscribes to `first` with QoS 0 and to `others` with QoS 1. */
export function encodeSubscribe(id: number, first: string, others: string[]): Buffer {
    let body = Buffer.concat(uint16(id), text(first), hex`00`)
    for (const topic of others) body = Buffer.concat(body, text(topic), hex`01`)
    return encode(PacketType.subscribe, body)
}

export function encodePuback(id: number): Buffer {
    return encode(PacketType.puback, uint16(id))
}

export function encodePingreq(): Buffer {
    return Buffer.from([PacketType.pingreq, 0])
}

function encode(first: number, body: Buffer, payload?: Buffer): Buffer {
    const length = body.length + (payload ? payload.length : 0)
    // Remaining Length (§2.2.3): seven bits per byte; our packets need at most two.
    const head = length < 128 ? Buffer.from([first, length]) : Buffer.from([first, (length & 0x7f) | 0x80, length >> 7])
    return payload ? Buffer.concat(head, body, payload) : Buffer.concat(head, body)
}

/** An ASCII string as UTF-8 with its length (§1.5.3). */
function text(string: string): Buffer {
    return Buffer.concat(uint16(string.length), Buffer.from(string))
}

function uint16(value: number): Buffer {
    return Buffer.from([value >> 8, value & 0xff])
}

/** Splits a byte stream into the packets that a server may send. */
export class PacketReader extends FrameReader {
    private handle: (packet: Packet) => void

    /** @param handle called with each complete packet */
    constructor(handle: (packet: Packet) => void) {
        super(maxPacketBytes)
        this.handle = handle
    }

    protected advance(): string | undefined {
        const { buffer, have } = this
        const isLong = (buffer[1] & 0x80) > 0
        const header = isLong ? 3 : 2
        if (have < header) {
            this.need = header
            return undefined
        }
        const length = (buffer[1] & 0x7f) | (isLong ? buffer[2] << 7 : 0)
        const total = header + length
        if (total > maxPacketBytes) return "packet too large"
        if (have < total) {
            this.need = total
            return undefined
        }
        this.reset()
        const packet = decode(buffer[0], buffer.slice(header, total))
        if (!packet) return "malformed packet"
        this.handle(packet)
        return undefined
    }
}

/** Undefined if the packet is malformed or not one that a server may send. */
function decode(first: number, body: Buffer): Packet | undefined {
    const { length } = body
    if ((first & 0xf0) === PacketType.publish) return decodePublish(first & 0x0f, body)
    switch (first) {
        case PacketType.connack:
            // A clean session is never present (§3.2.2.2).
            if (length !== 2 || body[0] !== 0) return undefined
            return { type: first, id: 0, payload: body.slice(1) }
        case PacketType.puback:
            return length === 2 ? withId(first, body) : undefined
        case PacketType.suback:
            return length > 2 ? withId(first, body) : undefined
        case PacketType.pingresp:
            return length === 0 ? { type: first, id: 0, payload: body } : undefined
    }
    return undefined
}

function withId(type: PacketType, body: Buffer): Packet | undefined {
    const id = uint16At(body, 0)
    return id === 0 ? undefined : { type, id, payload: body.slice(2) }
}

/** §3.3. DUP with QoS 0 is malformed; QoS 2 was not subscribed, and QoS 3 does not exist. */
function decodePublish(flags: number, body: Buffer): Packet | undefined {
    const hasId = (flags & PublishFlag.qos1) > 0
    if (flags & PublishFlag.qos2 || (flags & PublishFlag.dup && !hasId)) return undefined
    if (body.length < 2) return undefined
    const topicEnd = 2 + uint16At(body, 0)
    const payloadAt = topicEnd + (hasId ? 2 : 0)
    if (topicEnd === 2 || payloadAt > body.length) return undefined
    const id = hasId ? uint16At(body, topicEnd) : 0
    if (hasId && id === 0) return undefined
    const topic = body.slice(2, topicEnd).toString()
    return { type: PacketType.publish, id, topic, payload: body.slice(payloadAt) }
}

function uint16At(bytes: Buffer, at: number): number {
    return (bytes[at] << 8) | bytes[at + 1]
}
