import { availableParallelism } from "node:os"
import { type Scenario, Simulation } from "../sim/index.ts"
import { profiled, timeByPart } from "./profile.ts"
import type { Row } from "./row.ts"

const spacingM = 30
/** The largest first, so that its memory is not what others have left behind. */
const sizes = [100, 50, 25, 10]
/** Threads besides the network's. */
const threads = availableParallelism()
/** All are switched on within 10 s, and a program starts 1.1 s later. */
const startS = 12
/** Time for all to join, its limit, and the measured time. */
const settledS = 60
const patienceS = 240
const spanS = 60

/** Parts of the program, by the path of their sources; the first match counts. */
const parts = {
    "VM with the firmware": /^wasm:|devicescript-vm|\/sim\/(vm\/|threads\/|mote)/,
    "body and chips": /\/sim\/(devices|body|jacdac|random)/,
    "radio and network": /\/sim\/(radio|net|mesh|energy|battery)/,
    "router and clinic": /\/(router|clinic|wire|libsql|sim\/ward)/,
}

/**
 * Speed of a grid of motes that have joined and send at their default rate, as a multiple of real time; memory per
 * mote, time to start, and shares of the time.
 */
export async function bench(): Promise<Row[]> {
    const rows: Row[] = []
    for (const motes of sizes) rows.unshift(...(await measure(motes, 0)), ...(await measure(motes, threads)))
    return [...rows, ...(await shares(10))]
}

async function measure(motes: number, threads: number): Promise<Row[]> {
    const emptyMb = residentMb()
    const start = stopwatch()
    const simulation = await Simulation.start(grid(motes), { threads })
    await simulation.run(startS)
    const started = start()
    const joined = await join(simulation)
    const run = stopwatch()
    await simulation.run(spanS)
    const { wallS, cpuS } = run()
    const rows: Row[] = [
        {
            what: `root + ${motes} motes${threads ? `, ${threads} threads` : ""}`,
            value: spanS / wallS,
            unit: "× real time",
            note: `by CPU time ${(spanS / cpuS).toPrecision(3)}; ${joined} joined`,
        },
    ]
    if (motes === sizes[0] && !threads)
        rows.push(
            {
                what: `start of ${motes} motes`,
                value: started.wallS,
                unit: "s",
                note: `until all run: the first ${startS} s of simulated time`,
            },
            {
                what: "memory of a mote",
                value: (residentMb() - emptyMb) / motes,
                unit: "MB",
                note: "with its share of everything else",
            },
        )
    await simulation.stop()
    return rows
}

async function shares(motes: number): Promise<Row[]> {
    const simulation = await Simulation.start(grid(motes))
    await join(simulation)
    const profile = await profiled(() => simulation.run(spanS))
    await simulation.stop()
    return Object.entries(timeByPart(profile, parts)).map(([part, share]) => ({
        what: `${part}, ${motes} motes`,
        value: 100 * share,
        unit: "% of the time",
    }))
}

/** Rows of motes, with the border router next to the first. */
function grid(count: number): Scenario {
    return {
        title: `Grid of ${count}`,
        seed: 1,
        duration: patienceS,
        root: { id: 1, x: -spacingM, y: 0 },
        grids: [
            {
                first: 2,
                count,
                columns: Math.ceil(Math.sqrt(count)),
                spacing: spacingM,
                x: 0,
                y: 0,
            },
        ],
    }
}

/** The number of motes that have joined, when all have or time is up. */
async function join(simulation: Simulation): Promise<number> {
    const joined = () => [...simulation.motes.values()].filter(({ node }) => node?.rpl.parent).length
    await simulation.run(settledS)
    while (joined() < simulation.motes.size && simulation.now() < patienceS) await simulation.run(spanS)
    return joined()
}

function stopwatch(): () => { wallS: number; cpuS: number } {
    const beganMs = performance.now()
    const before = process.cpuUsage()
    return () => {
        const { user, system } = process.cpuUsage(before)
        return { wallS: (performance.now() - beganMs) / 1000, cpuS: (user + system) / 1e6 }
    }
}

function residentMb(): number {
    return process.memoryUsage().rss / 1e6
}
