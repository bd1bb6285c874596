import { PacketError, Reader, Writer } from "./bytes.ts"

/** An IPv6 address, 16 bytes. */
export type Ipv6Address = Uint8Array

/** Next header values (IANA). */
export const NextHeader = {
    hopByHop: 0,
    tcp: 6,
    udp: 17,
    routing: 43,
    fragment: 44,
    icmpv6: 58,
    none: 59,
    destination: 60,
} as const

export const headerBytes = 40
/** RFC 8200 §5: every link carries packets of this size. */
export const minMtu = 1280

const maxExtensionHeaders = 8

export interface ExtensionHeader {
    /** Header type: 0 hop-by-hop options, 43 routing, 60 destination options. */
    kind: number
    /** The header without its two bytes of next header and length. */
    data: Uint8Array
}

/** A parsed packet (RFC 8200). */
export interface Ipv6Packet {
    trafficClass?: number
    flowLabel?: number
    hopLimit: number
    source: Ipv6Address
    destination: Ipv6Address
    extensions?: ExtensionHeader[]
    /** The protocol after the headers. */
    protocol: number
    payload: Uint8Array
}

export function encodeIpv6(packet: Ipv6Packet): Uint8Array {
    const { trafficClass = 0, flowLabel = 0, extensions = [], payload } = packet
    const size = extensions.reduce((sum, { data }) => sum + 2 + data.length, payload.length)
    const writer = new Writer(headerBytes + size)
    writer.u32(((6 << 28) | (trafficClass << 20) | flowLabel) >>> 0).u16(size)
    writer.u8(extensions[0]?.kind ?? packet.protocol).u8(packet.hopLimit)
    writer.put(packet.source).put(packet.destination)
    extensions.forEach(({ data }, i) => {
        if ((data.length + 2) % 8) throw new PacketError("extension header is not a multiple of 8 bytes")
        writer.u8(extensions[i + 1]?.kind ?? packet.protocol)
        writer.u8((data.length + 2) / 8 - 1).put(data)
    })
    return writer.put(payload).done()
}

/** @throws PacketError */
export function decodeIpv6(bytes: Uint8Array): Ipv6Packet {
    const reader = new Reader(bytes)
    const first = reader.u32()
    if (first >>> 28 !== 6) throw new PacketError("not IPv6")
    const size = reader.u16()
    let protocol = reader.u8()
    const hopLimit = reader.u8()
    const source = reader.take(16)
    const destination = reader.take(16)
    if (size !== reader.left) throw new PacketError("wrong payload length")
    const extensions: ExtensionHeader[] = []
    while (isExtension(protocol)) {
        if (extensions.length === maxExtensionHeaders) throw new PacketError("too many extension headers")
        if (protocol === NextHeader.hopByHop && extensions.length)
            throw new PacketError("hop-by-hop options after another header") // RFC 8200 §4.1
        const next = reader.u8()
        const data = reader.take(8 * reader.u8() + 6)
        extensions.push({ kind: protocol, data })
        protocol = next
    }
    return {
        trafficClass: (first >>> 20) & 0xff,
        flowLabel: first & 0xfffff,
        hopLimit,
        source,
        destination,
        extensions,
        protocol,
        payload: reader.rest(),
    }
}

export function isExtension(protocol: number): boolean {
    return protocol === NextHeader.hopByHop || protocol === NextHeader.routing || protocol === NextHeader.destination
}

/**
 * The internet checksum with the pseudo-header of RFC 8200 §8.1. Compute it over a checksum field of 0; a valid packet
 * yields 0.
 */
export function checksum(source: Ipv6Address, destination: Ipv6Address, protocol: number, payload: Uint8Array): number {
    let sum = protocol + payload.length
    sum += sum16(source) + sum16(destination) + sum16(payload)
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
    return ~sum & 0xffff
}

function sum16(bytes: Uint8Array): number {
    let sum = 0
    const even = bytes.length & ~1
    for (let i = 0; i < even; i += 2) sum += (bytes[i]! << 8) | bytes[i + 1]!
    return bytes.length & 1 ? sum + (bytes[even]! << 8) : sum
}

export const unspecified: Ipv6Address = new Uint8Array(16)

export function isMulticast(address: Ipv6Address): boolean {
    return address[0] === 0xff
}

export function isLinkLocal(address: Ipv6Address): boolean {
    return address[0] === 0xfe && (address[1]! & 0xc0) === 0x80
}

/** Parses the text of an address (RFC 4291 §2.2). @throws PacketError */
export function parseAddress(text: string): Ipv6Address {
    const wrong = new PacketError(`"${text}" is not an IPv6 address`)
    const halves = text.split("::")
    if (halves.length > 2) throw wrong
    const [head, tail] = halves.map(half => (half === "" ? [] : half.split(":")))
    const missing = 8 - head!.length - (tail?.length ?? 0)
    if (tail === undefined ? missing !== 0 : missing < 1) throw wrong
    const groups = [...head!, ...Array<string>(missing).fill("0"), ...(tail ?? [])]
    const bytes = new Uint8Array(16)
    groups.forEach((group, i) => {
        if (!/^[0-9a-f]{1,4}$/i.test(group)) throw wrong
        const value = parseInt(group, 16)
        bytes[2 * i] = value >> 8
        bytes[2 * i + 1] = value
    })
    return bytes
}

/** Formats an address in its canonical form (RFC 5952). */
export function formatAddress(address: Ipv6Address): string {
    const groups = Array.from({ length: 8 }, (_, i) => (address[2 * i]! << 8) | address[2 * i + 1]!)
    let longest = { at: -1, size: 1 }
    for (let at = 0; at < 8; at++) {
        let size = 0
        while (groups[at + size] === 0) size++
        if (size > longest.size) longest = { at, size }
    }
    const hex = (part: number[]) => part.map(group => group.toString(16)).join(":")
    if (longest.at < 0) return hex(groups)
    return `${hex(groups.slice(0, longest.at))}::${hex(groups.slice(longest.at + longest.size))}`
}
