import { equalBytes, isZero, PacketError, Reader, Writer } from "../bytes.ts"
import type { LinkAddress } from "../mac/ieee802154.ts"
import { isExtension, isMulticast, NextHeader, unspecified, type Ipv6Address } from "../ipv6.ts"
import type { Compression } from "./compression.ts"
import { compressNext, decompressNext } from "./nhc.ts"

/*
 * Compression of IPv6 headers over 802.15.4: LOWPAN_IPHC (RFC 6282 §3). Fields that the receiver can derive from the
 * link addresses or from a shared prefix are elided.
 */

/** Prefixes of 64 bits that every node knows, by context identifier (RFC 6282 §3.1.2). */
export type Contexts = readonly Uint8Array[]

/** The link-layer context of a packet. */
export interface Link {
    source: LinkAddress
    destination: LinkAddress
    contexts: Contexts
}

export interface Compressed {
    /** Headers and payload. */
    bytes: Uint8Array
    /** Size of the compressed headers in `bytes`. */
    compressedSize: number
    /** Size of the same headers in the uncompressed packet. */
    originalSize: number
}

const dispatch = 0x6000
const dispatchMask = 0xe000
const nextCompressed = 0x0400
const contextExtension = 0x0080
const hopLimits: (number | undefined)[] = [undefined, 1, 64, 255]
const linkLocalPrefix = Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0)
const prefixBytes = 8

/** Whether the bytes begin with a compressed header. */
export function isIphc(bytes: Uint8Array): boolean {
    return bytes.length > 1 && (bytes[0]! & (dispatchMask >> 8)) === dispatch >> 8
}

/** Compresses the headers of an IPv6 packet. @throws PacketError if it is not one */
export function compress(packet: Uint8Array, link: Link, how: Compression): Compressed {
    const reader = new Reader(packet)
    const first = reader.u32()
    if (first >>> 28 !== 6) throw new PacketError("not IPv6")
    reader.u16() // the length is derived from that of the frame
    const protocol = reader.u8()
    const hopLimit = reader.u8()
    const source = reader.take(16)
    const destination = reader.take(16)
    const isCompressible = protocol === NextHeader.udp ? how.udp : how.extensions && isExtension(protocol)

    const writer = new Writer(packet.length + 8).u16(0)
    const sourceContext = contextOf(source, link.contexts)
    const destinationContext = contextOf(destination, link.contexts)
    const contextIds = ((sourceContext ?? 0) << 4) | (destinationContext ?? 0)
    const usesContext = sourceContext !== undefined || destinationContext !== undefined
    // Context 0 could be elided; Contiki includes it.
    if (usesContext) writer.u8(contextIds)
    const tf = writeTrafficClass(writer, first)
    if (!isCompressible) writer.u8(protocol)
    const hlim = Math.max(0, hopLimits.indexOf(hopLimit))
    if (hlim === 0) writer.u8(hopLimit)
    const isNobody = equalBytes(source, unspecified)
    const sam = isNobody ? 4 : writeUnicast(writer, source, link.source, sourceContext)
    const dam = isMulticast(destination)
        ? writeMulticast(writer, destination)
        : writeUnicast(writer, destination, link.destination, destinationContext)
    writer.patch16(
        0,
        dispatch |
            (tf << 11) |
            (isCompressible ? nextCompressed : 0) |
            (hlim << 8) |
            (usesContext ? contextExtension : 0) |
            (sam << 4) |
            dam,
    )
    if (isCompressible) compressNext(writer, reader, protocol, how)
    const sizes = { compressedSize: writer.length, originalSize: reader.at }
    return { bytes: writer.put(reader.rest()).done(), ...sizes }
}

/**
 * Decompresses an IPv6 packet.
 * @param size of the whole datagram if this is its first fragment; otherwise derived
 * @throws PacketError
 */
export function decompress(bytes: Uint8Array, link: Link, size?: number): Uint8Array {
    const reader = new Reader(bytes)
    const form = reader.u16()
    if ((form & dispatchMask) !== dispatch) throw new PacketError("not IPHC")
    const contextIds = form & contextExtension ? reader.u8() : 0
    const first = readTrafficClass(reader, (form >> 11) & 3)
    const isNextCompressed = (form & nextCompressed) !== 0
    const protocol = isNextCompressed ? 0 : reader.u8()
    const hopLimit = hopLimits[(form >> 8) & 3] ?? reader.u8()
    const source = readUnicast(reader, (form >> 4) & 7, link.source, link.contexts[contextIds >> 4], true)
    const destination =
        form & 8
            ? readMulticast(reader, form & 7)
            : readUnicast(reader, form & 7, link.destination, link.contexts[contextIds & 15], false)
    const writer = new Writer(bytes.length + 64)
    writer.u32(first).u16(0).u8(protocol).u8(hopLimit).put(source).put(destination)
    if (isNextCompressed) decompressNext(writer, reader, 6, size)
    writer.put(reader.rest())
    writer.patch16(4, (size ?? writer.length) - 40)
    return writer.done()
}

