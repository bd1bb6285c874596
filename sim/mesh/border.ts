import type { Events } from "../time/events.ts"
import { equalBytes, PacketError } from "../net/bytes.ts"
import { decodeEcho, decodeIcmp, encodeEcho, encodeIcmp, IcmpType, type IcmpMessage } from "../net/icmpv6.ts"
import { decodeIpv6, encodeIpv6, NextHeader, type Ipv6Address, type Ipv6Packet } from "../net/ipv6.ts"
import { defaultHopLimit } from "../net/node.ts"
import { Tcp } from "../net/tcp.ts"
import type { MeshNode } from "./node.ts"

/** The border router is attached to its host by a serial line at 115,200 baud. */
const byteMs = 10 / 115.2
/** Maximum queueing delay of the serial line; packets that would wait longer are dropped. */
const maxWaitMs = 2000

/**
 * The host to which a border router is attached, as with Contiki's tunslip: the mesh's route to everything else. The
 * VitalMote router and ping run on this host and use its address.
 */
export class BorderHost {
    readonly address: Ipv6Address
    readonly tcp: Tcp
    /** Called with each ICMPv6 message for the host. */
    received: (message: IcmpMessage, packet: Ipv6Packet) => void = () => {}
    private readonly events: Events
    private readonly root: MeshNode
    /** Time at which the serial line is free again, per direction. */
    private readonly freeMs = { in: 0, out: 0 }

    constructor(events: Events, root: MeshNode, address: Ipv6Address, random: () => number) {
        this.events = events
        this.root = root
        this.address = address
        root.ipv6.external = bytes => this.carry("in", bytes, () => this.input(bytes))
        this.tcp = new Tcp({ events, random, send: packet => this.send(packet) })
    }

    send(packet: Ipv6Packet): void {
        const bytes = encodeIpv6(packet)
        this.carry("out", bytes, () => this.root.ipv6.inject(bytes))
    }

    sendIcmp(message: IcmpMessage, destination: Ipv6Address, hopLimit = defaultHopLimit): void {
        const source = this.address
        const payload = encodeIcmp(message, source, destination)
        this.send({ hopLimit, source, destination, protocol: NextHeader.icmpv6, payload })
    }

    private carry(direction: "in" | "out", bytes: Uint8Array, arrive: () => void): void {
        const now = this.events.now()
        const free = Math.max(now, this.freeMs[direction]) + bytes.length * byteMs
        if (free - now > maxWaitMs) return
        this.freeMs[direction] = free
        this.events.schedule(() => {
            try {
                arrive()
            } catch (error) {
                if (!(error instanceof PacketError)) throw error
            }
        }, free - now)
    }

    private input(bytes: Uint8Array): void {
        const packet = decodeIpv6(bytes)
        if (!equalBytes(packet.destination, this.address)) return // there is no network beyond the host
        if (packet.protocol === NextHeader.tcp) this.tcp.receive(packet)
        else if (packet.protocol === NextHeader.icmpv6) {
            const message = decodeIcmp(packet.payload, packet.source, packet.destination)
            if (message.type === IcmpType.echoRequest)
                this.sendIcmp(encodeEcho(IcmpType.echoReply, decodeEcho(message)), packet.source)
            else if (message.type !== IcmpType.rpl) this.received(message, packet)
        }
    }
}
