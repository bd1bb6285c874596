import type { Events } from "../time/events.ts"
import type { Outgoing } from "./mac/csma.ts"
import { maxPayloadBytes } from "./mac/csma.ts"
import { equalBytes, PacketError } from "./bytes.ts"
import { ErrorLimit } from "./error-limit.ts"
import { decodeEcho, decodeIcmp, encodeEcho, encodeIcmp, errorMessage, IcmpType, type IcmpMessage } from "./icmpv6.ts"
import { broadcast, type Frame, type LinkAddress } from "./mac/ieee802154.ts"
import {
    decodeIpv6,
    encodeIpv6,
    headerBytes,
    isLinkLocal,
    isMulticast,
    minMtu,
    NextHeader,
    unspecified,
    type ExtensionHeader,
    type Ipv6Address,
    type Ipv6Packet,
} from "./ipv6.ts"
import { advanceSourceRoute } from "./source-route.ts"
import { Reassembly, toFrames } from "./sixlowpan/fragment.ts"
import type { Compression } from "./sixlowpan/compression.ts"
import { interfaceId, type Contexts } from "./sixlowpan/iphc.ts"

export const defaultHopLimit = 64

/** The link layer below: CSMA in a simulation. */
export interface Mac {
    readonly address: LinkAddress
    /** Number of frames that fit into its queue. */
    readonly room: number
    send(outgoing: Outgoing): void
}

/** The routing protocol: RPL here. */
export interface Routing {
    /**
     * Checks a packet in transit. False means that it took a wrong route and is dropped.
     * @param previous the neighbour that sent it; undefined if it came from outside the network
     */
    admit(packet: Ipv6Packet, previous?: LinkAddress): boolean
    /** The next hop of a packet, and the packet with the headers needed. Undefined if there is no route. */
    route(packet: Ipv6Packet, previous?: LinkAddress): { packet: Ipv6Packet; nextHop: Ipv6Address } | undefined
    /** Reports the outcome of a frame to a neighbour. */
    sent(neighbour: LinkAddress, delivered: boolean, transmissions: number): void
}

/** Called with whether a packet was delivered over its first link; the rest of its route is unknown. */
export type Sent = (delivered: boolean) => void

interface Origin {
    /** The neighbour that sent the packet. */
    previous?: LinkAddress
    isOutside?: boolean
    sent?: Sent | undefined
}

export interface NodeObserver {
    /** A packet was dropped for this reason. */
    dropped?(packet: Ipv6Packet, reason: string): void
    forwarded?(packet: Ipv6Packet, nextHop: Ipv6Address): void
    delivered?(packet: Ipv6Packet): void
}

/** The IPv6 layer of one node: 6LoWPAN below; ICMPv6, UDP and TCP above; forwarding for others. */
export class Ipv6Node {
    readonly events: Events
    readonly linkLocal: Ipv6Address
    /** All addresses except the link-local one. */
    readonly addresses: Ipv6Address[] = []
    routing: Routing | undefined
    /** For a border router: called with packets that leave the network. */
    external: ((packet: Uint8Array) => void) | undefined
    /** Signal strength of the last frame received. */
    rssiDbm = 0
    private readonly mac: Mac
    private readonly contexts: Contexts
    private readonly compression: Compression
    private readonly observer: NodeObserver
    private readonly reassembly = new Reassembly()
    private readonly protocols = new Map<number, (packet: Ipv6Packet) => void>()
    private readonly icmpHandlers = new Map<number, (m: IcmpMessage, p: Ipv6Packet) => void>()
    private readonly errorLimit: ErrorLimit
    /** Datagram tag of the last fragmented packet. */
    private tag: number

    constructor(o: {
        events: Events
        mac: Mac
        contexts: Contexts
        compression: Compression
        observer?: NodeObserver
        /** Random, so that a node after a reset does not continue the datagrams of its previous run (RFC 4944 §5.3). */
        firstTag?: number
    }) {
        this.events = o.events
        this.tag = o.firstTag ?? 0
        this.mac = o.mac
        this.contexts = o.contexts
        this.compression = o.compression
        this.observer = o.observer ?? {}
        this.linkLocal = linkLocalOf(o.mac.address)
        this.errorLimit = new ErrorLimit(() => o.events.now())
        this.onProtocol(NextHeader.icmpv6, packet => this.icmp(packet))
        this.onIcmp(IcmpType.echoRequest, (message, packet) => this.echo(message, packet))
    }

