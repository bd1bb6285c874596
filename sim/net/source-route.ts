import { PacketError, Reader, Writer } from "./bytes.ts"
import { isMulticast, NextHeader, type Ipv6Address, type Ipv6Packet } from "./ipv6.ts"

/*
 * The routing header for source routes in a RPL network (RFC 6554): the way from the root down, in networks whose nodes
 * store no routes.
 */

const routingType = 3
const fixedBytes = 6
const maxHops = 64

export interface SourceRoute {
    /** Hops that are still to come. */
    segmentsLeft: number
    /** All that come after the first, whose address is the packet's destination. */
    addresses: Ipv6Address[]
}

/** The data of the routing header. @param destination of the packet, whose first bytes the addresses may share */
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

/** Where a packet is going in the end: its destination, or the last address of its source route (RFC 8200 §8.1). */
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
 * A packet that has come to the next address of its source route, turned towards the one after; undefined at the end.
 * @param isOwn says of an address whether it is this node's
 * @throws PacketError when the header is of another kind, or the route comes back here (RFC 6554 §4.2)
 */
export function advanceSourceRoute(
    packet: Ipv6Packet,
    isOwn: (address: Ipv6Address) => boolean,
): Ipv6Packet | undefined {
    const header = packet.extensions?.find(({ kind }) => kind === NextHeader.routing)
    // A header of which nothing is left to do may be of any kind (RFC 8200 §4.4).
    if (!header || header.data[1] === 0) return undefined
    const { segmentsLeft, addresses } = decodeSourceRoute(header.data, packet.destination)
    const at = addresses.length - segmentsLeft
    const destination = addresses[at]
    if (!destination || addresses.some(isMulticast)) throw new PacketError("malformed source route")
    if (addresses.some(isOwn)) throw new PacketError("source route goes round")
    const visited = addresses.map((address, i) => (i === at ? packet.destination : address))
    const route = { segmentsLeft: segmentsLeft - 1, addresses: visited }
    const data = encodeSourceRoute(route, destination)
    const extensions = packet.extensions!.map(one => (one === header ? { ...one, data } : one))
    return { ...packet, destination, extensions }
}
