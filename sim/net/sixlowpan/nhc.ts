import { PacketError, type Reader, type Writer } from "../bytes.ts"
import { isExtension, NextHeader } from "../ipv6.ts"
import type { Compression } from "./compression.ts"

/* Compression of the headers after the IPv6 header: LOWPAN_NHC for extension headers and UDP (RFC 6282 §4). */

const extensionPattern = 0xe0
const extensionMask = 0xf0
const udpPattern = 0xf0
const udpMask = 0xf8
const checksumElided = 4
/** Next header values by EID (§4.2). */
const extensionIds: (number | undefined)[] = [
    NextHeader.hopByHop,
    NextHeader.routing,
    NextHeader.fragment,
    NextHeader.destination,
]

const portPrefix8 = 0xf000
const portPrefix4 = 0xf0b0
const pad1 = 0
const padN = 1

/** Compresses the headers from `protocol` on, as far as possible. */
export function compressNext(writer: Writer, reader: Reader, protocol: number, how: Compression): void {
    while (protocol !== NextHeader.udp) {
        const following = reader.u8()
        const data = reader.take(8 * reader.u8() + 6)
        const isLast = !(following === NextHeader.udp ? how.udp : how.extensions && isExtension(following))
        writer.u8(extensionPattern | (extensionIds.indexOf(protocol) << 1) | (isLast ? 0 : 1))
        if (isLast) writer.u8(following)
        writer.u8(data.length).put(data)
        if (isLast) return
        protocol = following
    }
    compressUdp(writer, reader)
}

/**
 * Decompresses the headers.
 * @param nextAt offset in `writer` for the number of the first one
 * @param size of the whole datagram if this is a fragment
 */
export function decompressNext(writer: Writer, reader: Reader, nextAt: number, size: number | undefined): void {
    for (;;) {
        const form = reader.u8()
        if ((form & udpMask) === udpPattern) {
            writer.patch8(nextAt, NextHeader.udp)
            decompressUdp(writer, reader, form, size)
            return
        }
        const protocol = extensionIds[(form >> 1) & 7]
        if ((form & extensionMask) !== extensionPattern || protocol === undefined)
            throw new PacketError("unknown compressed header")
        writer.patch8(nextAt, protocol)
        const isLast = !(form & 1)
        const following = isLast ? reader.u8() : 0
        const data = reader.take(reader.u8())
        nextAt = writer.length
        const missing = (8 - ((data.length + 2) % 8)) % 8
        if (missing && protocol === NextHeader.routing)
            throw new PacketError("routing header is not a multiple of 8 bytes")
        writer
            .u8(following)
            .u8((data.length + 2 + missing) / 8 - 1)
            .put(data)
        // Padding at the end may be elided (§4.2).
        if (missing === 1) writer.u8(pad1)
        else if (missing)
            writer
                .u8(padN)
                .u8(missing - 2)
                .put(new Uint8Array(missing - 2))
        if (isLast) return
    }
}

function compressUdp(writer: Writer, reader: Reader): void {
    const source = reader.u16()
    const destination = reader.u16()
    reader.u16() // the length is derived from that of the packet
    const checksum = reader.u16()
    const isShort = (port: number) => (port & 0xff00) === portPrefix8
    if ((source & 0xfff0) === portPrefix4 && (destination & 0xfff0) === portPrefix4)
        writer.u8(udpPattern | 3).u8(((source & 15) << 4) | (destination & 15))
    else if (isShort(destination))
        writer
            .u8(udpPattern | 1)
            .u16(source)
            .u8(destination)
    else if (isShort(source))
        writer
            .u8(udpPattern | 2)
            .u8(source)
            .u16(destination)
    else writer.u8(udpPattern).u16(source).u16(destination)
    writer.u16(checksum)
}

function decompressUdp(writer: Writer, reader: Reader, form: number, size: number | undefined): void {
    if (form & checksumElided) throw new PacketError("UDP without a checksum")
    const ports = form & 3
    let source: number
    let destination: number
    if (ports === 3) {
        const both = reader.u8()
        source = portPrefix4 | (both >> 4)
        destination = portPrefix4 | (both & 15)
    } else {
        source = ports === 2 ? portPrefix8 | reader.u8() : reader.u16()
        destination = ports === 1 ? portPrefix8 | reader.u8() : reader.u16()
    }
    const checksum = reader.u16()
    const length = size === undefined ? 8 + reader.left : size - writer.length
    writer.u16(source).u16(destination).u16(length).u16(checksum)
}