    onProtocol(protocol: number, handler: (packet: Ipv6Packet) => void): void {
        this.protocols.set(protocol, handler)
    }

    onIcmp(type: number, handler: (message: IcmpMessage, packet: Ipv6Packet) => void): void {
        this.icmpHandlers.set(type, handler)
    }

    isOwn(address: Ipv6Address): boolean {
        return equalBytes(address, this.linkLocal) || this.addresses.some(own => equalBytes(own, address))
    }

    /** The source address for a destination: one of the same scope. */
    sourceFor(destination: Ipv6Address): Ipv6Address {
        if (isLinkLocal(destination) || isMulticast(destination)) return this.linkLocal
        return this.addresses[0] ?? this.linkLocal
    }

    /** Sends a packet of this node. Only a response shows that it arrived. */
    send(packet: Ipv6Packet, sent?: Sent): void {
        if (this.isOwn(packet.destination)) this.deliver(packet)
        else this.transmit(packet, { sent })
    }

    /** @param o `hopLimit` and `source` if they differ from the default */
    sendIcmp(
        message: IcmpMessage,
        destination: Ipv6Address,
        o: { hopLimit?: number; source?: Ipv6Address; sent?: Sent } = {},
    ): void {
        const { hopLimit = defaultHopLimit, source = this.sourceFor(destination), sent } = o
        const payload = encodeIcmp(message, source, destination)
        this.send({ hopLimit, source, destination, protocol: NextHeader.icmpv6, payload }, sent)
    }

    /** Handles a frame that was received with this signal strength. */
    receiveFrame(frame: Frame, rssiDbm: number): void {
        this.rssiDbm = rssiDbm
        const link = {
            source: frame.source!,
            destination: frame.destination!,
            contexts: this.contexts,
        }
        try {
            const packet = this.reassembly.take(frame.payload, link, this.events.now())
            if (packet) this.input(decodeIpv6(packet), { previous: link.source })
        } catch (error) {
            if (!(error instanceof PacketError)) throw error
        }
    }

    /** Handles a packet from outside the network, at a border router. @throws PacketError */
    inject(bytes: Uint8Array): void {
        const packet = decodeIpv6(bytes)
        // RPL headers are valid only within the network (RFC 6554 §5).
        if (packet.extensions?.some(isOfMesh)) return this.observer.dropped?.(packet, "header from outside")
        if (bytes.length > minMtu) {
            this.observer.dropped?.(packet, "too big")
            return this.complain(packet, IcmpType.packetTooBig, 0, minMtu)
        }
        this.input(packet, { isOutside: true })
    }

    private input(packet: Ipv6Packet, origin: Origin): void {
        const { source, destination } = packet
        if (isMulticast(source) || equalBytes(destination, unspecified)) return
        if (isMulticast(destination)) return this.deliver(packet)
        if (!this.isOwn(destination)) return this.forward(packet, origin)
        const onward = advanceSourceRoute(packet, address => this.isOwn(address))
        if (onward) this.forward(onward, origin)
        else this.deliver(packet)
    }

    private deliver(packet: Ipv6Packet): void {
        this.observer.delivered?.(packet)
        const handler = this.protocols.get(packet.protocol)
        if (handler) handler(packet)
        else this.complain(packet, IcmpType.parameterProblem, 1, nextHeaderAt(packet))
    }

    private forward(packet: Ipv6Packet, origin: Origin): void {
        const { source, destination } = packet
        if (isLinkLocal(source) || isLinkLocal(destination) || equalBytes(source, unspecified)) return
        if (packet.hopLimit <= 1) {
            this.observer.dropped?.(packet, "hop limit")
            return this.complain(packet, IcmpType.timeExceeded, 0)
        }
        const onward = { ...packet, hopLimit: packet.hopLimit - 1 }
        if (this.routing && !this.routing.admit(onward, origin.previous))
            return this.observer.dropped?.(packet, "rank error")
        this.transmit(onward, origin)
    }

    private transmit(packet: Ipv6Packet, { previous, isOutside, sent }: Origin): void {
        const { destination } = packet
        if (isMulticast(destination)) return this.toLink(packet, broadcast, sent)
        if (isLinkLocal(destination)) return this.toLink(packet, linkAddressOf(destination), sent)
        const routed = this.routing?.route(packet, previous)
        if (routed) {
            this.observer.forwarded?.(routed.packet, routed.nextHop)
            return this.toLink(routed.packet, linkAddressOf(routed.nextHop), sent)
        }
        // RPL headers are removed outside the network. A packet from outside is not sent back there.
        if (this.external && !isOutside) {
            const extensions = packet.extensions?.filter(header => !isOfMesh(header)) ?? []
            sent?.(true)
            return this.external(encodeIpv6({ ...packet, extensions }))
        }
        this.failed(packet, "no route", sent)
        this.complain(packet, IcmpType.unreachable, 0)
    }

