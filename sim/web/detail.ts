import { routerView } from "../mesh/page.ts"
import { formatAddress } from "../net/ipv6.ts"
import { linkAddressOf } from "../net/node.ts"
import { infiniteRank } from "../net/rpl/neighbour.ts"
import { summary } from "../run/summary.ts"
import type { Simulation } from "../run/simulation.ts"
import { radioStates, type Detail } from "./messages.ts"
import type { PacketLog } from "./packets.ts"

/** Details of one node. Undefined if there is no such node. */
export function detailOf(simulation: Simulation, packets: PacketLog, id: number): Detail | undefined {
    const { root, motes, clock, startMs, statistics } = simulation
    const isRoot = id === root.id
    const mote = motes.get(id)
    const attacker = simulation.attackers.find(({ report }) => report.id === id)?.report
    if (!isRoot && !mote && !attacker) return undefined
    const node = simulation.node(id)
    const facts: Detail["facts"] = []
    const { framesSent, framesReceived, framesLost, collisions, bytesSent, dropped } = statistics.of(id)
    const detail: Detail = {
        ...{ id, facts, dropped, neighbours: [], routes: [] },
        duty: { off: 0, listen: 0, receive: 0, transmit: 0 },
    }
    const known = mote && summary(simulation).motes.find(one => one.id === id)
    if (known) {
        const { delivery, latencyS, energy, battery, joinedS, parentChanges } = known
        if (mote.plan.wearer) detail.wearer = mote.plan.wearer
        const { totalMah, meanMa } = energy
        detail.energy = { totalMah, meanMa, ...(battery === undefined ? {} : { battery }) }
        facts.push(
            ["joined", joinedS === undefined ? "not yet" : `after ${joinedS.toFixed(1)} s`],
            ["parent changes", String(parentChanges)],
            ["readings", `${delivery.arrived} of ${delivery.expected} in the clinic`],
            ["latency", `median ${latencyS.median.toFixed(2)} s, 95 % ${latencyS.p95.toFixed(2)} s`],
        )
    }
    facts.push(
        ["frames sent", `${framesSent} (${bytesSent} B)`],
        ["frames received", String(framesReceived)],
        ["lost in the air", String(framesLost)],
        ["collisions", String(collisions)],
    )
    if (attacker)
        facts.push(
            ["frames overheard", String(attacker.frames)],
            ["envelopes seen", String(attacker.envelopes)],
            ["readable ones", String(attacker.readable)],
            ["envelopes sent", String(attacker.sent)],
            ["packets swallowed", String(attacker.swallowed)],
        )
    if (!node) return detail
    const { radio } = node
    radio.settle()
    const { spentMs } = radio
    const allMs = radioStates.reduce((sum, state) => sum + spentMs[state], 0) || 1
    for (const state of radioStates) detail.duty[state] = spentMs[state] / allMs
    facts.unshift(["link-local address", formatAddress(node.ipv6.linkLocal)])
    detail.routes = routerView(node, clock.now()).routes
    for (const { address, rank, metric, lastHeardMs } of node.rpl.neighbours.list())
        detail.neighbours.push({
            id: packets.idOf(linkAddressOf(address)) ?? null,
            address: formatAddress(address),
            rank: rank < infiniteRank ? rank : -1,
            etx: metric.value / 128,
            heardMs: lastHeardMs - startMs,
        })
    return detail
}
