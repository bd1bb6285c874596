import type { IcmpMessage } from "../net/icmpv6.ts"
import { IcmpType } from "../net/icmpv6.ts"
import type { LinkAddress } from "../net/mac/ieee802154.ts"
import type { Ipv6Address, Ipv6Packet } from "../net/ipv6.ts"
import type { Routing, Sent } from "../net/node.ts"
import type { RplHost } from "../net/rpl/host.ts"
import { decodeDio, encodeDio, RplCode } from "../net/rpl/messages.ts"
import { nextSequence } from "../net/rpl/sequence.ts"

/** A decorator between RPL and its node, which changes what each sees of the other. RPL does not know about it. */
class NodeDecorator implements RplHost {
    protected readonly inner: RplHost

    constructor(inner: RplHost) {
        this.inner = inner
    }

    get addresses(): Ipv6Address[] {
        return this.inner.addresses
    }

    get rssiDbm(): number {
        return this.inner.rssiDbm
    }

    get routing(): Routing | undefined {
        return this.inner.routing
    }

    set routing(routing: Routing | undefined) {
        this.inner.routing = routing
    }

    isOwn(address: Ipv6Address): boolean {
        return this.inner.isOwn(address)
    }

    onIcmp(type: number, handler: (message: IcmpMessage, packet: Ipv6Packet) => void): void {
        this.inner.onIcmp(type, handler)
    }

    sendIcmp(message: IcmpMessage, destination: Ipv6Address, o?: { sent?: Sent }): void {
        this.inner.sendIcmp(message, destination, o)
    }
}

/** Forwards nothing for others. */
export class BlackHoleNode extends NodeDecorator {
    private readonly swallowed: () => void

    /** @param swallowed called for each packet that should have been forwarded */
    constructor(inner: RplHost, swallowed: () => void) {
        super(inner)
        this.swallowed = swallowed
    }

    override get routing(): Routing | undefined {
        return super.routing
    }

    override set routing(routing: Routing | undefined) {
        const { swallowed } = this
        super.routing = routing && {
            admit(packet: Ipv6Packet, previous?: LinkAddress) {
                routing.admit(packet, previous)
                swallowed()
                return false
            },
            route: (packet, previous) => routing.route(packet, previous),
            sent: (neighbour, delivered, transmissions) => routing.sent(neighbour, delivered, transmissions),
        }
    }
}

/** Forwards nothing either, and advertises a false rank. */
export class RankLiarNode extends BlackHoleNode {
    private readonly rank: number

    constructor(inner: RplHost, swallowed: () => void, rank: number) {
        super(inner, swallowed)
        this.rank = rank
    }

    override sendIcmp(message: IcmpMessage, destination: Ipv6Address, o?: { sent?: Sent }): void {
        const isDio = message.type === IcmpType.rpl && message.code === RplCode.dio
        const body = isDio ? encodeDio({ ...decodeDio(message.body), rank: this.rank }) : message.body
        super.sendIcmp({ ...message, body }, destination, o)
    }
}

/** Forwards correctly, but advertises a DODAG version one above the current one. */
export class VersionLiarNode extends NodeDecorator {
    private readonly onLie: () => void

    /** @param lied called for each DIO sent */
    constructor(inner: RplHost, lied: () => void) {
        super(inner)
        this.onLie = lied
    }

    override sendIcmp(message: IcmpMessage, destination: Ipv6Address, o?: { sent?: Sent }): void {
        if (message.type !== IcmpType.rpl || message.code !== RplCode.dio)
            return super.sendIcmp(message, destination, o)
        const dio = decodeDio(message.body)
        this.onLie()
        super.sendIcmp({ ...message, body: encodeDio({ ...dio, version: nextSequence(dio.version) }) }, destination, o)
    }
}
