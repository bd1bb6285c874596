/** Broadcom's frames on a WiFi chip's bus: SDPCM around control messages, events and Ethernet frames. */

export const CONTROL = 0
export const EVENT = 1
export const DATA = 2

const headerBytes = 12
const bdcBytes = 4
/** Two bytes more than it needs: then what an event contains is aligned. */
const paddedHeaderBytes = 14
const bdcVersion = 0x20
const ethernetHeaderBytes = 14
const EVENT_TYPE = 0x886c
const eventBytes = 48
/** The host may send so many more before it hears of us. */
const credits = 20

export interface Frame {
    sequence: number
    channel: number
    payload: Buffer
}

/** @returns undefined for what is none */
export function readFrame(bytes: Uint8Array): Frame | undefined {
    const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    if (frame.length < headerBytes) return undefined
    const size = frame.readUInt16LE(0)
    const headerLength = frame[7]!
    if ((size ^ frame.readUInt16LE(2)) !== 0xffff || size > frame.length || headerLength > size) return undefined
    const channel = frame[5]! & 15
    let payload = frame.subarray(headerLength, size)
    if (channel === DATA) {
        if (payload.length < bdcBytes) return undefined
        payload = payload.subarray(bdcBytes + 4 * payload[3]!)
    }
    return { sequence: frame[4]!, channel, payload }
}

/** @param heard the sequence number of the host's last frame */
export function writeFrame(channel: number, sequence: number, heard: number, payload: Uint8Array): Uint8Array {
    const headerLength = channel === CONTROL ? headerBytes : paddedHeaderBytes
    const bdc = channel === CONTROL ? 0 : bdcBytes
    const frame = Buffer.alloc(headerLength + bdc + payload.length)
    frame.writeUInt16LE(frame.length, 0)
    frame.writeUInt16LE(~frame.length & 0xffff, 2)
    frame[4] = sequence
    frame[5] = channel
    frame[7] = headerLength
    frame[9] = (heard + credits) & 255
    if (bdc) frame[headerLength] = bdcVersion
    frame.set(payload, headerLength + bdc)
    return frame
}

export interface WifiEvent {
    type: number
    status?: number
    reason?: number
    flags?: number
    data?: Uint8Array
}

/** An event, as the Ethernet frame that it is. */
export function eventFrame(mac: Uint8Array, { type, status = 0, reason = 0, flags = 0, data }: WifiEvent): Uint8Array {
    const frame = Buffer.alloc(ethernetHeaderBytes + 10 + eventBytes + (data?.length ?? 0))
    frame.set(mac, 0)
    frame.set(mac, 6)
    frame.writeUInt16BE(EVENT_TYPE, 12)
    frame.set([0x80, 0x01, 0x00, frame.length - 20, 0x00, 0x00, 0x10, 0x18, 0x00, 0x01], 14)
    const event = frame.subarray(ethernetHeaderBytes + 10)
    event.writeUInt16BE(2, 0)
    event.writeUInt16BE(flags, 2)
    event.writeUInt32BE(type, 4)
    event.writeUInt32BE(status, 8)
    event.writeUInt32BE(reason, 12)
    event.writeUInt32BE(data?.length ?? 0, 20)
    event.set(mac, 24)
    event.write("wl0", 30, "latin1")
    if (data) event.set(data, eventBytes)
    return frame
}
