import type { Clock } from "../../host/clock.ts"
import type { Connect } from "../../sim/vm/socket.ts"
import { dhcpReply } from "./dhcp.ts"
import { dnsReply } from "./dns.ts"
import {
    ARP,
    ICMP,
    IPV4,
    RST,
    ACK,
    SYN,
    TCP,
    UDP,
    checksum,
    readEthernet,
    readIpv4,
    readTcp,
    readUdp,
    writeEthernet,
    writeIpv4,
    writeTcp,
    writeUdp,
    type Ipv4Packet,
    type Segment,
} from "./packets.ts"
import { TcpEnd } from "./tcp.ts"
import type { Network } from "./wifi.ts"

/** The access point's own network (RFC 1918); names get addresses of the upper half. */
const gateway = 0x0a4d0001
const mote = 0x0a4d0002
const firstName = 0x0a4d8000
const gatewayMac = Uint8Array.of(0x02, 0x56, 0x4d, 0, 0, 1)
const DHCP_SERVER = 67
const DNS = 53
const sequenceStep = 64_000

export interface RouterOptions {
    clock: Clock
    connect: Connect
    /** Seconds that a name's address is valid; 0 when nothing is said, as DeviceScript's runtime needs it. */
    dnsTtlS?: number
    /** Names that there are; whatever is asked for, where nothing is said. */
    hasName?: (name: string) => boolean
}

/** What is behind the access point: addresses by DHCP, names, and TCP to whatever `connect` reaches. No UDP beyond. */
export class WifiRouter implements Network {
    onFrame?: (frame: Uint8Array) => void
    /** TCP connections that the mote asked for. */
    connections = 0
    private readonly options: RouterOptions
    private readonly names: string[] = []
    private readonly ends = new Map<string, TcpEnd>()
    private station: Buffer = Buffer.alloc(6)
    private nextSequence = 1

    constructor(options: RouterOptions) {
        this.options = options
    }

    receive(bytes: Uint8Array): void {
        const frame = readEthernet(bytes)
        if (!frame) return
        this.station = Buffer.from(frame.from)
        if (frame.type === ARP) return this.arp(frame.payload)
        const packet = frame.type === IPV4 ? readIpv4(frame.payload) : undefined
        if (!packet) return
        if (packet.protocol === UDP) this.udp(packet)
        else if (packet.protocol === TCP) this.tcp(packet)
        else if (packet.protocol === ICMP) this.echo(packet)
    }

    /** All connections break, as when the mote's power fails or the router's. */
    reset(): void {
        for (const end of [...this.ends.values()]) end.abort()
        this.ends.clear()
    }

    /** Everybody but the mote itself is at the gateway. */
    private arp(request: Buffer): void {
        if (request.length < 28 || request.readUInt16BE(6) !== 1) return
        const target = request.readUInt32BE(24)
        if (target === mote) return
        const reply = Buffer.from(request.subarray(0, 28))
        reply.writeUInt16BE(2, 6)
        reply.set(gatewayMac, 8)
        reply.writeUInt32BE(target, 14)
        reply.set(request.subarray(8, 18), 18)
        this.onFrame?.(writeEthernet(this.station, gatewayMac, ARP, reply))
    }

    private echo({ from, to, payload }: Ipv4Packet): void {
        if (payload[0] !== 8) return
        const reply = Buffer.from(payload)
        reply[0] = 0
        reply.writeUInt16BE(0, 2)
        reply.writeUInt16BE(checksum(reply), 2)
        this.ip({ protocol: ICMP, from: to, to: from, payload: reply })
    }

    private udp({ from, to, payload }: Ipv4Packet): void {
        const datagram = readUdp(payload)
        if (datagram?.toPort === DHCP_SERVER) {
            const reply = dhcpReply(datagram.payload, { server: gateway, client: mote })
            if (reply)
                this.ip({
                    protocol: UDP,
                    from: gateway,
                    to: mote,
                    payload: writeUdp({ fromPort: DHCP_SERVER, toPort: datagram.fromPort, payload: reply }),
                })
        } else if (datagram?.toPort === DNS) {
            const reply = dnsReply(datagram.payload, name => this.address(name), this.options.dnsTtlS ?? 0)
            if (!reply) return
            const answer = writeUdp({ fromPort: DNS, toPort: datagram.fromPort, payload: reply })
            this.ip({ protocol: UDP, from: to, to: from, payload: answer })
        }
    }

    private address(name: string): number | undefined {
        if (!(this.options.hasName?.(name) ?? true)) return undefined
        const known = this.names.indexOf(name)
        return firstName + (known >= 0 ? known : this.names.push(name) - 1)
    }

    private tcp(packet: Ipv4Packet): void {
        const segment = readTcp(packet)
        if (!segment) return
        const { from, to } = packet
        const key = `${segment.fromPort} ${to} ${segment.toPort}`
        const end = this.ends.get(key)
        if (end && !(segment.flags & SYN)) return end.receive(segment)
        const send = (reply: Omit<Segment, "fromPort" | "toPort">) => {
            const ports = { fromPort: segment.toPort, toPort: segment.fromPort }
            const payload = writeTcp({ ...reply, ...ports }, to, from)
            this.ip({ protocol: TCP, from: to, to: from, payload })
        }
        if (segment.flags & SYN && !(segment.flags & ACK)) {
            if (end) return end.receive(segment)
            return this.accept(key, segment, to, send)
        }
        if (segment.flags & RST) return
        // Nobody remembers such a connection.
        send({
            sequence: segment.acknowledged,
            acknowledged: (segment.sequence + segment.payload.length) >>> 0,
            flags: RST | ACK,
            window: 0,
            payload: Buffer.alloc(0),
        })
    }

    private accept(key: string, syn: Segment, to: number, send: ConstructorParameters<typeof TcpEnd>[3]): void {
        this.connections++
        this.nextSequence = (this.nextSequence + sequenceStep) >>> 0
        const end = new TcpEnd(this.options.clock, syn, this.nextSequence, send, () => {
            if (this.ends.get(key) === end) this.ends.delete(key)
        })
        this.ends.set(key, end)
        const host = this.names[to - firstName] ?? dotted(to)
        this.options.connect(host, syn.toPort, false).then(
            stream => end.open(stream),
            () => end.refuse(),
        )
    }

    private ip(packet: Ipv4Packet): void {
        this.onFrame?.(writeEthernet(this.station, gatewayMac, IPV4, writeIpv4(packet)))
    }
}

function dotted(address: number): string {
    return [24, 16, 8, 0].map(shift => (address >>> shift) & 255).join(".")
}
