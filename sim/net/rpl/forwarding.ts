import { equalBytes } from "../bytes.ts"
import type { LinkAddress } from "../mac/ieee802154.ts"
import { NextHeader, type Ipv6Address, type Ipv6Packet } from "../ipv6.ts"
import { linkLocalOf } from "../node.ts"
import { decodeRplOption, encodeRplOption, type RplOption } from "./option.ts"
import type { Downward, Routed } from "./downward.ts"
import type { RplParameters } from "./parameters.ts"
import type { Routes } from "./routes.ts"

/** What forwarding has to know of the node's place in the DODAG. */
export interface Place {
    readonly profile: RplParameters
    readonly rank: number
    readonly routes: Routes
    readonly downward: Downward
    readonly parent: { address: Ipv6Address } | undefined
    /** A packet went against the order of ranks twice: this part of the DODAG is not as it says. */
    inconsistent(): void
}

/**
 * Which way packets go, and the RPL option by which nodes notice that one goes wrong (RFC 6550 §11.2, RFC 6553).
 */
export class Forwarding {
    private readonly place: Place

    constructor(place: Place) {
        this.place = place
    }

    /** @returns false where the packet goes round, and is to be dropped */
    admit(packet: Ipv6Packet, previous: LinkAddress | undefined): boolean {
        const option = optionOf(packet)
        if (!option) return true
        const { senderRank, forwardingError } = option
        const own = this.dagRank()
        if (forwardingError) {
            // §11.2.2.3: the node below knows no way any more, and has sent it back.
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
            // It came down here for nothing: back to where they think that the way is here.
            const back = { ...packet }
            setOption(back, { ...option, forwardingError: true })
            return { packet: back, nextHop: linkLocalOf(previous) }
        }
        const nextHop = down?.nextHop ?? place.parent?.address
        if (!nextHop) {
            if (previous) place.inconsistent() // they have not heard that this is no way any more
            return undefined
        }
        return { packet: this.withDirection(packet, option, down !== undefined), nextHop }
    }

    private withDirection(packet: Ipv6Packet, option: RplOption | undefined, down: boolean): Ipv6Packet {
        const onward = { ...packet }
        // A packet from one node to another turns round where the two ways meet.
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

    /** DAGRank; §3.5.1. */
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