    private toLink(packet: Ipv6Packet, destination: LinkAddress, sent?: Sent): void {
        const link = { source: this.mac.address, destination, contexts: this.contexts }
        let frames: Uint8Array[]
        try {
            this.tag = (this.tag + 1) & 0xffff
            const bytes = encodeIpv6(packet)
            frames = toFrames(bytes, link, this.compression, maxPayloadBytes, this.tag)
        } catch (error) {
            if (!(error instanceof PacketError)) throw error
            return this.failed(packet, error.message, sent)
        }
        // A packet is queued whole or not at all, and leaves the queue whole when a fragment is lost: part of a packet
        // is useless.
        if (frames.length > this.mac.room) return this.failed(packet, "queue", sent)
        let isLost = false
        frames.forEach((payload, i) =>
            this.mac.send({
                destination,
                payload,
                isWanted: () => !isLost,
                done: (delivered, transmissions) => {
                    if (transmissions) this.routing?.sent(destination, delivered, transmissions)
                    if (delivered && i === frames.length - 1) sent?.(true)
                    if (delivered || isLost) return
                    isLost = true
                    this.failed(packet, "no acknowledgement", sent)
                },
            }),
        )
    }

    private failed(packet: Ipv6Packet, reason: string, sent?: Sent): void {
        this.observer.dropped?.(packet, reason)
        sent?.(false)
    }

    private icmp(packet: Ipv6Packet): void {
        const message = decodeIcmp(packet.payload, packet.source, packet.destination)
        this.icmpHandlers.get(message.type)?.(message, packet)
    }

    /** Answers an echo request (RFC 4443 §4.2), from the address that was pinged unless that was multicast. */
    private echo(message: IcmpMessage, packet: Ipv6Packet): void {
        const { source, destination } = packet
        const reply = encodeEcho(IcmpType.echoReply, decodeEcho(message))
        this.sendIcmp(reply, source, isMulticast(destination) ? {} : { source: destination })
    }

    /**
     * Sends an ICMPv6 error to the source, within the limits of RFC 4443 §2.4: never about an error or a multicast
     * packet, never to the unspecified address, and rate-limited.
     * @param value the four bytes after the checksum: the MTU, or the offset of the problem in the packet
     */
    complain(packet: Ipv6Packet, type: number, code: number, value = 0): void {
        const { source, destination, protocol, payload } = packet
        const isError = protocol === NextHeader.icmpv6 && !(payload[0]! >= 128)
        if (isError || isMulticast(destination) || equalBytes(source, unspecified)) return
        if (this.isOwn(source) || !this.errorLimit.allows()) return
        this.sendIcmp(errorMessage(type, code, encodeIpv6(packet), value), source)
    }
}

/** Whether RPL routing adds this header. */
function isOfMesh({ kind }: ExtensionHeader): boolean {
    return kind === NextHeader.hopByHop || kind === NextHeader.routing
}

/** The offset of the Next Header field with the unsupported protocol. */
function nextHeaderAt({ extensions = [] }: Ipv6Packet): number {
    const last = extensions.at(-1)
    if (!last) return 6
    return extensions.reduce((at, { data }) => at + 2 + data.length, headerBytes) - last.data.length - 2
}

/** The link-local address for a link-layer address (RFC 4862 §5.3). */
export function linkLocalOf(address: LinkAddress): Ipv6Address {
    return withPrefix(Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0), address)
}

/** The address that a node configures itself (RFC 4862 §5.5). @param prefix its first 8 bytes */
export function withPrefix(prefix: Uint8Array, address: LinkAddress): Ipv6Address {
    const bytes = new Uint8Array(16)
    bytes.set(prefix.subarray(0, 8))
    bytes.set(interfaceId(address), 8)
    return bytes
}

/** The EUI-64 from which an address was formed; a network of such nodes needs no neighbour solicitation. */
export function linkAddressOf(address: Ipv6Address): LinkAddress {
    const link = Uint8Array.from(address.subarray(8))
    link[0]! ^= 2
    return link
}
