import { runProgram, syntheticBody, VirtualClock, wearableChips } from "../sim/index.ts"
import type { Row } from "./row.ts"
import { bisect, heapBytes, maxSteps, rp2040 } from "./vm.ts"

/**
 * The work for a window of 2 s, by the part names of bench/src/estimator.ts: how often each part runs, and the slice
 * between two pauses that contains it. Filters run with each burst, for a fifth of the window.
 */
const parts: { part: string; times: number; slice: string }[] = [
    { part: "filter", times: 1, slice: "" },
    { part: "acceleration", times: 1, slice: "" },
    { part: "motion", times: 1, slice: "motion" },
    { part: "rhythm", times: 1, slice: "rhythm" },
    { part: "subtraction", times: 1, slice: "subtraction" },
    { part: "autocorrelation", times: 1, slice: "autocorrelation" },
    { part: "blocks", times: 1, slice: "blocks" },
    { part: "period", times: 1, slice: "period" },
    { part: "spectrum, slow", times: 1, slice: "spectrum, slow" },
    { part: "spectrum, fast", times: 1, slice: "spectrum, fast" },
    { part: "tracker", times: 1, slice: "tracker" },
    { part: "prior", times: 1, slice: "prior" },
    { part: "oxygen", times: 1, slice: "" },
    { part: "oxygen, 2 s", times: 1, slice: "oxygen" },
    { part: "choice", times: 1, slice: "prior" },
    { part: "judgement", times: 1, slice: "judgement" },
]

/** Steps and memory of the heart-rate estimator, measured on the bytecode in the VM. */
export async function estimatorCost(): Promise<Row[]> {
    const idle = await mostLoops("nothing")
    const stepsPerTurn = maxSteps / idle
    const note = `±${Math.ceil(stepsPerTurn)}`
    const rows: Row[] = []
    const slices = new Map<string, number>()
    let total = 0
    for (const { part, times, slice } of parts) {
        console.error(`steps: ${part}`)
        const steps = Math.round((idle - (await mostLoops(part))) * stepsPerTurn)
        total += steps * times
        if (slice) slices.set(slice, (slices.get(slice) ?? 0) + steps)
        rows.push({ what: `steps, ${part}`, value: steps, unit: "steps", note })
    }
    console.error("heap")
    const ballast = await bisect(0, heapBytes, survives, 64)
    const longest = Math.max(...slices.values())
    return [
        ...rows,
        {
            what: "longest slice",
            value: longest,
            unit: "steps",
            note: `${((longest * rp2040.stepUs) / 1000).toFixed(1)} ms on an RP2040`,
        },
        {
            what: "steps a second of signal",
            value: Math.round(total / 2),
            unit: "steps",
            note: "with accelerometer and oxygen saturation",
        },
        {
            what: "  energy on an RP2040",
            value: (total / 2) * rp2040.stepUs * 1e-6 * rp2040.busyMw,
            unit: "mJ",
            note: `a second of signal; ${rp2040.busyMw} mW of a busy core, about`,
        },
        {
            what: "  share of an RP2040",
            value: (total * rp2040.stepUs) / 2e4,
            unit: "%",
            note: `${rp2040.stepUs} µs a step`,
        },
        { what: "peak heap of sensing", value: heapBytes - ballast, unit: "bytes" },
    ]
}

/** The longest loop that fits into the VM's step limit together with a part. */
function mostLoops(part: string): Promise<number> {
    return bisect(0, 16_384, async loops => {
        const { lines, panics, mote, run } = await runProgram("bench/src/estimator.ts", {
            settings: { loops, part },
        })
        await run(30, () => lines.length > 0 || panics.length > 0)
        mote.stop()
        return panics.length === 0
    })
}

async function survives(ballast: number): Promise<boolean> {
    const clock = new VirtualClock()
    const { mote, panics, run } = await runProgram("bench/src/sensing.ts", {
        clock,
        chips: wearableChips(clock, syntheticBody({ seed: 1 })),
        settings: { ballast },
    })
    await run(40, () => panics.length > 0)
    mote.stop()
    return panics.length === 0
}
