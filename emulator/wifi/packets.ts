/** Ethernet II, IPv4 (RFC 791), UDP (RFC 768) and TCP (RFC 9293) as bytes. */

export const IPV4 = 0x0800
export const ARP = 0x0806
export const ICMP = 1
export const TCP = 6
export const UDP = 17
const ethernetHeaderBytes = 14
const ipHeaderBytes = 20
const hopLimit = 64

export interface EthernetFrame {
    to: Buffer
    from: Buffer
    type: number
    payload: Buffer
}

export function readEthernet(bytes: Uint8Array): EthernetFrame | undefined {
    const frame = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    if (frame.length < ethernetHeaderBytes) return undefined
    return {
        to: frame.subarray(0, 6),
        from: frame.subarray(6, 12),
        type: frame.readUInt16BE(12),
        payload: frame.subarray(ethernetHeaderBytes),
    }
}

export function writeEthernet(to: Uint8Array, from: Uint8Array, type: number, payload: Uint8Array): Buffer {
    const frame = Buffer.alloc(ethernetHeaderBytes + payload.length)
    frame.set(to, 0)
    frame.set(from, 6)
    frame.writeUInt16BE(type, 12)
    frame.set(payload, ethernetHeaderBytes)
    return frame
}

export interface Ipv4Packet {
    protocol: number
    /** Addresses as numbers. */
    from: number
    to: number
    payload: Buffer
}

/** @returns undefined for what is no whole packet: there are no fragments here */
export function readIpv4(bytes: Buffer): Ipv4Packet | undefined {
    if (bytes.length < ipHeaderBytes || bytes[0]! >> 4 !== 4) return undefined
    const headerLength = (bytes[0]! & 15) * 4
    const length = bytes.readUInt16BE(2)
    if (headerLength < ipHeaderBytes || length < headerLength || length > bytes.length) return undefined
    if (bytes.readUInt16BE(6) & 0x3fff || checksum(bytes.subarray(0, headerLength)) !== 0) return undefined
    return {
        protocol: bytes[9]!,
        from: bytes.readUInt32BE(12),
        to: bytes.readUInt32BE(16),
        payload: bytes.subarray(headerLength, length),
    }
}

export function writeIpv4({ protocol, from, to, payload }: Ipv4Packet): Buffer {
    const packet = Buffer.alloc(ipHeaderBytes + payload.length)
    packet[0] = 0x45
    packet.writeUInt16BE(packet.length, 2)
    packet[8] = hopLimit
    packet[9] = protocol
    packet.writeUInt32BE(from, 12)
    packet.writeUInt32BE(to, 16)
    packet.writeUInt16BE(checksum(packet.subarray(0, ipHeaderBytes)), 10)
    packet.set(payload, ipHeaderBytes)
    return packet
}

/** Internet checksum (RFC 1071). */
export function checksum(bytes: Uint8Array, start = 0): number {
    let sum = start
    for (let i = 0; i < bytes.length; i++) sum += i % 2 ? bytes[i]! : bytes[i]! << 8
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16)
    return ~sum & 0xffff
}

/** Of a UDP or TCP payload, over the pseudo header too. */
function transportChecksum({ protocol, from, to, payload }: Ipv4Packet): number {
    const pseudo = (from >>> 16) + (from & 0xffff) + (to >>> 16) + (to & 0xffff) + protocol + payload.length
    return checksum(payload, pseudo)
}

const udpHeaderBytes = 8

export interface Datagram {
    fromPort: number
    toPort: number
    payload: Buffer
}

export function readUdp(bytes: Buffer): Datagram | undefined {
    if (bytes.length < udpHeaderBytes) return undefined
    const length = bytes.readUInt16BE(4)
    if (length < udpHeaderBytes || length > bytes.length) return undefined
    return {
        fromPort: bytes.readUInt16BE(0),
        toPort: bytes.readUInt16BE(2),
        payload: bytes.subarray(udpHeaderBytes, length),
    }
}

/** Without a checksum, which IPv4 leaves free. */
export function writeUdp({ fromPort, toPort, payload }: Datagram): Buffer {
    const bytes = Buffer.alloc(udpHeaderBytes + payload.length)
    bytes.writeUInt16BE(fromPort, 0)
    bytes.writeUInt16BE(toPort, 2)
    bytes.writeUInt16BE(bytes.length, 4)
    bytes.set(payload, udpHeaderBytes)
    return bytes
}

export const FIN = 1
export const SYN = 2
export const RST = 4
export const PSH = 8
export const ACK = 16
const tcpHeaderBytes = 20
const MSS_OPTION = 2

export interface Segment {
    fromPort: number
    toPort: number
    sequence: number
    acknowledged: number
    flags: number
    window: number
    payload: Buffer
    /** Of a SYN. */
    mss?: number
}

export function readTcp(packet: Ipv4Packet): Segment | undefined {
    const { payload: bytes } = packet
    if (bytes.length < tcpHeaderBytes || transportChecksum(packet) !== 0) return undefined
    const headerLength = (bytes[12]! >> 4) * 4
    if (headerLength < tcpHeaderBytes || headerLength > bytes.length) return undefined
    return {
        fromPort: bytes.readUInt16BE(0),
        toPort: bytes.readUInt16BE(2),
        sequence: bytes.readUInt32BE(4),
        acknowledged: bytes.readUInt32BE(8),
        flags: bytes[13]!,
        window: bytes.readUInt16BE(14),
        payload: bytes.subarray(headerLength),
        mss: mssOption(bytes.subarray(tcpHeaderBytes, headerLength)),
    }
}

function mssOption(options: Buffer): number | undefined {
    for (let at = 0; at < options.length && options[at] !== 0;) {
        if (options[at] === 1) {
            at++
            continue
        }
        const length = options[at + 1] ?? 0
        if (length < 2 || at + length > options.length) return undefined
        if (options[at] === MSS_OPTION && length === 4) return options.readUInt16BE(at + 2)
        at += length
    }
    return undefined
}

export function writeTcp(segment: Segment, from: number, to: number): Buffer {
    const { payload, mss } = segment
    const headerLength = tcpHeaderBytes + (mss === undefined ? 0 : 4)
    const bytes = Buffer.alloc(headerLength + payload.length)
    bytes.writeUInt16BE(segment.fromPort, 0)
    bytes.writeUInt16BE(segment.toPort, 2)
    bytes.writeUInt32BE(segment.sequence >>> 0, 4)
    bytes.writeUInt32BE(segment.acknowledged >>> 0, 8)
    bytes[12] = (headerLength / 4) << 4
    bytes[13] = segment.flags
    bytes.writeUInt16BE(segment.window, 14)
    if (mss !== undefined) bytes.writeUInt32BE((MSS_OPTION << 24) | (4 << 16) | mss, tcpHeaderBytes)
    bytes.set(payload, headerLength)
    bytes.writeUInt16BE(transportChecksum({ protocol: TCP, from, to, payload: bytes }), 16)
    return bytes
}
