import { IcmpType } from "./icmpv6.ts"
import { isMulticast, NextHeader, type Ipv6Address, type Ipv6Packet } from "./ipv6.ts"
import { defaultHopLimit, type Ipv6Node } from "./node.ts"
import { decodeUdp, encodeUdp } from "./udp.ts"

/** Port unreachable (RFC 4443 §3.1). */
const portUnreachable = 4

export interface UdpPeer {
    address: Ipv6Address
    port: number
}

/** The UDP of one node: a handler for each open port. */
export class UdpSockets {
    private readonly node: Ipv6Node
    private readonly ports = new Map<number, (data: Uint8Array, from: UdpPeer) => void>()

    constructor(node: Ipv6Node) {
        this.node = node
        node.onProtocol(NextHeader.udp, packet => this.receive(packet))
    }

    /** Calls `receive` with each datagram to a port, until `close`. @throws Error if the port is taken */
    bind(port: number, receive: (data: Uint8Array, from: UdpPeer) => void): void {
        if (this.ports.has(port)) throw new Error(`port ${port} is taken`)
        this.ports.set(port, receive)
    }

    close(port: number): void {
        this.ports.delete(port)
    }

    /** Sends a datagram. There is no delivery report. */
    send(data: Uint8Array, sourcePort: number, to: UdpPeer): void {
        const destination = to.address
        const source = this.node.sourceFor(destination)
        const payload = encodeUdp({ sourcePort, destinationPort: to.port, data }, source, destination)
        const protocol = NextHeader.udp
        this.node.send({ hopLimit: defaultHopLimit, source, destination, protocol, payload })
    }

    private receive(packet: Ipv6Packet): void {
        const { source, destination, payload } = packet
        const { sourcePort, destinationPort, data } = decodeUdp(payload, source, destination)
        const handler = this.ports.get(destinationPort)
        if (handler) handler(data, { address: source, port: sourcePort })
        else if (!isMulticast(destination)) this.node.complain(packet, IcmpType.unreachable, portUnreachable)
    }
}
