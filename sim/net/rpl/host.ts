import type { IcmpMessage } from "../icmpv6.ts"
import type { Ipv6Address, Ipv6Packet } from "../ipv6.ts"
import type { Routing, Sent } from "../node.ts"

/** What RPL needs of the node that it runs on. */
export interface RplHost {
    /** All but the link-local one. */
    readonly addresses: Ipv6Address[]
    routing: Routing | undefined
    isOwn(address: Ipv6Address): boolean
    onIcmp(type: number, handler: (message: IcmpMessage, packet: Ipv6Packet) => void): void
    sendIcmp(message: IcmpMessage, destination: Ipv6Address, o?: { sent?: Sent }): void
}
