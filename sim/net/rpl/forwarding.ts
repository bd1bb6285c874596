import { equalBytes } from "../bytes.ts"
import type { LinkAddress } from "../mac/ieee802154.ts"
import { NextHeader, type Ipv6Address, type Ipv6Packet } from "../ipv6.ts"
import { linkLocalOf } from "../node.ts"
import { decodeRplOption, encodeRplOption, type RplOption } from "./option.ts"
import type { Downward, Routed } from "./downward.ts"
import type { RplParameters } from "./parameters.ts"
import type { Routes } from "./routes.ts"

/** The node's place in the DODAG, as forwarding needs it. */
export interface Place {
    readonly profile: RplParameters
    readonly rank: number
    readonly routes: Routes
    readonly downward: Downward
    readonly parent: { address: Ipv6Address } | undefined
    /** A packet violated the rank order twice: this part of the DODAG is inconsistent. */
    inconsistent(): void
}

/** Forwards packets, and detects loops with the RPL option (RFC 6550 §11.2, RFC 6553). */
export class Forwarding {
    private readonly place: Place

    constructor(place: Place) {
        this.place = place
    }

    /** @returns false if the packet is in a loop and must be dropped */
    admit(packet: Ipv6Packet, previous: LinkAddress | undefined): boolean {
        const option = optionOf(packet)
        if (!option) return true
        const { senderRank, forwardingError } = option
        const own = this.dagRank()
        if (forwardingError) {
            // §11.2.2.3: the node below has no route any more, and has returned the packet.
            const route = this.place.routes.get(packet.destination)
            if (route && previous && equalBytes(route.nextHop, linkLocalOf(previous)))
                this.place.routes.delete(packet.destination)
            setOption(packet, { ...option, down: false, forwardingError: false, senderRank: own })
            return true
        }
        const isWrong = option.down ? senderRank > own : senderRank < own
        if (isWrong && option.rankError) {
            this.place.inconsistent()
            return false
        }
        setOption(packet, {
            ...option,
            rankError: option.rankError || isWrong,
            senderRank: own,
        })
        return true
    }

    route(packet: Ipv6Packet, previous: LinkAddress | undefined): Routed | undefined {
        const { place } = this
        const { destination } = packet
        // The next address of a source route is a neighbour, whatever its prefix.
        if (packet.extensions?.some(({ kind }) => kind === NextHeader.routing))
            return { packet, nextHop: linkLocal(destination) }
        if (place.downward.isSourceRouting) return place.downward.sourceRoute(packet)
        const down = place.routes.get(destination)
        const option = optionOf(packet)
        if (!down && option?.down && previous) {
            // The packet was sent down here in error: return it to the node that still has this route.
            const back = { ...packet }
            setOption(back, { ...option, forwardingError: true })
            return { packet: back, nextHop: linkLocalOf(previous) }
        }
        const nextHop = down?.nextHop ?? place.parent?.address
        if (!nextHop) {
            if (previous) place.inconsistent() // they do not know yet that this route is gone
            return undefined
        }
        return { packet: this.withDirection(packet, option, down !== undefined), nextHop }
    }

    private withDirection(packet: Ipv6Packet, option: RplOption | undefined, down: boolean): Ipv6Packet {
        const onward = { ...packet }
        // A packet between two nodes changes direction at their common ancestor.
        if (option) setOption(onward, { ...option, down })
        else {
            const { instance } = this.place.profile
            const fresh = { rankError: false, forwardingError: false, instance }
            const data = encodeRplOption({ ...fresh, down, senderRank: this.dagRank() })
            const header = { kind: NextHeader.hopByHop, data }
            onward.extensions = [header, ...(packet.extensions ?? [])]
        }
        return onward
    }

    /** DAGRank (§3.5.1). */
    private dagRank(): number {
        return Math.floor(this.place.rank / this.place.profile.minHopRankIncrease)
    }
}

function optionOf({ extensions }: Ipv6Packet): RplOption | undefined {
    const header = extensions?.find(({ kind }) => kind === NextHeader.hopByHop)
    return header && decodeRplOption(header.data)
}

function setOption(packet: Ipv6Packet, option: RplOption): void {
    const data = encodeRplOption(option)
    packet.extensions = packet.extensions!.map(one => (one.kind === NextHeader.hopByHop ? { ...one, data } : one))
}

function linkLocal(address: Ipv6Address): Ipv6Address {
    const bytes = new Uint8Array(16)
    bytes[0] = 0xfe
    bytes[1] = 0x80
    bytes.set(address.subarray(8), 8)
    return bytes
}
