import { Histogram } from "./histogram.ts"
import type { ArrivedAlarm, ArrivedReading, Observer } from "./observer.ts"
import type { Radio } from "../radio/air.ts"
import { ReadingTimes, type Delivery, type Pauses } from "./reading-times.ts"

/** A reading sent within this time may still be in transit. */
const underWayMs = 30_000
const defaultReportMs = 10_000
/** Maximum number of alarm kinds per mote. */
const maxKinds = 64

/** The heart rate that a forger reports; no wearer in a scenario has it. */
export const forgedBpm = 222

export interface MoteStatistics {
    framesSent: number
    framesReceived: number
    framesLost: number
    collisions: number
    bytesSent: number
    /** From measurement to clinic, in ms. */
    readonly latencyMs: Histogram
    newest: ReadonlyMap<string, number> | undefined
    /** The longest delay of a raised alarm from mote to clinic in ms, by kind. */
    readonly alarmMs: Map<string, number>
    /** Packets dropped at this node, by reason. */
    dropped: Record<string, number>
}

interface Node extends MoteStatistics {
    readonly times: ReadingTimes
    /** For each watched moment, the arrival of the first reading measured since, in Unix ms. */
    readonly firstSince: Map<number, number>
}

/** Counts events per node, in memory that does not grow with time. */
export class Statistics implements Observer {
    private readonly known = new Map<number, Node>()
    private readonly pausesOf: (id: number) => Pauses
    private readonly moments: readonly number[]
    private readonly readingMs: number | undefined
    /** Age below which a missing reading may still arrive. */
    readonly patienceMs: number
    /** Readings in the clinic that were forged. */
    forged = 0

    /**
     * @param pausesOf when a mote had no power; called once per mote, so the list must be live
     * @param moments in Unix ms, for `firstSince`
     * @param settings of the motes: interval between readings, and how long a reading waits for others
     */
    constructor(
        pausesOf: (id: number) => Pauses = () => [],
        moments: readonly number[] = [],
        settings: { readingMs?: number; reportMs?: number } = {},
    ) {
        this.pausesOf = pausesOf
        this.moments = moments
        this.readingMs = settings.readingMs
        this.patienceMs = underWayMs + Math.max(0, (settings.reportMs ?? 0) - defaultReportMs)
    }

    get nodes(): ReadonlyMap<number, MoteStatistics> {
        return this.known
    }

    of(id: number): MoteStatistics {
        return this.node(id)
    }

    sent(from: Radio, frame: Uint8Array): void {
        const node = this.node(from.id)
        node.framesSent++
        node.bytesSent += frame.length
    }

    received(to: Radio): void {
        this.node(to.id).framesReceived++
    }

    lost(to: Radio, _from: Radio, _frame: Uint8Array, collided: boolean): void {
        const node = this.node(to.id)
        if (collided) node.collisions++
        else node.framesLost++
    }

    dropped(id: number, _packet: unknown, reason: string): void {
        const { dropped } = this.node(id)
        dropped[reason] = (dropped[reason] ?? 0) + 1
    }

    arrived(reading: ArrivedReading): void {
        const { mote, measuredMs, arrivedMs, relative, continues, values } = reading
        const node = this.node(mote)
        if (!relative) {
            // A time that was counted back is off by the envelope's travel time, so it proves no gap.
            node.times.add(measuredMs, continues)
            node.latencyMs.add(arrivedMs - measuredMs)
        }
        node.newest = values
        for (const moment of this.moments)
            if (measuredMs >= moment && !node.firstSince.has(moment)) node.firstSince.set(moment, arrivedMs)
        if (values.get("hr") === forgedBpm) this.forged++
    }

    alarmed({ mote, kind, raisedMs, arrivedMs }: ArrivedAlarm): void {
        const { alarmMs } = this.node(mote)
        if (alarmMs.size < maxKinds || alarmMs.has(kind))
            alarmMs.set(kind, Math.max(alarmMs.get(kind) ?? 0, arrivedMs - raisedMs))
    }

    /**
     * Of the readings that a mote has measured, from its first arrival up to those that may be in transit, how many are
     * in the clinic. An interval without power counts no readings.
     */
    delivery(id: number, nowMs: number): Delivery {
        return this.node(id).times.delivery(nowMs - this.patienceMs)
    }

    /** Arrival in Unix ms of the first reading that was measured at or after one of the watched moments. */
    firstSince(id: number, moment: number): number | undefined {
        return this.node(id).firstSince.get(moment)
    }

    private node(id: number): Node {
        let node = this.known.get(id)
        if (!node) {
            node = {
                framesSent: 0,
                framesReceived: 0,
                framesLost: 0,
                collisions: 0,
                bytesSent: 0,
                latencyMs: new Histogram(),
                newest: undefined,
                alarmMs: new Map(),
                dropped: {},
                times: new ReadingTimes(this.pausesOf(id), this.readingMs),
                firstSince: new Map(),
            }
            this.known.set(id, node)
        }
        return node
    }
}
