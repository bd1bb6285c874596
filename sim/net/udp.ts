import { PacketError, Reader, Writer } from "./bytes.ts"
import { checksum, NextHeader, type Ipv6Address } from "./ipv6.ts"

const headerBytes = 8
const checksumAt = 6

export interface Datagram {
    sourcePort: number
    destinationPort: number
    data: Uint8Array
}

/** Encodes a datagram (RFC 768); the checksum is mandatory over IPv6 (RFC 8200 §8.1). */
export function encodeUdp(
    { sourcePort, destinationPort, data }: Datagram,
    source: Ipv6Address,
    destination: Ipv6Address,
): Uint8Array {
    const size = headerBytes + data.length
    const writer = new Writer(size).u16(sourcePort).u16(destinationPort).u16(size).u16(0).put(data)
    const sum = checksum(source, destination, NextHeader.udp, writer.done())
    return writer.patch16(checksumAt, sum || 0xffff).done()
}

/** @throws PacketError if the datagram is truncated or its checksum is wrong */
export function decodeUdp(bytes: Uint8Array, source: Ipv6Address, destination: Ipv6Address): Datagram {
    const reader = new Reader(bytes)
    const sourcePort = reader.u16()
    const destinationPort = reader.u16()
    const size = reader.u16()
    if (size !== bytes.length || size < headerBytes) throw new PacketError("wrong UDP length")
    if (reader.u16() === 0 || checksum(source, destination, NextHeader.udp, bytes) !== 0)
        throw new PacketError("wrong UDP checksum")
    return { sourcePort, destinationPort, data: reader.rest() }
}
