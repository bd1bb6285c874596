import type { Events } from "../events.ts"
import type { Outgoing } from "../radio/csma.ts"
import { maxPayloadBytes } from "../radio/csma.ts"
import { equalBytes, PacketError } from "./bytes.ts"
import {
    decodeEcho,
    decodeIcmp,
    encodeEcho,
    encodeIcmp,
    errorMessage,
    IcmpType,
    type IcmpMessage,
} from "./icmpv6.ts"
import { broadcast, type Frame, type LinkAddress } from "./ieee802154.ts"
import {
    decodeIpv6,
    encodeIpv6,
    isLinkLocal,
    isMulticast,
    NextHeader,
    unspecified,
    type Ipv6Address,
    type Ipv6Packet,
} from "./ipv6.ts"
import { advanceSourceRoute } from "./source-route.ts"
import { Reassembly, toFrames } from "./sixlowpan/fragment.ts"
import { interfaceId, type Compression, type Contexts } from "./sixlowpan/iphc.ts"

export const defaultHopLimit = 64

/** The link below: CSMA in a simulation. */
export interface Mac {
    readonly address: LinkAddress
    send(outgoing: Outgoing): void
}

/** Who knows the ways; RPL here. */
export interface Routing {
    /** Looks at a packet that passes through; false: it goes wrong and is dropped. */
    admit(packet: Ipv6Packet): boolean
    /** The neighbour that a packet goes to next, with the headers that it needs for it; undefined where there is no way. */
    route(packet: Ipv6Packet): { packet: Ipv6Packet; nextHop: Ipv6Address } | undefined
    /** What became of a frame to a neighbour. */
    sent(neighbour: LinkAddress, delivered: boolean, transmissions: number): void
}

export interface NodeObserver {
    /** A packet could not go on, for that reason. */
    dropped?(packet: Ipv6Packet, reason: string): void
    forwarded?(packet: Ipv6Packet, nextHop: Ipv6Address): void
    delivered?(packet: Ipv6Packet): void
}

/** The IPv6 of one node: 6LoWPAN below, ICMPv6, UDP and TCP above, forwarding for others. */
export class Ipv6Node {
    readonly events: Events
    readonly linkLocal: Ipv6Address
    /** All but the link-local one. */
    readonly addresses: Ipv6Address[] = []
    routing: Routing | undefined
    /** Of a border router: takes packets that leave the network. */
    external: ((packet: Uint8Array) => void) | undefined
    private readonly mac: Mac
    private readonly contexts: Contexts
    private readonly compression: Compression
    private readonly observer: NodeObserver
    private readonly reassembly = new Reassembly()
    private readonly protocols = new Map<number, (packet: Ipv6Packet) => void>()
    private readonly icmpHandlers = new Map<number, (m: IcmpMessage, p: Ipv6Packet) => void>()
    private tag = 0

    constructor(o: {
        events: Events
        mac: Mac
        contexts: Contexts
        compression: Compression
        observer?: NodeObserver
    }) {
        this.events = o.events
        this.mac = o.mac
        this.contexts = o.contexts
        this.compression = o.compression
        this.observer = o.observer ?? {}
        this.linkLocal = linkLocalOf(o.mac.address)
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
        return (
            equalBytes(address, this.linkLocal) ||
            this.addresses.some(own => equalBytes(own, address))
        )
    }

    /** The address to speak from: of the same scope as the destination. */
    sourceFor(destination: Ipv6Address): Ipv6Address {
        if (isLinkLocal(destination) || isMulticast(destination)) return this.linkLocal
        return this.addresses[0] ?? this.linkLocal
    }

    /** Sends a message of this node. Whether it arrives, only an answer tells. */
    send(packet: Ipv6Packet): void {
        if (this.isOwn(packet.destination)) this.deliver(packet)
        else this.transmit(packet)
    }

    sendIcmp(message: IcmpMessage, destination: Ipv6Address, hopLimit = defaultHopLimit): void {
        const source = this.sourceFor(destination)
        const payload = encodeIcmp(message, source, destination)
        this.send({ hopLimit, source, destination, protocol: NextHeader.icmpv6, payload })
    }

    /** A frame has come in. */
    receiveFrame(frame: Frame): void {
        const link = {
            source: frame.source!,
            destination: frame.destination!,
            contexts: this.contexts,
        }
        try {
            const packet = this.reassembly.take(frame.payload, link, this.events.now())
            if (packet) this.input(decodeIpv6(packet))
        } catch (error) {
            if (!(error instanceof PacketError)) throw error
        }
    }

    /** A packet from outside the network, at a border router. @throws PacketError */
    inject(packet: Uint8Array): void {
        this.input(decodeIpv6(packet), true)
    }

