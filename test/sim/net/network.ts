import { BorderHost } from "../../../sim/mesh/border.ts"
import { MeshNode } from "../../../sim/mesh/node.ts"
import { ping, type PingResult } from "../../../sim/mesh/ping.ts"
import { routerView } from "../../../sim/mesh/page.ts"
import { encodeIcmp, type IcmpMessage } from "../../../sim/net/icmpv6.ts"
import { broadcast } from "../../../sim/net/mac/ieee802154.ts"
import { encodeIpv6, NextHeader, parseAddress } from "../../../sim/net/ipv6.ts"
import { linkLocalOf } from "../../../sim/net/node.ts"
import { skyAddress } from "../../../sim/net/sky.ts"
import { toFrames } from "../../../sim/net/sixlowpan/fragment.ts"
import type { RplProfile } from "../../../sim/net/rpl/profile.ts"
import { Air, type AirObserver } from "../../../sim/radio/air.ts"
import { constantLoss } from "../../../sim/radio/media/constant-loss.ts"
import { defaultDisk } from "../../../sim/radio/media/disk.ts"
import type { Medium, Position } from "../../../sim/radio/medium.ts"
import { seededRandom } from "../../../sim/time/random.ts"
import { VirtualClock } from "../../../sim/time/clock.ts"

const prefix = parseAddress("aaaa::").subarray(0, 8)

export interface NetworkOptions {
    profile: RplProfile
    seed?: number
    medium?: Medium
    /** Where node 1, the border router, is, then node 2 and so on. */
    positions: Position[]
    observer?: AirObserver
}

/** Places on a grid, row by row, the border router in a corner. */
export function grid(columns: number, rows: number, spacingM = 35): Position[] {
    return Array.from({ length: columns * rows }, (_, i) => ({
        x: (i % columns) * spacingM,
        y: Math.floor(i / columns) * spacingM,
    }))
}

/** In range of the neighbours only, with that share of frames lost on every link. */
export function lossy(share: number, rangeM = 50): Medium {
    const interferenceM = 2 * rangeM
    return constantLoss({ ...defaultDisk, rangeM, interferenceM, rxRatio: 1 - share })
}

/** A mesh without firmware: border router, its host, and nodes that do nothing but belong to the network. */
export class Network {
    readonly clock = new VirtualClock(0)
    readonly air: Air
    root: MeshNode
    host: BorderHost
    readonly nodes = new Map<number, MeshNode>()
    /** Packets that went no further, by reason. */
    readonly dropped: Record<string, number> = {}
    private readonly profile: RplProfile
    private readonly seed: number
    private readonly positions = new Map<number, Position>()
    private starts = 0
    private identifier = 0

    constructor({ profile, seed = 1, medium, positions, observer }: NetworkOptions) {
        this.profile = profile
        this.seed = seed
        const random = seededRandom(seed)
        this.air = new Air({
            events: this.clock,
            random,
            medium: medium ?? lossy(0),
            ...(observer ? { observer } : {}),
        })
        positions.forEach((position, i) => this.positions.set(i + 1, position))
        this.root = this.node(1, prefix)
        this.host = this.hostOf(this.root)
        for (let id = 2; id <= positions.length; id++) this.start(id)
    }

    start(id: number): MeshNode {
        const node = this.node(id)
        this.nodes.set(id, node)
        return node
    }

    kill(id: number): void {
        const node = this.nodes.get(id)!
        node.stop()
        this.air.remove(node.radio)
        this.nodes.delete(id)
    }

    move(id: number, position: Position): void {
        this.positions.set(id, position)
        const node = this.nodes.get(id)
        if (node) node.radio.position = position
    }

    /** The border router starts anew, and knows nothing. */
    restartRoot(): void {
        this.root.stop()
        this.air.remove(this.root.radio)
        this.root = this.node(1, prefix)
        this.host = this.hostOf(this.root)
    }

    run(seconds: number, until?: () => boolean): Promise<void> {
        return this.clock.run(seconds * 1000, until)
    }

