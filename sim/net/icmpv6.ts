import { PacketError } from "./bytes.ts"
import { checksum, NextHeader, type Ipv6Address } from "./ipv6.ts"

/** ICMPv6 types (RFC 4443); 155 is RPL (RFC 6550 §6). */
export const IcmpType = {
    unreachable: 1,
    packetTooBig: 2,
    timeExceeded: 3,
    parameterProblem: 4,
    echoRequest: 128,
    echoReply: 129,
    rpl: 155,
} as const

const checksumAt = 2
const headerBytes = 4
/** RFC 4443 §3: an error quotes as much of the packet as fits into the minimum MTU after two headers. */
const errorExcerptBytes = 1232

export interface IcmpMessage {
    type: number
    code: number
    body: Uint8Array
}

export function encodeIcmp(
    { type, code, body }: IcmpMessage,
    source: Ipv6Address,
    destination: Ipv6Address,
): Uint8Array {
    const bytes = new Uint8Array(headerBytes + body.length)
    bytes[0] = type
    bytes[1] = code
    bytes.set(body, headerBytes)
    const sum = checksum(source, destination, NextHeader.icmpv6, bytes)
    bytes[checksumAt] = sum >> 8
    bytes[checksumAt + 1] = sum
    return bytes
}

/** @throws PacketError if the message is truncated or its checksum is wrong */
export function decodeIcmp(bytes: Uint8Array, source: Ipv6Address, destination: Ipv6Address): IcmpMessage {
    if (bytes.length < headerBytes) throw new PacketError("cut short")
    if (checksum(source, destination, NextHeader.icmpv6, bytes) !== 0) throw new PacketError("wrong ICMPv6 checksum")
    return { type: bytes[0]!, code: bytes[1]!, body: bytes.subarray(headerBytes) }
}

/** Echo request and reply: identifier, sequence number, data (RFC 4443 §4). */
export interface Echo {
    identifier: number
    sequence: number
    data: Uint8Array
}

export function encodeEcho(type: number, { identifier, sequence, data }: Echo): IcmpMessage {
    const body = Uint8Array.of(identifier >> 8, identifier & 255, sequence >> 8, sequence & 255, ...data)
    return { type, code: 0, body }
}

/** @throws PacketError */
export function decodeEcho({ body }: IcmpMessage): Echo {
    if (body.length < 4) throw new PacketError("cut short")
    return {
        identifier: (body[0]! << 8) | body[1]!,
        sequence: (body[2]! << 8) | body[3]!,
        data: body.subarray(4),
    }
}

/**
 * Creates the error message for a packet that could not be forwarded. @param value the four bytes before the excerpt
 */
export function errorMessage(type: number, code: number, packet: Uint8Array, value = 0): IcmpMessage {
    const excerpt = packet.subarray(0, errorExcerptBytes)
    const body = new Uint8Array(4 + excerpt.length)
    new DataView(body.buffer).setUint32(0, value)
    body.set(excerpt, 4)
    return { type, code, body }
}
