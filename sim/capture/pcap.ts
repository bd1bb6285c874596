import { PacketError } from "../net/bytes.ts"

/** Link types of the pcap format (https://www.tcpdump.org/linktypes.html). */
export const linkType = { ieee802154: 195, ieee802154Tap: 283 } as const

export interface CapturedFrame {
    /** Microseconds since the start of the simulation. */
    timeUs: number
    bytes: Uint8Array
}

const magic = 0xa1b2c3d4
const snapLength = 0xffff
const headerBytes = 24
const recordBytes = 16

/** The head of a capture file (libpcap 2.4, little-endian, microseconds). */
export function pcapHeader(link: number): Uint8Array {
    const header = Buffer.alloc(headerBytes)
    header.writeUInt32LE(magic, 0)
    header.writeUInt16LE(2, 4)
    header.writeUInt16LE(4, 6)
    header.writeUInt32LE(snapLength, 16)
    header.writeUInt32LE(link, 20)
    return header
}

/** The record of one frame. */
export function pcapRecord({ timeUs, bytes }: CapturedFrame): Uint8Array {
    const record = Buffer.alloc(recordBytes + bytes.length)
    record.writeUInt32LE(Math.floor(timeUs / 1e6), 0)
    record.writeUInt32LE(Math.floor(timeUs % 1e6), 4)
    record.writeUInt32LE(bytes.length, 8)
    record.writeUInt32LE(bytes.length, 12)
    record.set(bytes, recordBytes)
    return record
}

/** Reads a capture file with microsecond timestamps, in either byte order. @throws PacketError */
export function readPcap(file: Uint8Array): { link: number; frames: CapturedFrame[] } {
    const view = new DataView(file.buffer, file.byteOffset, file.length)
    const isLittle = file.length >= headerBytes && view.getUint32(0, true) === magic
    if (file.length < headerBytes || view.getUint32(0, isLittle) !== magic) throw new PacketError("not a capture file")
    const u32 = (at: number) => view.getUint32(at, isLittle)
    const frames: CapturedFrame[] = []
    for (let at = headerBytes; at < file.length;) {
        const start = at + recordBytes
        const end = start <= file.length ? start + u32(at + 8) : Infinity
        if (end > file.length) throw new PacketError("capture cut short")
        frames.push({ timeUs: u32(at) * 1e6 + u32(at + 4), bytes: file.subarray(start, end) })
        at = end
    }
    return { link: u32(20), frames }
}
