/**
 * Jacdac frames (Jacdac protocol, "Reference: Protocol"): CRC-16, size, flags and a device identifier, then one or more packets of
 * size, service index, command and payload, each padded to four bytes.
 */

/** The device identifier is the receiver, not the sender. */
export const frameIsCommand = 0x01
/** The low half of the device identifier is a service class: the frame is for every device that has it. */
const frameToServiceClass = 0x04

export const maxPayloadBytes = 232

export interface Packet {
    /** Sender of a report, receiver of a command; 16 hex digits in the byte order of the frame. */
    deviceId: string
    flags: number
    serviceIndex: number
    command: number
    payload: Uint8Array
}

/** Encodes one packet as a frame. */
export function packFrame(packet: Packet): Uint8Array {
    const size = packet.payload.length
    if (size > maxPayloadBytes) throw new RangeError(`Jacdac payload of ${size} bytes`)
    const padded = (4 + size + 3) & ~3
    const frame = Buffer.alloc(12 + padded)
    frame[2] = padded
    frame[3] = packet.flags
    frame.write(packet.deviceId, 4, "hex")
    frame[12] = size
    frame[13] = packet.serviceIndex
    frame.writeUInt16LE(packet.command, 14)
    frame.set(packet.payload, 16)
    frame.writeUInt16LE(crc16(frame.subarray(2)), 0)
    return frame
}

/** Decodes the packets of a frame; empty if the frame is damaged. */
export function unpackFrame(frame: Uint8Array): Packet[] {
    const view = Buffer.from(frame.buffer, frame.byteOffset, frame.length)
    const packets: Packet[] = []
    if (view.length < 16 || view.length < 12 + view[2]!) return packets
    if (view.readUInt16LE(0) !== crc16(view.subarray(2, 12 + view[2]!))) return packets
    const deviceId = view.toString("hex", 4, 12)
    const end = 12 + view[2]!
    for (let at = 12; at + 4 <= end;) {
        const size = view[at]!
        if (at + 4 + size > end) break
        packets.push({
            deviceId,
            flags: view[3]!,
            serviceIndex: view[at + 1]!,
            command: view.readUInt16LE(at + 2),
            payload: view.subarray(at + 4, at + 4 + size),
        })
        at += (4 + size + 3) & ~3
    }
    return packets
}

/** A command for every device with a service of this class. */
export function toServiceClass(serviceClass: number, command: number, payload: Uint8Array): Uint8Array {
    const id = Buffer.alloc(8)
    id.writeUInt32LE(serviceClass, 0)
    id.writeUInt32LE(0xaaaaaaaa, 4)
    const flags = frameIsCommand | frameToServiceClass
    return packFrame({ deviceId: id.toString("hex"), flags, serviceIndex: 0x3d, command, payload })
}

/** CRC-16-CCITT with initial value 0xffff. */
function crc16(bytes: Uint8Array): number {
    let crc = 0xffff
    for (const byte of bytes) {
        const x = (crc >> 8) ^ byte
        const y = x ^ (x >> 4)
        crc = ((crc << 8) ^ (y << 12) ^ (y << 5) ^ y) & 0xffff
    }
    return crc
}
