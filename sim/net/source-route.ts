import { PacketError, Reader, Writer } from "./bytes.ts"
import { isMulticast, NextHeader, type Ipv6Address, type Ipv6Packet } from "./ipv6.ts"

/*
 * The routing header for source routes in an RPL network (RFC 6554): the route down from the root, in networks whose
 * nodes store no routes.
 */

const routingType = 3
const fixedBytes = 6
const maxHops = 64

export interface SourceRoute {
    /** Number of remaining hops. */
    segmentsLeft: number
    /** All hops after the first, whose address is the packet's destination. */
    addresses: Ipv6Address[]
}

/**
 * Encodes the data of the routing header. @param destination of the packet, with which the addresses may share leading
 * bytes
 */
export function encodeSourceRoute(route: SourceRoute, destination: Ipv6Address): Uint8Array {
    const { addresses } = route
    const shared = Math.min(15, ...addresses.map(address => sharedBytes(address, destination)))
    const size = addresses.length * (16 - shared)
    const pad = (8 - ((size + fixedBytes + 2) % 8)) % 8
    const writer = new Writer(fixedBytes + size + pad).u8(routingType).u8(route.segmentsLeft)
    writer.u32(((shared << 28) | (shared << 24) | (pad << 20)) >>> 0)
    for (const address of addresses) writer.put(address.subarray(shared))
    return writer.put(new Uint8Array(pad)).done()
}

/** @throws PacketError */
export function decodeSourceRoute(data: Uint8Array, destination: Ipv6Address): SourceRoute {
    const reader = new Reader(data)
    if (reader.u8() !== routingType) throw new PacketError("unknown routing header")
    const segmentsLeft = reader.u8()
    const form = reader.u32()
    const shared = form >>> 28
    const sharedLast = (form >>> 24) & 15
    const bytes = reader.left - ((form >>> 20) & 15)
    if (bytes === 0 && segmentsLeft === 0) return { segmentsLeft, addresses: [] }
    const size = bytes - (16 - sharedLast)
    const others = size / (16 - shared)
    if (size < 0 || !Number.isInteger(others) || others >= maxHops || segmentsLeft > others + 1)
        throw new PacketError("malformed source route")
    const address = (prefix: number) => {
        const bytes = Uint8Array.from(destination)
        bytes.set(reader.take(16 - prefix), prefix)
        return bytes
    }
    const addresses = Array.from({ length: others }, () => address(shared))
    return { segmentsLeft, addresses: [...addresses, address(sharedLast)] }
}

/** The final destination of a packet: its destination, or the last address of its source route (RFC 8200 §8.1). */
export function finalDestination(packet: Ipv6Packet): Ipv6Address {
    const header = packet.extensions?.find(({ kind }) => kind === NextHeader.routing)
    if (!header) return packet.destination
    const { segmentsLeft, addresses } = decodeSourceRoute(header.data, packet.destination)
    return segmentsLeft ? addresses.at(-1)! : packet.destination
}

function sharedBytes(a: Uint8Array, b: Uint8Array): number {
    let size = 0
    while (size < 16 && a[size] === b[size]) size++
    return size
}

/**
 * Advances a packet to the next address of its source route. Undefined at the end of the route.
 * @param isOwn whether an address is this node's
 * @throws PacketError if the header is of another type, or the route returns here (RFC 6554 §4.2)
 */
export function advanceSourceRoute(
    packet: Ipv6Packet,
    isOwn: (address: Ipv6Address) => boolean,
): Ipv6Packet | undefined {
    const header = packet.extensions?.find(({ kind }) => kind === NextHeader.routing)
    // An exhausted routing header may be of any type (RFC 8200 §4.4).
    if (!header || header.data[1] === 0) return undefined
    const { segmentsLeft, addresses } = decodeSourceRoute(header.data, packet.destination)
    const at = addresses.length - segmentsLeft
    const destination = addresses[at]
    if (!destination || addresses.some(isMulticast)) throw new PacketError("malformed source route")
    if (addresses.some(isOwn)) throw new PacketError("source route contains this node")
    const visited = addresses.map((address, i) => (i === at ? packet.destination : address))
    const route = { segmentsLeft: segmentsLeft - 1, addresses: visited }
    const data = encodeSourceRoute(route, destination)
    const extensions = packet.extensions!.map(one => (one === header ? { ...one, data } : one))
    return { ...packet, destination, extensions }
}
