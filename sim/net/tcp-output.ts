import type { Events } from "../time/events.ts"
import { NextHeader, type Ipv6Address, type Ipv6Packet } from "./ipv6.ts"
import { defaultHopLimit } from "./node.ts"
import { encodeSegment, type Segment } from "./tcp-segment.ts"

export interface TcpOptions {
    events: Events
    random: () => number
    send: (packet: Ipv6Packet) => void
    mss?: number
}

export interface Ends {
    source: Ipv6Address
    destination: Ipv6Address
    sourcePort: number
    destinationPort: number
}

/** Sends a segment of a connection. */
export function emit({ send }: TcpOptions, ends: Ends, segment: Omit<Segment, "sourcePort" | "destinationPort">): void {
    const { source, destination } = ends
    const payload = encodeSegment({ ...segment, ...ends }, source, destination)
    send({
        hopLimit: defaultHopLimit,
        source,
        destination,
        protocol: NextHeader.tcp,
        payload,
    })
}
