import { Histogram } from "../observe/histogram.ts"
import type { ArrivedReading, Observer } from "../observe/observer.ts"
import { maxFrameBytes } from "../net/mac/ieee802154.ts"
import type { Radio } from "../radio/air.ts"
import { hopsOf, parentOf } from "../run/summary.ts"
import type { Simulation } from "../run/simulation.ts"
import { Course } from "./course.ts"
import { Kinds, kinds, type Kind } from "./kind.ts"
import type { Lane } from "./schema.ts"

const maxChanges = 1000
const maxJoins = 1000

interface Counts {
    frames: number
    bytes: number
    airMs: number
    /** Number of frames by length. */
    sizes: Uint32Array
}

/** Records what a report needs and the statistics lack, in memory that does not grow with time. */
export class Recorder implements Observer {
    readonly counts: ReadonlyMap<Kind, Counts>
    /** Latency in ms by the number of hops at the time of arrival; −1: the mote had no route then. */
    readonly latencyByHops = new Map<number, Histogram>()
    readonly lanes = new Map<number, Lane>()
    readonly airMs = new Course()
    readonly arrivals = new Course()
    private readonly simulation: Simulation
    private readonly kinds: Kinds

    constructor(simulation: Simulation) {
        this.simulation = simulation
        this.kinds = new Kinds(simulation.contexts)
        this.counts = new Map(
            kinds.map(kind => {
                const sizes = new Uint32Array(maxFrameBytes + 1)
                return [kind, { frames: 0, bytes: 0, airMs: 0, sizes }]
            }),
        )
        for (const { id, node } of simulation.motes.values()) {
            const off: Lane["off"] = node ? [] : [[0, Infinity]]
            this.lanes.set(id, { id, parents: [], omitted: 0, joins: [], off })
            this.routed(id)
        }
    }

    sent(_from: Radio, frame: Uint8Array, startMs: number, endMs: number): void {
        const counts = this.counts.get(this.kinds.of(frame))!
        counts.frames++
        counts.bytes += frame.length
        counts.airMs += endMs - startMs
        counts.sizes[Math.min(maxFrameBytes, frame.length)]!++
        this.airMs.add(this.simulation.now(), endMs - startMs)
    }

    arrived({ mote, measuredMs, arrivedMs }: ArrivedReading): void {
        this.arrivals.add(this.simulation.now(), 1)
        const hops = hopsOf(this.simulation, mote) ?? -1
        const latency = this.latencyByHops.get(hops) ?? new Histogram()
        this.latencyByHops.set(hops, latency)
        latency.add(arrivedMs - measuredMs)
    }

    powered(mote: number, isOn: boolean): void {
        const now = this.simulation.now()
        const { off } = this.lanes.get(mote)!
        const last = off.at(-1)
        if (isOn && last) last[1] = now
        else if (!isOn && off.length < maxChanges) off.push([now, Infinity])
        this.routed(mote)
    }

    routed(id: number): void {
        const lane = this.lanes.get(id)
        const mote = this.simulation.motes.get(id)
        if (!lane || !mote) return
        const { startMs } = this.simulation
        const joinedMs = mote.node?.rpl.joinedMs
        const poweredS = (mote.poweredMs - startMs) / 1000
        if (joinedMs !== undefined && lane.joins.at(-1)?.poweredS !== poweredS)
            if (lane.joins.length < maxJoins) lane.joins.push({ poweredS, joinedS: (joinedMs - startMs) / 1000 })
        const parent = parentOf(this.simulation, id) ?? 0
        if (parent === (lane.parents.at(-1)?.parent ?? 0)) return
        const rank = mote.node?.rpl.rank ?? 0
        if (lane.parents.length < maxChanges) lane.parents.push({ s: this.simulation.now(), parent, rank })
        else lane.omitted++
    }
}
