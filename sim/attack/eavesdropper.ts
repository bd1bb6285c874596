import { PacketError } from "../net/bytes.ts"
import { decodeFrame } from "../net/mac/ieee802154.ts"
import { decodeIpv6, NextHeader, type Ipv6Packet } from "../net/ipv6.ts"
import { decodeSegment } from "../net/tcp-segment.ts"
import { Reassembly } from "../net/sixlowpan/fragment.ts"
import type { MeshOptions } from "../mesh/node.ts"
import type { Radio, RadioOwner } from "../radio/air.ts"

const maxDatagrams = 64

/** Hears every frame around a radio, whatever its destination, and decodes what needs no key. */
export class Eavesdropper implements RadioOwner {
    frames = 0
    private readonly owner: RadioOwner | undefined
    private readonly mesh: MeshOptions
    private readonly reassembly = new Reassembly(maxDatagrams)
    private readonly heard: (data: Uint8Array, packet: Ipv6Packet) => void

    /**
     * @param radio its owner still receives every frame
     * @param heard called with the data of every TCP segment that was heard whole
     */
    constructor(mesh: MeshOptions, radio: Radio, heard: (data: Uint8Array, packet: Ipv6Packet) => void) {
        this.mesh = mesh
        this.heard = heard
        this.owner = radio.owner
        radio.owner = this
    }

    received(bytes: Uint8Array, rssiDbm: number): void {
        this.frames++
        this.owner?.received(bytes, rssiDbm)
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
