import { Decoder, type Layer } from "../capture/decode.ts"
import { equalBytes, PacketError } from "../net/bytes.ts"
import { formatAddress, type Ipv6Address } from "../net/ipv6.ts"
import { decodeFrame, type LinkAddress } from "../net/mac/ieee802154.ts"
import { linkAddressOf } from "../net/node.ts"
import { skyAddress } from "../net/sky.ts"
import type { Radio } from "../radio/air.ts"
import type { Simulation } from "../run/simulation.ts"
import type { PacketDetail, PacketRow, Status } from "./messages.ts"

/** Maximum number of frames decoded per tick; of more, only the newest. */
const maxPending = 400
/** Number of frames stored for pages. */
const maxKept = 3000

interface Sent {
    startMs: number
    endMs: number
    from: number
    bytes: Uint8Array
    received: number[]
    collided: number[]
    isOver: boolean
}

interface Kept {
    row: PacketRow
    layers: Layer[]
    bytes: Uint8Array
}

/** Decodes the transmitted frames and stores the newest. */
export class PacketLog {
    private readonly simulation: Simulation
    private readonly decoder: Decoder
    private readonly links = new Map<string, number>()
    private readonly onAir = new Map<number, Sent>()
    private pending: Sent[] = []
    private kept: Kept[] = []
    private count = 0
    /** Number of frames ever sent. */
    sentCount = 0
    private missed = 0

    constructor(simulation: Simulation) {
        this.simulation = simulation
        const { root, host, motes, scenario } = simulation
        const ids = [root.id, ...motes.keys(), ...(scenario.attackers ?? []).map(({ id }) => id)]
        for (const id of ids) this.links.set(keyOf(skyAddress(id)), id)
        const nameOf = (address: Ipv6Address) =>
            equalBytes(address, host.address)
                ? "host"
                : String(this.idOf(linkAddressOf(address)) ?? formatAddress(address))
        this.decoder = new Decoder([host.address.subarray(0, 8)], nameOf)
    }

    /** The number of the node with this address. */
    idOf(link: LinkAddress): number | undefined {
        return this.links.get(keyOf(link))
    }

    sent(from: Radio, bytes: Uint8Array, startMs: number, endMs: number): void {
        this.sentCount++
        const before = this.onAir.get(from.id)
        if (before) before.isOver = true
        const one: Sent = {
            ...{ startMs, endMs, from: from.id, bytes },
            ...{ received: [], collided: [], isOver: false },
        }
        this.onAir.set(from.id, one)
        this.pending.push(one)
        if (this.pending.length < 2 * maxPending) return
        this.missed += this.pending.length - maxPending
        this.count += this.pending.length - maxPending
        this.pending = this.pending.slice(-maxPending)
    }

    received(to: Radio, from: Radio): void {
        this.onAir.get(from.id)?.received.push(to.id)
    }

    collided(to: Radio, from: Radio): void {
        this.onAir.get(from.id)?.collided.push(to.id)
    }

    /** The frames that ended since the last call, in the order in which they began, and the number of dropped ones. */
    take(): { rows: PacketRow[]; missed: number } {
        const now = this.simulation.clock.now()
        const open = this.pending.findIndex(({ endMs, isOver }) => endMs > now && !isOver)
        const over = this.pending.splice(0, open < 0 ? this.pending.length : open)
        const surplus = Math.max(0, over.length - maxPending)
        const missed = this.missed + surplus
        this.missed = 0
        this.count += surplus
        const fresh = over.slice(surplus).map(one => this.read(one))
        this.kept.push(...fresh)
        if (this.kept.length > maxKept) this.kept = this.kept.slice(-maxKept)
        return { rows: fresh.map(({ row }) => row), missed }
    }

    /** The newest frames. */
    last(count: number): PacketRow[] {
        return this.kept.slice(-count).map(({ row }) => row)
    }

    /** Undefined if it is no longer stored. */
    detail(n: number): PacketDetail | undefined {
        const found = this.kept.find(({ row }) => row.n === n)
        if (!found) return undefined
        const { row, layers, bytes } = found
        return { row, layers, hex: Buffer.from(bytes).toString("hex") }
    }

    /** Current transmissions. */
    air(): Status["air"] {
        const { clock, startMs } = this.simulation
        const now = clock.now()
        return [...this.onAir.values()]
            .filter(one => one.endMs > now && !one.isOver)
            .map(({ from, endMs, bytes }) => ({
                ...{ from, endMs: endMs - startMs },
                ...this.destinationOf(bytes),
            }))
    }

    private destinationOf(bytes: Uint8Array): { to?: number; protocol: string } {
        try {
            const { type, destination } = decodeFrame(bytes)
            const to = destination && this.idOf(destination)
            return { ...(to === undefined ? {} : { to }), protocol: type === "ack" ? "ACK" : type }
        } catch (error) {
            if (error instanceof PacketError) return { protocol: "802.15.4" }
            throw error
        }
    }

    private read({ startMs, endMs, from, bytes, received, collided }: Sent): Kept {
        const { protocol, text, destination, layers } = this.decoder.decode(bytes, startMs)
        const to = destination && this.idOf(destination)
        const row: PacketRow = {
            n: ++this.count,
            ms: startMs - this.simulation.startMs,
            airMs: endMs - startMs,
            from,
            ...(to === undefined ? {} : { to }),
            ...{ protocol, text, bytes: bytes.length, received, collided },
        }
        return { row, layers, bytes }
    }
}

function keyOf(link: LinkAddress): string {
    return Buffer.from(link).toString("latin1")
}
