import { PacketError, Reader, Writer } from "./bytes.ts"
import { checksum, NextHeader, type Ipv6Address } from "./ipv6.ts"

const headerBytes = 20
const checksumAt = 16
const mssKind = 2

export const Flag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16 } as const

/** A TCP segment (RFC 9293 §3.1). */
export interface Segment {
    sourcePort: number
    destinationPort: number
    sequence: number
    acknowledgement: number
    flags: number
    window: number
    /** The Maximum Segment Size option, in a SYN. */
    maxSegment?: number
    data: Uint8Array
}

export function encodeSegment(segment: Segment, source: Ipv6Address, destination: Ipv6Address): Uint8Array {
    const { maxSegment, data } = segment
    const size = headerBytes + (maxSegment === undefined ? 0 : 4)
    const writer = new Writer(size + data.length)
    writer.u16(segment.sourcePort).u16(segment.destinationPort)
    writer.u32(segment.sequence).u32(segment.acknowledgement)
    writer
        .u8((size / 4) << 4)
        .u8(segment.flags)
        .u16(segment.window)
        .u16(0)
        .u16(0)
    if (maxSegment !== undefined) writer.u8(mssKind).u8(4).u16(maxSegment)
    writer.put(data)
    const sum = checksum(source, destination, NextHeader.tcp, writer.done())
    return writer.patch16(checksumAt, sum).done()
}

/** @throws PacketError if the segment is truncated or its checksum is wrong */
export function decodeSegment(bytes: Uint8Array, source: Ipv6Address, destination: Ipv6Address): Segment {
    const reader = new Reader(bytes)
    const sourcePort = reader.u16()
    const destinationPort = reader.u16()
    const sequence = reader.u32()
    const acknowledgement = reader.u32()
    const size = (reader.u8() >> 4) * 4
    const flags = reader.u8() & 0x3f
    const window = reader.u16()
    reader.u32()
    if (size < headerBytes) throw new PacketError("short TCP header")
    const options = new Reader(reader.take(size - headerBytes))
    if (checksum(source, destination, NextHeader.tcp, bytes) !== 0) throw new PacketError("wrong TCP checksum")
    const segment: Segment = {
        sourcePort,
        destinationPort,
        sequence,
        acknowledgement,
        flags,
        window,
        data: reader.rest(),
    }
    while (options.left) {
        const kind = options.u8()
        if (kind === 0) break
        if (kind === 1) continue
        const option = new Reader(options.take(options.u8() - 2))
        if (kind === mssKind) segment.maxSegment = option.u16()
    }
    return segment
}