    /** Seconds until it holds; Infinity when it does not within that many. */
    async secondsUntil(holds: () => boolean, withinS: number): Promise<number> {
        const began = this.clock.now()
        await this.run(withinS, holds)
        return holds() ? (this.clock.now() - began) / 1000 : Infinity
    }

    parentOf(id: number): number | undefined {
        return this.nodes.get(id)?.rpl.parent?.address[15]
    }

    /** Nodes from `id` up to the border router; undefined where the way ends or goes round. */
    pathUp(id: number): number[] | undefined {
        const path: number[] = []
        for (let at: number | undefined = id; at !== 1; at = this.parentOf(at)) {
            if (at === undefined || path.includes(at)) return undefined
            path.push(at)
        }
        return path
    }

    /** Whether every node has a way up, and the ways down that are known are the same ones. */
    isRight(): boolean {
        return [...this.nodes.keys()].every(id => this.isRightFor(id))
    }

    isRightFor(id: number): boolean {
        const up = this.pathUp(id)
        if (!up) return false
        const down = [...up].reverse()
        if (this.root.rpl.downward.isSourceRouting) {
            const parents = new Map(this.root.rpl.downward.links().map(one => [one.target[15], one.nextHop[15]]))
            return up.every((node, i) => parents.get(node) === (up[i + 1] ?? 1))
        }
        let at = this.root
        for (const next of down) {
            const route = at.rpl.routes.get(this.address(id))
            if (route?.nextHop[15] !== next) return false
            at = this.nodes.get(next)!
        }
        return true
    }

    address(id: number): Uint8Array {
        return this.nodes.get(id)?.ipv6.addresses[0] ?? new Uint8Array(16)
    }

    /** Pings of a node from the host. */
    ping(id: number, count = 1, timeoutMs = 5000): Promise<PingResult> {
        const { clock, host } = this
        const target = this.address(id)
        const wait = (ms: number, until?: () => boolean) => clock.run(ms, until)
        const identifier = ++this.identifier
        return ping({ events: clock, host, target, count, wait, timeoutMs, identifier })
    }

    /** Share of pings that are answered when every node gets so many. */
    async pingAll(count: number): Promise<number> {
        let sent = 0
        let answered = 0
        for (const id of this.nodes.keys()) {
            const result = await this.ping(id, count)
            sent += count
            answered += result.replies.length
        }
        return answered / sent
    }

    /** The payload of a frame in which a node that does not exist says something. */
    frameOf(id: number, destination: Uint8Array, message: IcmpMessage): Uint8Array {
        const source = linkLocalOf(skyAddress(id))
        const payload = encodeIcmp(message, source, destination)
        const protocol = NextHeader.icmpv6
        const packet = encodeIpv6({ hopLimit: 64, source, destination, protocol, payload })
        const link = { source: skyAddress(id), destination: broadcast, contexts: [prefix] }
        return toFrames(packet, link, this.profile.compression, 104, 0)[0]!
    }

    /** What the border router says of itself. */
    describe(): string {
        const parents = [...this.nodes.keys()].map(id => `${id}→${this.parentOf(id) ?? "-"}`)
        const { routes } = routerView(this.root, this.clock.now())
        return `${parents.join(" ")}; ${routes.map(({ target, via }) => `${target} via ${via}`).join(", ")}`
    }

    private hostOf(root: MeshNode): BorderHost {
        const address = parseAddress("aaaa::1")
        return new BorderHost(this.clock, root, address, seededRandom(this.seed + 1))
    }

    private node(id: number, own?: Uint8Array): MeshNode {
        return new MeshNode({
            events: this.clock,
            air: this.air,
            pan: 0xabcd,
            profile: this.profile,
            contexts: [prefix],
            id,
            position: this.positions.get(id)!,
            random: seededRandom(this.seed * 65_537 + id + 7919 * this.starts++),
            ...(own ? { prefix: own } : {}),
            observer: {
                dropped: (_packet, reason) => void (this.dropped[reason] = (this.dropped[reason] ?? 0) + 1),
            },
        })
    }
}