    private input(packet: Ipv6Packet, isFromOutside = false): void {
        if (isMulticast(packet.destination)) return this.deliver(packet)
        if (!this.isOwn(packet.destination)) return this.forward(packet, isFromOutside)
        const onward = advanceSourceRoute(packet)
        if (onward) this.forward(onward)
        else this.deliver(packet)
    }

    private deliver(packet: Ipv6Packet): void {
        this.observer.delivered?.(packet)
        const handler = this.protocols.get(packet.protocol)
        if (handler) handler(packet)
        else if (!isMulticast(packet.destination))
            this.complain(packet, IcmpType.parameterProblem, 1)
    }

    private forward(packet: Ipv6Packet, isFromOutside = false): void {
        if (isLinkLocal(packet.source) || isLinkLocal(packet.destination)) return
        if (packet.hopLimit <= 1) {
            this.observer.dropped?.(packet, "hop limit")
            return this.complain(packet, IcmpType.timeExceeded, 0)
        }
        const onward = { ...packet, hopLimit: packet.hopLimit - 1 }
        if (this.routing && !this.routing.admit(onward))
            return this.observer.dropped?.(packet, "rank error")
        this.transmit(onward, isFromOutside)
    }

    private transmit(packet: Ipv6Packet, isFromOutside = false): void {
        const { destination } = packet
        if (isMulticast(destination)) return this.toLink(packet, broadcast)
        if (isLinkLocal(destination)) return this.toLink(packet, linkAddressOf(destination))
        const routed = this.routing?.route(packet)
        if (routed) {
            this.observer.forwarded?.(routed.packet, routed.nextHop)
            return this.toLink(routed.packet, linkAddressOf(routed.nextHop))
        }
        // Outside nobody knows the headers of this network; and what came from there is not sent back.
        if (this.external && !isFromOutside)
            return this.external(encodeIpv6({ ...packet, extensions: [] }))
        this.observer.dropped?.(packet, "no route")
        this.complain(packet, IcmpType.unreachable, 0)
    }

    private toLink(packet: Ipv6Packet, destination: LinkAddress): void {
        const link = { source: this.mac.address, destination, contexts: this.contexts }
        let frames: Uint8Array[]
        try {
            this.tag = (this.tag + 1) & 0xffff
            const bytes = encodeIpv6(packet)
            frames = toFrames(bytes, link, this.compression, maxPayloadBytes, this.tag)
        } catch (error) {
            if (!(error instanceof PacketError)) throw error
            return this.observer.dropped?.(packet, error.message)
        }
        let isLost = false
        for (const payload of frames)
            this.mac.send({
                destination,
                payload,
                done: (delivered, transmissions) => {
                    if (transmissions) this.routing?.sent(destination, delivered, transmissions)
                    if (delivered || isLost) return
                    isLost = true
                    this.observer.dropped?.(packet, transmissions ? "no acknowledgement" : "queue")
                },
            })
    }

    private icmp(packet: Ipv6Packet): void {
        const message = decodeIcmp(packet.payload, packet.source, packet.destination)
        this.icmpHandlers.get(message.type)?.(message, packet)
    }

    private echo(message: IcmpMessage, packet: Ipv6Packet): void {
        const reply = encodeEcho(IcmpType.echoReply, decodeEcho(message))
        this.sendIcmp(reply, packet.source)
    }

    /** An ICMPv6 error to the source; never about an error, a multicast or nobody (RFC 4443 §2.4). */
    private complain(packet: Ipv6Packet, type: number, code: number): void {
        const { source, destination, protocol, payload } = packet
        const isError = protocol === NextHeader.icmpv6 && payload[0]! < 128
        if (isError || isMulticast(destination) || equalBytes(source, unspecified)) return
        if (this.isOwn(source)) return
        this.sendIcmp(errorMessage(type, code, encodeIpv6(packet)), source)
    }
}

/** The link-local address of a link address (RFC 4862 §5.3). */
export function linkLocalOf(address: LinkAddress): Ipv6Address {
    return withPrefix(Uint8Array.of(0xfe, 0x80, 0, 0, 0, 0, 0, 0), address)
}

/** The address that a node gives itself in a network (RFC 4862 §5.5). @param prefix its first 8 bytes */
export function withPrefix(prefix: Uint8Array, address: LinkAddress): Ipv6Address {
    const bytes = new Uint8Array(16)
    bytes.set(prefix.subarray(0, 8))
    bytes.set(interfaceId(address), 8)
    return bytes
}

/** The EUI-64 behind an address that was made from one; a network of these motes needs no neighbour solicitation. */
export function linkAddressOf(address: Ipv6Address): LinkAddress {
    const link = Uint8Array.from(address.subarray(8))
    link[0]! ^= 2
    return link
}
