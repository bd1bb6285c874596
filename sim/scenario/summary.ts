import { formatAddress } from "../net/ipv6.ts"
import { linkAddressOf } from "../net/node.ts"
import { keyOf } from "../net/rpl/routes.ts"
import { skyAddress } from "../net/sky.ts"
import type { Simulation } from "../simulation.ts"
import { percentile, type Delivery } from "../statistics.ts"

export interface MoteSummary {
    id: number
    address: string | undefined
    rank: number | undefined
    /** Number of the node that it sends to. */
    parent: number | undefined
    /** To the border router. */
    hops: number | undefined
    parentChanges: number
    joinedS: number | undefined
    delivery: Delivery
    latencyS: { median: number; p95: number; max: number }
    framesSent: number
    framesReceived: number
    framesLost: number
    collisions: number
    dropped: Record<string, number>
}

/** What became of a simulation, for people and for programs. */
export interface Summary {
    title: string
    seed: number
    seconds: number
    motes: MoteSummary[]
}

export function summary(simulation: Simulation): Summary {
    const { scenario, seed, motes } = simulation
    return {
        title: scenario.title,
        seed,
        seconds: simulation.now(),
        motes: [...motes.keys()].map(id => moteSummary(simulation, id)),
    }
}

function moteSummary(simulation: Simulation, id: number): MoteSummary {
    const { statistics, clock, startMs } = simulation
    const mote = simulation.motes.get(id)!
    const { latenciesMs, framesSent, framesReceived, framesLost, collisions, dropped } =
        statistics.of(id)
    const rpl = mote.node?.rpl
    const address = mote.node?.ipv6.addresses[0]
    return {
        id,
        address: address && formatAddress(address),
        rank: rpl?.rank,
        parent: parentOf(simulation, id),
        hops: hopsOf(simulation, id),
        parentChanges: rpl?.parentChanges ?? 0,
        joinedS: rpl?.joinedMs === undefined ? undefined : (rpl.joinedMs - startMs) / 1000,
        delivery: statistics.delivery(id, clock.now(), mote.off),
        latencyS: {
            median: percentile(latenciesMs, 0.5) / 1000,
            p95: percentile(latenciesMs, 0.95) / 1000,
            max: percentile(latenciesMs, 1) / 1000,
        },
        framesSent,
        framesReceived,
        framesLost,
        collisions,
        dropped,
    }
}

/** The node that a mote sends everything to that is not for those below. */
export function parentOf(simulation: Simulation, id: number): number | undefined {
    const parent = simulation.motes.get(id)?.node?.rpl.parent
    if (!parent) return undefined
    const link = keyOf(linkAddressOf(parent.address))
    const ids = [simulation.root.id, ...simulation.motes.keys()]
    return ids.find(other => keyOf(skyAddress(other)) === link)
}

/** Hops to the border router along the parents; undefined where they do not lead there. */
export function hopsOf(simulation: Simulation, id: number): number | undefined {
    let hops = 0
    for (
        let at: number | undefined = id;
        at !== simulation.root.id;
        at = parentOf(simulation, at)
    ) {
        if (at === undefined || ++hops > simulation.motes.size) return undefined
    }
    return hops
}
