import { Histogram } from "../observe/histogram.ts"
import { judge } from "../run/judge.ts"
import { summary } from "../run/summary.ts"
import { Simulation } from "../run/simulation.ts"
import type { Job, Outcome } from "./pool.ts"

process.on("disconnect", () => process.exit())
process.once("message", (job: Job) => {
    run(job).then(
        outcome => process.send!(outcome, () => process.disconnect()),
        (error: Error) => {
            console.error(error.message)
            process.exit(1)
        },
    )
})

async function run({ scenario, seed, seconds }: Job): Promise<Outcome> {
    const simulation = await Simulation.start(scenario, { seed })
    await simulation.run(seconds)
    const { motes } = summary(simulation)
    const latency = new Histogram()
    for (const { latencyMs } of simulation.statistics.nodes.values()) latency.addAll(latencyMs)
    const sum = (of: (mote: (typeof motes)[number]) => number) => motes.reduce((all, mote) => all + of(mote), 0)
    const expected = sum(({ delivery }) => delivery.expected)
    const joined = motes.flatMap(({ joinedS }) => (joinedS === undefined ? [] : [joinedS]))
    const hops = motes.flatMap(one => (one.hops === undefined ? [] : [one.hops]))
    const verdicts = await judge(simulation)
    return {
        motes: motes.length,
        joined: joined.length,
        lastJoinedS: joined.length ? Math.max(...joined) : null,
        delivery: expected ? sum(({ delivery }) => delivery.arrived) / expected : null,
        medianS: latency.count ? latency.percentile(0.5) / 1000 : null,
        p95S: latency.count ? latency.percentile(0.95) / 1000 : null,
        meanMa: sum(({ energy }) => energy.meanMa) / motes.length,
        meanHops: hops.length ? hops.reduce((a, b) => a + b) / hops.length : null,
        framesSent: sum(({ framesSent }) => framesSent),
        framesLost: sum(({ framesLost }) => framesLost),
        collisions: sum(({ collisions }) => collisions),
        fails: verdicts.filter(({ holds }) => !holds).map(({ claim }) => claim),
    }
}
