import { cpuShare, skyCurrents } from "../observe/energy.ts"
import { Histogram } from "../observe/histogram.ts"
import type { Verdict } from "../run/judge.ts"
import { summary } from "../run/summary.ts"
import type { Simulation } from "../run/simulation.ts"
import type { Recorder } from "./recorder.ts"
import type { Distribution, PlacedNode, Report } from "./schema.ts"

/** @param name the scenario as named on the command line, with the options that determine the run */
export function reportOf(simulation: Simulation, recorder: Recorder, verdicts: Verdict[], name: string): Report {
    const { scenario, seed } = simulation
    const seconds = simulation.now()
    const all = new Histogram()
    for (const one of recorder.latencyByHops.values()) all.addAll(one)
    const stepS = Math.max(recorder.airMs.stepS, recorder.arrivals.stepS)
    return {
        command: `vitalmote sim ${name} --seed ${seed}`,
        scenario,
        seed,
        seconds,
        nodes: nodesOf(simulation),
        motes: summary(simulation).motes,
        lanes: [...recorder.lanes.values()].map(lane => ({
            ...structuredClone(lane),
            off: lane.off.map(([from, to]) => [from, Math.min(seconds, to)]),
        })),
        latency: distribution(all),
        latencyByHops: [...recorder.latencyByHops]
            .sort(([a], [b]) => a - b)
            .map(([hops, latency]) => ({ hops, latency: distribution(latency) })),
        kinds: [...recorder.counts]
            .filter(([, { frames }]) => frames)
            .map(([kind, { frames, bytes, airMs, sizes }]) => ({
                ...{ kind, frames, bytes, airS: airMs / 1000 },
                sizes: [...sizes].flatMap((count, size): [number, number][] => (count ? [[size, count]] : [])),
            })),
        course: {
            stepS,
            airS: recorder.airMs.inStepsOf(stepS).map(ms => ms / 1000),
            arrived: [...recorder.arrivals.inStepsOf(stepS)],
        },
        attackers: simulation.attackers.map(({ report }) => ({ ...report })),
        currents: { ...skyCurrents, cpuShare },
        verdicts,
    }
}

function nodesOf({ scenario, motes, root }: Simulation): PlacedNode[] {
    const { x, y } = scenario.root
    return [
        { id: root.id, role: "border router", x, y, hasPower: true },
        ...[...motes.values()].map(({ id, position, node }) => ({
            ...{ id, role: "mote", x: position.x, y: position.y, hasPower: node !== undefined },
        })),
        ...(scenario.attackers ?? []).map(({ id, kind, x, y }) => ({
            ...{ id, role: String(kind), x, y, hasPower: true },
        })),
    ]
}

function distribution(ms: Histogram): Distribution {
    return {
        count: ms.count,
        meanS: ms.mean / 1000,
        medianS: ms.percentile(0.5) / 1000,
        p95S: ms.percentile(0.95) / 1000,
        maxS: ms.percentile(1) / 1000,
        bins: ms.list().map(({ from, to, count }) => ({ fromS: from / 1000, toS: to / 1000, count })),
    }
}
