import type { Events } from "../time/events.ts"
import type { Contexts } from "../net/sixlowpan/iphc.ts"
import { NextHeader } from "../net/ipv6.ts"
import { Ipv6Node, type NodeObserver } from "../net/node.ts"
import type { RplHost } from "../net/rpl/host.ts"
import type { RplProfile } from "../net/rpl/profile.ts"
import { Rpl } from "../net/rpl/rpl.ts"
import { skyAddress } from "../net/sky.ts"
import { Tcp } from "../net/tcp.ts"
import { UdpSockets } from "../net/udp-sockets.ts"
import type { Air, Radio } from "../radio/air.ts"
import { Csma } from "../net/mac/csma.ts"
import type { Position } from "../radio/medium.ts"

export interface MeshOptions {
    events: Events
    air: Air
    pan: number
    profile: RplProfile
    contexts: Contexts
}

export interface MeshNodeOptions extends MeshOptions {
    id: number
    position: Position
    random: () => number
    /** For a border router: the prefix that it advertises, 8 bytes. */
    prefix?: Uint8Array
    observer?: NodeObserver
    changed?: () => void
    /** Puts a decorator between RPL and the node: an attacker. */
    decorate?: (node: RplHost) => RplHost
}

/** The network half of a node: radio, MAC, 6LoWPAN and IPv6, RPL, UDP, TCP. */
export class MeshNode {
    readonly id: number
    readonly radio: Radio
    readonly ipv6: Ipv6Node
    readonly rpl: Rpl
    readonly tcp: Tcp
    readonly udp: UdpSockets
    private readonly mac: Csma

    constructor(o: MeshNodeOptions) {
        const { events, air, id, random, profile, contexts } = o
        this.id = id
        this.radio = air.add(id, o.position)
        this.mac = new Csma({
            events,
            random,
            radio: this.radio,
            address: skyAddress(id),
            pan: o.pan,
            receive: (frame, rssiDbm) => this.ipv6.receiveFrame(frame, rssiDbm),
        })
        const { mac } = this
        const { compression } = profile
        this.ipv6 = new Ipv6Node({
            events,
            mac,
            contexts,
            compression,
            firstTag: Math.floor(random() * 0x10000),
            ...(o.observer ? { observer: o.observer } : {}),
        })
        this.rpl = new Rpl({
            events,
            random,
            node: o.decorate?.(this.ipv6) ?? this.ipv6,
            link: mac.address,
            profile,
            ...(o.prefix ? { prefix: o.prefix } : {}),
            ...(o.changed ? { changed: o.changed } : {}),
        })
        this.tcp = new Tcp({ events, random, send: packet => this.ipv6.send(packet) })
        this.udp = new UdpSockets(this.ipv6)
        this.ipv6.onProtocol(NextHeader.tcp, packet => this.tcp.receive(packet))
    }

    /** Powers the node off. */
    stop(): void {
        this.tcp.stop()
        this.rpl.stop()
        this.mac.stop()
    }
}
