import { PacketError, Reader, Writer } from "../bytes.ts"

/*
 * IEEE 802.15.4 MAC frames, versions 2003 and 2006 without security (IEEE 802.15.4-2006 §7.2). Addresses are stored in
 * the order in which they are written (EUI-64, most significant byte first); on the air they are reversed.
 */

/** A link-layer address of 16 or 64 bits, most significant byte first. */
export type LinkAddress = Uint8Array

/** Maximum frame size, FCS included: aMaxPHYPacketSize. */
export const maxFrameBytes = 127
export const fcsBytes = 2
export const broadcast: LinkAddress = Uint8Array.of(0xff, 0xff)

const types = ["beacon", "data", "ack", "command"] as const

export interface Frame {
    type: (typeof types)[number]
    ackRequest?: boolean
    pending?: boolean
    sequence: number
    /** PAN identifier of both destination and source. */
    pan?: number
    destination?: LinkAddress
    source?: LinkAddress
    /** Frame version: 0 is 2003, 1 is 2006. */
    version?: number
    payload: Uint8Array
}

const ackBytes = 5

/** Encodes a frame, FCS included. @throws PacketError if it is longer than a radio can send */
export function encodeFrame(frame: Frame): Uint8Array {
    const { destination, source, pan = 0, payload } = frame
    const isCompressed = destination !== undefined && source !== undefined
    const control =
        types.indexOf(frame.type) |
        (frame.pending ? 0x10 : 0) |
        (frame.ackRequest ? 0x20 : 0) |
        (isCompressed ? 0x40 : 0) |
        (mode(destination) << 10) |
        ((frame.version ?? 0) << 12) |
        (mode(source) << 14)
    const writer = new Writer(maxFrameBytes)
    writer.u8(control).u8(control >> 8)
    writer.u8(frame.sequence)
    if (destination) littleEndian16(writer, pan).put(reversed(destination))
    if (source) {
        if (!isCompressed) littleEndian16(writer, pan)
        writer.put(reversed(source))
    }
    writer.put(payload)
    littleEndian16(writer, fcs(writer.done()))
    if (writer.length > maxFrameBytes) throw new PacketError(`frame of ${writer.length} bytes`)
    return writer.done()
}

/** @throws PacketError if it is not a frame, its FCS is wrong, or its form is not supported */
export function decodeFrame(bytes: Uint8Array): Frame {
    if (bytes.length < ackBytes || bytes.length > maxFrameBytes) throw new PacketError(`frame of ${bytes.length} bytes`)
    const body = bytes.subarray(0, bytes.length - fcsBytes)
    if (fcs(body) !== (bytes[body.length]! | (bytes[body.length + 1]! << 8))) throw new PacketError("wrong FCS")
    const reader = new Reader(body)
    const control = reader.u8() | (reader.u8() << 8)
    const type = types[control & 7]
    const version = (control >> 12) & 3
    if (!type || version > 1) throw new PacketError("unknown frame type")
    if (control & 0x08) throw new PacketError("secured frame")
    const frame: Frame = { type, sequence: reader.u8(), payload: body }
    if (control & 0x10) frame.pending = true
    if (control & 0x20) frame.ackRequest = true
    if (version) frame.version = version
    const destinationSize = size((control >> 10) & 3)
    const sourceSize = size(control >> 14)
    if (control & 0x40 && !(destinationSize && sourceSize))
        throw new PacketError("PAN compression without a second address")
    if (destinationSize) {
        frame.pan = readLittleEndian16(reader)
        frame.destination = reversed(reader.take(destinationSize))
    }
    if (sourceSize) {
        if (!(control & 0x40)) {
            const pan = readLittleEndian16(reader)
            frame.pan ??= pan
        }
        frame.source = reversed(reader.take(sourceSize))
    }
    frame.payload = reader.rest()
    return frame
}

/** Encodes an acknowledgement: 5 bytes (§7.2.2.3). */
export function encodeAck(sequence: number, pending = false): Uint8Array {
    return encodeFrame({ type: "ack", sequence, pending, payload: new Uint8Array(0) })
}

/** ITU-T CRC-16, least significant bit first, initial value 0 (§7.2.1.9). */
export function fcs(bytes: Uint8Array): number {
    let crc = 0
    for (const byte of bytes) crc = (crc >> 8) ^ crcTable[(crc ^ byte) & 0xff]!
    return crc
}

const crcTable = Uint16Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0x8408 : crc >> 1
    return crc
})

function mode(address: LinkAddress | undefined): number {
    return address === undefined ? 0 : address.length === 2 ? 2 : 3
}

function size(mode: number): number {
    if (mode === 1) throw new PacketError("reserved addressing mode")
    return mode === 0 ? 0 : mode === 2 ? 2 : 8
}

function reversed(address: Uint8Array): Uint8Array {
    return Uint8Array.from(address).reverse()
}

function littleEndian16(writer: Writer, value: number): Writer {
    return writer.u8(value & 0xff).u8(value >> 8)
}

function readLittleEndian16(reader: Reader): number {
    return reader.u8() | (reader.u8() << 8)
}
