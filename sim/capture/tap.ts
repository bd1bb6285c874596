/*
 * IEEE 802.15.4 TAP (link type 283): type-length-value fields in front of a frame
 * (https://github.com/jkcko/ieee802.15.4-tap, "IEEE 802.15.4 TAP Link Type Specification").
 */

const fcsType = 0
const rss = 1
const channelAssignment = 3
const crc16 = 1
const headerBytes = 4
const fieldBytes = 8

/** A frame with its FCS, behind a header with what its receiver measured. */
export function tapFrame(frame: Uint8Array, { rssiDbm, channel }: { rssiDbm: number; channel: number }): Uint8Array {
    const size = headerBytes + 3 * fieldBytes
    const bytes = Buffer.alloc(size + frame.length)
    bytes.writeUInt16LE(size, 2)
    field(bytes, headerBytes, fcsType, 1).writeUInt8(crc16, headerBytes + 4)
    const rssAt = headerBytes + fieldBytes
    field(bytes, rssAt, rss, 4).writeFloatLE(rssiDbm, rssAt + 4)
    const channelAt = rssAt + fieldBytes
    field(bytes, channelAt, channelAssignment, 3).writeUInt16LE(channel, channelAt + 4)
    bytes.set(frame, size)
    return bytes
}

function field(bytes: Buffer, at: number, type: number, length: number): Buffer {
    bytes.writeUInt16LE(type, at)
    bytes.writeUInt16LE(length, at + 2)
    return bytes
}
