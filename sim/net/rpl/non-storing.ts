import { NextHeader, type Ipv6Address, type Ipv6Packet } from "../ipv6.ts"
import { linkAddressOf, linkLocalOf, withPrefix } from "../node.ts"
import { encodeSourceRoute } from "../source-route.ts"
import { Downward, type Routed } from "./downward.ts"
import type { Dao } from "./messages.ts"
import type { ModeOfOperation } from "./mode.ts"
import type { Route } from "./routes.ts"
import { isNewer } from "./sequence.ts"
import { Tree } from "./tree.ts"

/** Non-storing mode (RFC 6550 §9.7): only the root knows the tree, and adds a source route to each packet. */
export const nonStoringMode: ModeOfOperation = {
    code: 1,
    name: "non-storing",
    passesDtsnOn: true,
    newDownward: o => new NonStoringDownward(o),
}

class NonStoringDownward extends Downward {
    /** The tree at the root. */
    private readonly tree = new Tree(() => this.o.events.now())
    override readonly isSourceRouting = this.o.isRoot

    links(): Route[] {
        return this.tree.list()
    }

    override sourceRoute(packet: Ipv6Packet): Routed | undefined {
        const path = this.tree.path(packet.destination, this.o.up().dodag!)
        if (!path) return undefined
        const [first, ...others] = path as [Ipv6Address, ...Ipv6Address[]]
        const route = { segmentsLeft: others.length, addresses: others }
        const header = { kind: NextHeader.routing, data: encodeSourceRoute(route, first) }
        const rest = packet.extensions?.filter(({ kind }) => kind !== NextHeader.hopByHop) ?? []
        const extensions = [header, ...rest]
        const nextHop = linkLocalOf(linkAddressOf(first))
        return { packet: { ...packet, destination: first, extensions }, nextHop }
    }

    refresh(own: Ipv6Address): void {
        const { profile, up } = this.o
        const { parent, dodag } = up()
        this.dao.dodag = profile.dodagInDao ? dodag : undefined
        this.dao.forget()
        this.dao.advertise(
            {
                target: own,
                lifetime: profile.lifetime,
                parent: withPrefix(own, linkAddressOf(parent!.address)),
                receiver: dodag!,
            },
            undefined,
        )
    }

    /** Does nothing: the next DAO tells the root of the new parent, which replaces this one. */
    withdraw(): void {}

    protected learn({ targets }: Dao): boolean {
        if (!this.o.isRoot) return false
        let hasRoom = true
        for (const { address, parent, lifetime, pathSequence } of targets) {
            const known = this.tree.get(address)
            if (known && isNewer(known.pathSequence, pathSequence)) continue
            if (!lifetime || !parent) this.tree.delete(address)
            else if (!this.tree.set(address, parent, this.lifetimeMs(lifetime), pathSequence)) hasRoom = false
        }
        this.o.changed()
        return hasRoom
    }
}
