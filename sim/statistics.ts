import type { ArrivedReading, Observer } from "./observer.ts"
import type { Radio } from "./radio/air.ts"

/** A mote measures every 2 s. */
const readingMs = 2000
/** A reading that was measured this recently may still be on its way. */
const underWayMs = 30_000
const sameReadingMs = 500

/** What a forger claims; no wearer of a scenario has it. */
export const forgedBpm = 222

export interface MoteStatistics {
    framesSent: number
    framesReceived: number
    framesLost: number
    collisions: number
    bytesSent: number
    /** When its readings were measured, unix ms, in the order in which they arrived. */
    measuredMs: number[]
    latenciesMs: number[]
    newest: ReadonlyMap<string, number> | undefined
    /** Packets that stranded here, by reason. */
    dropped: Record<string, number>
}

/** Counts what happens, by node. */
export class Statistics implements Observer {
    readonly nodes = new Map<number, MoteStatistics>()
    /** Readings in the clinic that no wearer ever had. */
    forged = 0

    of(id: number): MoteStatistics {
        let node = this.nodes.get(id)
        if (!node) {
            node = {
                framesSent: 0,
                framesReceived: 0,
                framesLost: 0,
                collisions: 0,
                bytesSent: 0,
                measuredMs: [],
                latenciesMs: [],
                newest: undefined,
                dropped: {},
            }
            this.nodes.set(id, node)
        }
        return node
    }

    sent(from: Radio, frame: Uint8Array): void {
        const node = this.of(from.id)
        node.framesSent++
        node.bytesSent += frame.length
    }

    received(to: Radio): void {
        this.of(to.id).framesReceived++
    }

    lost(to: Radio, _from: Radio, _frame: Uint8Array, collided: boolean): void {
        const node = this.of(to.id)
        if (collided) node.collisions++
        else node.framesLost++
    }

    dropped(id: number, _packet: unknown, reason: string): void {
        const { dropped } = this.of(id)
        dropped[reason] = (dropped[reason] ?? 0) + 1
    }

    arrived({ mote, measuredMs, arrivedMs, values }: ArrivedReading): void {
        const node = this.of(mote)
        node.measuredMs.push(measuredMs)
        node.latenciesMs.push(arrivedMs - measuredMs)
        node.newest = values
        if (values.get("hr") === forgedBpm) this.forged++
    }

    /**
     * Of the readings that a mote has measured, from its first that arrived up to those that may be on their way, the
     * share that is in the clinic. A pause in which it was off has no readings, and counts none.
     * @param off when it had no power, unix ms
     */
    delivery(id: number, nowMs: number, off: readonly [number, number][] = []): Delivery {
        const times = [...this.of(id).measuredMs].sort((a, b) => a - b)
        const distinct = times.filter((t, i) => i === 0 || t - times[i - 1]! > sameReadingMs)
        const until = nowMs - underWayMs
        let expected = 0
        let arrived = 0
        distinct.forEach((t, i) => {
            if (t > until) return
            arrived++
            const next = distinct[i + 1] ?? until
            const pause = off.some(([from, to]) => from < next && to > t)
            // Readings of one start keep their beat; half a beat more or less is the same one.
            expected += pause ? 1 : Math.max(1, Math.round((Math.min(next, until) - t) / readingMs))
        })
        return { expected, arrived: Math.min(arrived, expected) }
    }
}

export interface Delivery {
    expected: number
    arrived: number
}

/** The value below which that share of them lies; 0 of none. */
export function percentile(values: readonly number[], share: number): number {
    if (!values.length) return 0
    const sorted = [...values].sort((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? sorted[0]!
}
