import { equalBytes, PacketError, Reader, Writer } from "../bytes.ts"
import type { Compression } from "./compression.ts"
import { compress, decompress, isIphc, type Compressed, type Link } from "./iphc.ts"

/*
 * Fragmentation and reassembly of packets that are longer than a frame (RFC 4944 §5.3); the first fragment has
 * compressed headers (RFC 6282 §2). Sizes and offsets count bytes of the uncompressed packet.
 */

const first = 0xc000
const following = 0xe000
const dispatchMask = 0xf800
const firstHeaderBytes = 4
const headerBytes = 5
const uncompressedDispatch = 0x41

/** Reassembly timeout: at most 60 s by RFC 4944 §5.3, and the value of Contiki. */
const reassemblyMs = 20_000

/**
 * The frame payloads that carry a packet: one if it fits, otherwise fragments.
 * @param room payload bytes in a frame
 * @param tag of the fragments
 * @throws PacketError
 */
export function toFrames(packet: Uint8Array, link: Link, how: Compression, room: number, tag: number): Uint8Array[] {
    if (packet.length <= how.thresholdBytes) return [Uint8Array.of(uncompressedDispatch, ...packet)]
    let compressed = compress(packet, link, how)
    if (compressed.bytes.length <= room) return [compressed.bytes]
    // All compressed headers have to be in the first fragment (RFC 6282 §2).
    if (compressed.compressedSize + firstHeaderBytes + 8 > room)
        compressed = compress(packet, link, { ...how, udp: false, extensions: false })
    const frames = [firstFragment(compressed, packet.length, room, tag)]
    let offset = frames[0]!.length - firstHeaderBytes - saved(compressed)
    while (offset < packet.length) {
        const size = Math.min(packet.length - offset, (room - headerBytes) & ~7)
        frames.push(
            new Writer(headerBytes + size)
                .u16(following | packet.length)
                .u16(tag)
                .u8(offset / 8)
                .put(packet.subarray(offset, offset + size))
                .done(),
        )
        offset += size
    }
    return frames
}

function saved({ compressedSize, originalSize }: Compressed): number {
    return compressedSize - originalSize
}

function firstFragment(compressed: Compressed, packetSize: number, room: number, tag: number): Uint8Array {
    if (packetSize > 0x7ff) throw new PacketError(`packet of ${packetSize} bytes`)
    const { compressedSize, originalSize } = compressed
    // The bytes of the packet that it covers must be a multiple of 8.
    const covered = (originalSize + room - firstHeaderBytes - compressedSize) & ~7
    if (covered < originalSize) throw new PacketError("headers do not fit into a fragment")
    return new Writer(room)
        .u16(first | packetSize)
        .u16(tag)
        .put(compressed.bytes.subarray(0, covered + saved(compressed)))
        .done()
}

interface Datagram {
    /** Both ends of the link. */
    ends: string
    packet: Uint8Array
    /** Length of each fragment by its offset. */
    fragments: Map<number, number>
    missing: number
    deadlineMs: number
}

/**
 * Reassembles packets, at most `capacity` at a time. A sender's frames arrive in order, so a fragment of its next
 * packet means that the rest of the previous one was lost. Without this rule an incomplete packet from each neighbour
 * would hold its place until the timeout, and keep everything else out.
 */
export class Reassembly {
    /** By sender, receiver, size and tag (RFC 4944 §5.3), oldest first. */
    private readonly datagrams = new Map<string, Datagram>()
    private readonly capacity: number

    constructor(capacity = 4) {
        this.capacity = capacity
    }

    /**
     * Takes the payload of a frame.
     * @returns the packet if it is now complete
     * @throws PacketError if the payload is not 6LoWPAN or contradicts earlier fragments
     */
    take(payload: Uint8Array, link: Link, nowMs: number): Uint8Array | undefined {
        const kind = payload.length > 1 ? ((payload[0]! << 8) | payload[1]!) & dispatchMask : 0
        if (kind !== first && kind !== following) return unfragmented(payload, link)
        const reader = new Reader(payload)
        const size = reader.u16() & ~dispatchMask
        const tag = reader.u16()
        const offset = kind === following ? 8 * reader.u8() : 0
        const rest = reader.rest()
        const part = kind === first ? unfragmented(rest, link, size) : rest
        const end = offset + part.length
        if (!part.length || end > size || (end < size && part.length % 8))
            throw new PacketError("fragment out of place")
        const ends = `${hex(link.source)} ${hex(link.destination)}`
        const key = `${ends} ${size} ${tag}`
        const datagram = this.datagram(key, ends, size, nowMs)
        return this.add(key, datagram, offset, part)
    }

    private datagram(key: string, ends: string, size: number, nowMs: number): Datagram {
        const known = this.datagrams.get(key)
        if (known && known.deadlineMs > nowMs) return known
        for (const [other, datagram] of this.datagrams)
            if (datagram.deadlineMs <= nowMs || datagram.ends === ends) this.datagrams.delete(other)
        for (const oldest of this.datagrams.keys()) {
            if (this.datagrams.size < this.capacity) break
            this.datagrams.delete(oldest)
        }
        const datagram: Datagram = {
            ends,
            packet: new Uint8Array(size),
            fragments: new Map(),
            missing: size,
            deadlineMs: nowMs + reassemblyMs,
        }
        this.datagrams.set(key, datagram)
        return datagram
    }

    private add(key: string, datagram: Datagram, offset: number, part: Uint8Array): Uint8Array | undefined {
        const { packet, fragments } = datagram
        if (fragments.has(offset) && equalBytes(packet.subarray(offset, offset + part.length), part)) return undefined
        for (const [at, length] of fragments)
            if (offset < at + length && at < offset + part.length) {
                // Overlapping fragments that differ: RFC 4944 §5.3 discards all of them.
                this.datagrams.delete(key)
                throw new PacketError("fragments overlap")
            }
        packet.set(part, offset)
        fragments.set(offset, part.length)
        datagram.missing -= part.length
        if (datagram.missing) return undefined
        this.datagrams.delete(key)
        return packet
    }
}

/** The packet, or its beginning, after a dispatch byte. @param size of the whole datagram if this is a fragment */
function unfragmented(payload: Uint8Array, link: Link, size?: number): Uint8Array {
    if (isIphc(payload)) return decompress(payload, link, size)
    if (payload[0] === uncompressedDispatch) return payload.subarray(1)
    throw new PacketError("not 6LoWPAN")
}

function hex(bytes: Uint8Array): string {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")
}