/** Version, traffic class and flow label (§3.2.1). @returns TF */
function writeTrafficClass(writer: Writer, first: number): number {
    const trafficClass = (first >>> 20) & 0xff
    const flow = first & 0xfffff
    // In the compressed form the two ECN bits come first.
    const turned = ((trafficClass & 3) << 6) | (trafficClass >> 2)
    if (flow === 0) {
        if (trafficClass === 0) return 3
        writer.u8(turned)
        return 2
    }
    if ((trafficClass & 0xfc) === 0) {
        writer.u8((turned & 0xc0) | (flow >> 16)).u16(flow & 0xffff)
        return 1
    }
    writer
        .u8(turned)
        .u8(flow >> 16)
        .u16(flow & 0xffff)
    return 0
}

function readTrafficClass(reader: Reader, tf: number): number {
    let turned = 0
    let flow = 0
    if (tf === 2) turned = reader.u8()
    else if (tf < 2) {
        const byte = reader.u8()
        turned = tf === 0 ? byte : byte & 0xc0
        flow = (((tf === 0 ? reader.u8() : byte) & 0x0f) << 16) | reader.u16()
    }
    const trafficClass = ((turned & 0x3f) << 2) | (turned >> 6)
    return ((6 << 28) | (trafficClass << 20) | flow) >>> 0
}

/** The identifier of the context that matches the address prefix. */
function contextOf(address: Ipv6Address, contexts: Contexts): number | undefined {
    const at = contexts.findIndex(prefix => equalBytes(prefix, address.subarray(0, prefixBytes)))
    return at < 0 ? undefined : at
}

/** @returns address compression bit and mode (§3.1.1: SAC with SAM, DAC with DAM) */
function writeUnicast(writer: Writer, address: Ipv6Address, link: LinkAddress, context: number | undefined): number {
    const isLocal = equalBytes(address.subarray(0, prefixBytes), linkLocalPrefix)
    if (context === undefined && !isLocal) {
        writer.put(address)
        return 0
    }
    const stateful = isLocal ? 0 : 4
    const id = address.subarray(prefixBytes)
    if (equalBytes(id, interfaceId(link))) return stateful | 3
    if (isShortId(id)) {
        writer.put(id.subarray(6))
        return stateful | 2
    }
    writer.put(id)
    return stateful | 1
}

function readUnicast(
    reader: Reader,
    mode: number,
    link: LinkAddress,
    context: Uint8Array | undefined,
    isSource: boolean,
): Ipv6Address {
    if (mode === 0) return reader.take(16)
    if (mode === 4) {
        if (!isSource) throw new PacketError("reserved destination address mode")
        return unspecified
    }
    const prefix = mode & 4 ? context : linkLocalPrefix
    if (!prefix) throw new PacketError("unknown context")
    const address = new Uint8Array(16)
    address.set(prefix)
    if ((mode & 3) === 1) address.set(reader.take(8), 8)
    else if ((mode & 3) === 2) {
        address.set(shortIdStart, 8)
        address.set(reader.take(2), 14)
    } else address.set(interfaceId(link), 8)
    return address
}

/** @returns M with DAM (§3.2.4) */
function writeMulticast(writer: Writer, address: Ipv6Address): number {
    if (address[1] === 0x02 && isZero(address.subarray(2, 15))) {
        writer.u8(address[15]!)
        return 8 | 3
    }
    const sizes = [
        [3, 2],
        [5, 1],
    ] as const
    for (const [tail, mode] of sizes)
        if (isZero(address.subarray(2, 16 - tail))) {
            writer.u8(address[1]!).put(address.subarray(16 - tail))
            return 8 | mode
        }
    writer.put(address)
    return 8
}

function readMulticast(reader: Reader, mode: number): Ipv6Address {
    if (mode === 0) {
        const address = reader.take(16)
        if (!isMulticast(address)) throw new PacketError("not a multicast address")
        return address
    }
    if (mode > 3) throw new PacketError("multicast address in a context")
    const address = new Uint8Array(16)
    address[0] = 0xff
    address[1] = mode === 3 ? 2 : reader.u8()
    const tail = reader.take([0, 5, 3, 1][mode]!)
    address.set(tail, 16 - tail.length)
    return address
}

const shortIdStart = Uint8Array.of(0, 0, 0, 0xff, 0xfe, 0)

function isShortId(id: Uint8Array): boolean {
    return equalBytes(id.subarray(0, 6), shortIdStart)
}

/**
 * The interface identifier for a link-layer address: the EUI-64 with its universal/local bit inverted (RFC 4944 §6, RFC
 * 6282 §3.2.2).
 */
export function interfaceId(address: LinkAddress): Uint8Array {
    const id = new Uint8Array(8)
    if (address.length === 2) {
        id.set(shortIdStart)
        id.set(address, 6)
    } else {
        id.set(address)
        id[0]! ^= 2
    }
    return id
}
