import { Histogram } from "./histogram.ts"
import type { ArrivedAlarm, ArrivedReading, Observer } from "./observer.ts"
import type { Radio } from "../radio/air.ts"
import { ReadingTimes, type Delivery, type Pauses } from "./reading-times.ts"

/** A reading that its mote has sent this recently may still be on its way. */
const underWayMs = 30_000
const defaultReportMs = 10_000
/** Of alarms, of one mote. */
const maxKinds = 64

/** What a forger claims; no wearer of a scenario has it. */
export const forgedBpm = 222

export interface MoteStatistics {
    framesSent: number
    framesReceived: number
    framesLost: number
    collisions: number
    bytesSent: number
    /** From the measurement to the clinic, in ms. */
    readonly latencyMs: Histogram
    newest: ReadonlyMap<string, number> | undefined
    /** By kind, how long the slowest beginning of an alarm took from the mote to the clinic, in ms. */
    readonly alarmMs: Map<string, number>
    /** Packets that stranded here, by reason. */
    dropped: Record<string, number>
}

interface Node extends MoteStatistics {
    readonly times: ReadingTimes
    /** For each moment that is watched, when the first reading measured since then arrived, unix ms. */
    readonly firstSince: Map<number, number>
}

/** Counts what happens, by node, in memory that does not grow with time. */
export class Statistics implements Observer {
    private readonly known = new Map<number, Node>()
    private readonly pausesOf: (id: number) => Pauses
    private readonly moments: readonly number[]
    private readonly readingMs: number | undefined
    /** How old a reading may be that has not arrived. */
    readonly patienceMs: number
    /** Readings in the clinic that no wearer ever had. */
    forged = 0

    /**
     * @param pausesOf when a mote had no power; asked once, so the list has to grow
     * @param moments unix ms, for `firstSince`
     * @param settings of the motes: from one reading to the next, and how long one waits for others
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
            // A time that was counted back is off by what the envelope took: no gap follows from it.
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
     * Of the readings that a mote has measured, from its first that arrived up to those that may be on their way, how many
     * are in the clinic. A pause in which it was off has no readings, and counts none.
     */
    delivery(id: number, nowMs: number): Delivery {
        return this.node(id).times.delivery(nowMs - this.patienceMs)
    }

    /** When the first reading arrived that was measured at one of the moments or later, unix ms. */
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
