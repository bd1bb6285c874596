import type { IcmpMessage } from "../icmpv6.ts"
import type { Ipv6Address, Ipv6Packet } from "../ipv6.ts"
import type { Routing, Sent } from "../node.ts"

/** The node's interface for RPL. */
export interface RplHost {
    /** All addresses except the link-local one. */
    readonly addresses: Ipv6Address[]
    routing: Routing | undefined
    /** Signal strength of the last frame received. */
    readonly rssiDbm: number
    isOwn(address: Ipv6Address): boolean
    onIcmp(type: number, handler: (message: IcmpMessage, packet: Ipv6Packet) => void): void
    sendIcmp(message: IcmpMessage, destination: Ipv6Address, o?: { sent?: Sent }): void
}
