import { PacketError } from "../net/bytes.ts"
import { decodeFrame } from "../net/ieee802154.ts"
import { decodeIpv6, NextHeader, type Ipv6Packet } from "../net/ipv6.ts"
import { decodeSegment } from "../net/tcp-segment.ts"
import { Reassembly } from "../net/sixlowpan/fragment.ts"
import type { MeshOptions } from "../mesh/node.ts"
import type { Radio, RadioOwner } from "../radio/air.ts"
import type { Position } from "../radio/medium.ts"

const maxDatagrams = 64

/** A radio that hears everything around it, whomever it is for, and understands it as far as anybody can. */
export class Eavesdropper implements RadioOwner {
    frames = 0
    readonly radio: Radio
    private readonly mesh: MeshOptions
    private readonly reassembly = new Reassembly(maxDatagrams)
    private readonly heard: (data: Uint8Array, packet: Ipv6Packet) => void

    /** @param heard is told of the data in every TCP segment that went by whole */
    constructor(
        mesh: MeshOptions,
        id: number,
        position: Position,
        heard: (data: Uint8Array, packet: Ipv6Packet) => void,
    ) {
        this.mesh = mesh
        this.heard = heard
        this.radio = mesh.air.add(id, position)
        this.radio.owner = this
        this.radio.on()
    }

    received(bytes: Uint8Array): void {
        this.frames++
        try {
            const { type, source, destination, payload } = decodeFrame(bytes)
            if (type !== "data" || !source || !destination) return
            const link = { source, destination, contexts: this.mesh.contexts }
            const packet = this.reassembly.take(payload, link, this.mesh.events.now())
            if (packet) this.look(decodeIpv6(packet))
        } catch (error) {
            if (!(error instanceof PacketError)) throw error
        }
    }

    private look(packet: Ipv6Packet): void {
        if (packet.protocol !== NextHeader.tcp) return
        const { source, destination, payload } = packet
        const { data } = decodeSegment(payload, source, destination)
        if (data.length) this.heard(data, packet)
    }
}
