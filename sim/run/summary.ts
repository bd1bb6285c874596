import { Type, type Static, type TSchema } from "@sinclair/typebox"
import { skyCurrents } from "../observe/energy.ts"
import { formatAddress } from "../net/ipv6.ts"
import { linkAddressOf } from "../net/node.ts"
import type { Simulation, SimulatedMote } from "./simulation.ts"

const strict = { additionalProperties: false }
const count = Type.Integer({ minimum: 0 })
const seconds = Type.Number({ minimum: 0 })
const mas = Type.Number({ minimum: 0, description: "charge in mA s" })
const node = Type.Integer({ minimum: 1, maximum: 65_535 })
const known = <T extends TSchema>(schema: T) => Type.Optional(Type.Union([schema, Type.Undefined()]))

const EnergySchema = Type.Object(
    {
        cpuMas: mas,
        sleepMas: mas,
        radioMas: Type.Object({ off: mas, listen: mas, receive: mas, transmit: mas }, strict),
        totalMah: Type.Number({ minimum: 0 }),
        meanMa: Type.Number({ minimum: 0 }),
        seconds,
    },
    strict,
)

export const MoteSummarySchema = Type.Object(
    {
        id: node,
        address: known(Type.String()),
        rank: known(count),
        parent: known({ ...node, description: "preferred parent in the DODAG" }),
        hops: known({ ...count, description: "to the border router" }),
        parentChanges: count,
        joinedS: known(seconds),
        delivery: Type.Object({ expected: count, arrived: count }, strict),
        latencyS: Type.Object({ median: seconds, p95: seconds, max: seconds }, strict),
        framesSent: count,
        framesReceived: count,
        framesLost: count,
        collisions: count,
        dropped: Type.Record(Type.String(), count, { description: "packets, by reason" }),
        energy: EnergySchema,
        battery: known(Type.Number({ minimum: 0, maximum: 1, description: "remaining share of the charge" })),
    },
    strict,
)

/** Outcome of a simulation, for people and programs. */
export const SummarySchema = Type.Object(
    {
        title: Type.String(),
        seed: Type.Integer(),
        seconds,
        motes: Type.Array(MoteSummarySchema),
    },
    strict,
)

export type MoteSummary = Static<typeof MoteSummarySchema>
export type Summary = Static<typeof SummarySchema>

export function summary(simulation: Simulation): Summary {
    const { scenario, seed, motes } = simulation
    return {
        title: scenario.title,
        seed,
        seconds: simulation.now(),
        motes: [...motes.values()].map(mote => moteSummary(simulation, mote)),
    }
}

function moteSummary(simulation: Simulation, mote: SimulatedMote): MoteSummary {
    const { statistics, clock, startMs } = simulation
    const { id, meter, battery } = mote
    const { latencyMs, framesSent, framesReceived, framesLost, collisions, dropped } = statistics.of(id)
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
        delivery: statistics.delivery(id, clock.now()),
        latencyS: {
            median: latencyMs.percentile(0.5) / 1000,
            p95: latencyMs.percentile(0.95) / 1000,
            max: latencyMs.percentile(1) / 1000,
        },
        framesSent,
        framesReceived,
        framesLost,
        collisions,
        dropped: { ...dropped },
        energy: meter.energy(skyCurrents),
        battery: battery?.level,
    }
}

/** The current parent of a mote in the DODAG. */
export function parentOf({ motes }: Simulation, id: number): number | undefined {
    const parent = motes.get(id)?.node?.rpl.parent
    if (!parent) return undefined
    const link = linkAddressOf(parent.address)
    return (link[4]! << 8) | link[7]! // as in `skyAddress`
}

/** Hops to the border router along the parents. Undefined if they do not lead there. */
export function hopsOf(simulation: Simulation, id: number): number | undefined {
    let hops = 0
    for (let at: number | undefined = id; at !== simulation.root.id; at = parentOf(simulation, at)) {
        if (at === undefined || ++hops > simulation.motes.size) return undefined
    }
    return hops
}
