import { PacketError, Reader, Writer } from "../bytes.ts"
import type { LinkAddress } from "../ieee802154.ts"
import {
    compress,
    decompress,
    isIphc,
    type Compressed,
    type Compression,
    type Link,
} from "./iphc.ts"

/*
 * Packets that are longer than a frame: fragmentation and reassembly of RFC 4944 §5.3, the first fragment with
 * compressed headers (RFC 6282 §2). Sizes and offsets count bytes of the uncompressed packet.
 */

const first = 0xc000
const following = 0xe000
const dispatchMask = 0xf800
const firstHeaderBytes = 4
const headerBytes = 5
const uncompressedDispatch = 0x41

/** RFC 4944 §5.3: a datagram that is not whole by then is given up… Contiki waits 20 s. */
const reassemblyMs = 20_000

/**
 * The payloads of the frames that carry a packet: one where it fits, otherwise fragments.
 * @param room for payload in a frame
 * @param tag of the fragments
 * @throws PacketError
 */
export function toFrames(
    packet: Uint8Array,
    link: Link,
    how: Compression,
    room: number,
    tag: number,
): Uint8Array[] {
    if (packet.length <= how.thresholdBytes) return [Uint8Array.of(uncompressedDispatch, ...packet)]
    const compressed = compress(packet, link, how)
    if (compressed.bytes.length <= room) return [compressed.bytes]
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

function firstFragment(
    compressed: Compressed,
    packetSize: number,
    room: number,
    tag: number,
): Uint8Array {
    if (packetSize > 0x7ff) throw new PacketError(`packet of ${packetSize} bytes`)
    const { compressedSize, originalSize } = compressed
    // What it covers of the packet is a multiple of 8.
    const covered = (originalSize + room - firstHeaderBytes - compressedSize) & ~7
    if (covered < originalSize) throw new PacketError("headers do not fit into a fragment")
    return new Writer(room)
        .u16(first | packetSize)
        .u16(tag)
        .put(compressed.bytes.subarray(0, covered + saved(compressed)))
        .done()
}

interface Datagram {
    source: LinkAddress
    tag: number
    packet: Uint8Array
    /** Which 8 bytes have arrived. */
    blocks: Uint8Array
    missing: number
    deadlineMs: number
}

/** Puts packets together again; memory is bounded by `capacity` packets that are not whole yet. */
export class Reassembly {
    private readonly datagrams = new Map<string, Datagram>()
    private readonly capacity: number

    constructor(capacity = 4) {
        this.capacity = capacity
    }

    /**
     * Takes the payload of a frame.
     * @returns the packet, if it is whole now
     * @throws PacketError when it is not 6LoWPAN, or contradicts what came before
     */
    take(payload: Uint8Array, link: Link, nowMs: number): Uint8Array | undefined {
        if (isIphc(payload)) return decompress(payload, link)
        if (payload[0] === uncompressedDispatch) return payload.subarray(1)
        const reader = new Reader(payload)
        const head = reader.u16()
        const kind = head & dispatchMask
        if (kind !== first && kind !== following) throw new PacketError("no 6LoWPAN")
        const size = head & ~dispatchMask
        const tag = reader.u16()
        const offset = kind === following ? 8 * reader.u8() : 0
        const rest = reader.rest()
        const part = kind === first && isIphc(rest) ? decompress(rest, link, size) : rest
        return this.add(this.datagram(link, size, tag, nowMs), offset, part)
    }

    private datagram(link: Link, size: number, tag: number, nowMs: number): Datagram {
        for (const [key, { deadlineMs }] of this.datagrams)
            if (deadlineMs <= nowMs) this.datagrams.delete(key)
        const key = `${hex(link.source)} ${hex(link.destination)} ${size} ${tag}`
        let datagram = this.datagrams.get(key)
        if (!datagram) {
            if (this.datagrams.size >= this.capacity) throw new PacketError("no room to reassemble")
            const blocks = new Uint8Array(Math.ceil(size / 8))
            const packet = new Uint8Array(size)
            const deadlineMs = nowMs + reassemblyMs
            const missing = blocks.length
            datagram = { source: link.source, tag, packet, blocks, missing, deadlineMs }
            this.datagrams.set(key, datagram)
        }
        return datagram
    }

    private add(datagram: Datagram, offset: number, part: Uint8Array): Uint8Array | undefined {
        const { packet, blocks } = datagram
        const end = offset + part.length
        if (end > packet.length || (end < packet.length && part.length % 8))
            throw new PacketError("fragment out of place")
        packet.set(part, offset)
        for (let block = offset / 8; block < Math.ceil(end / 8); block++)
            if (!blocks[block]) {
                blocks[block] = 1
                datagram.missing--
            }
        if (datagram.missing) return undefined
        for (const [key, value] of this.datagrams)
            if (value === datagram) this.datagrams.delete(key)
        return packet
    }
}

function hex(bytes: Uint8Array): string {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("hex")
}
