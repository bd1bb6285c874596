import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { emptyStrap, recordingFile, syntheticBody, type Body } from "../sim/body/index.ts"
import { wearableChips } from "../sim/devices/chips.ts"
import { estimate, type Estimate } from "../sim/estimate.ts"
import { projectDir } from "../sim/firmware.ts"
import { seededNormal } from "../sim/random.ts"
import { VirtualClock } from "../sim/vm/clock.ts"
import { runProgram } from "../sim/program.ts"
import type { Row } from "./row.ts"
import { bisect, heapBytes, maxSteps, rp2040 } from "./vm.ts"

/** The recordings beside the checkout; VITALMOTE_PPG names another folder. */
const recordings = process.env.VITALMOTE_PPG ?? join(projectDir, "../shared/ppg")

/** The heart rate against recordings, noise and weak pulses, and what it costs; all measured on the bytecode in the VM. */
export async function bench(): Promise<Row[]> {
    return [
        ...(await accuracy(recordings)),
        ...(await falseValues()),
        ...(await lowPerfusion()),
        ...(await cost()),
    ]
}

/** What a clinic gets from a mote that wears `body`, one for each 2 s. */
async function sense(body: Body, seconds: number): Promise<Estimate[]> {
    const estimates: Estimate[] = []
    await estimate(body, seconds, one => estimates.push(one))
    return estimates
}

/** Against the reference of every recording of a folder: `NAME.csv` with `NAME.json`. */
async function accuracy(folder: string): Promise<Row[]> {
    if (!existsSync(folder)) {
        console.error(`no recordings in ${folder}: accuracy not measured`)
        return []
    }
    const rows: Row[] = []
    for (const file of readdirSync(folder).filter(file => file.endsWith(".json"))) {
        const name = file.replace(/\.json$/, "")
        const { fs, ref_bpm } = JSON.parse(readFileSync(join(folder, file), "utf8")) as {
            fs: number
            ref_bpm: (number | null)[]
        }
        const body = recordingFile(join(folder, `${name}.csv`), fs)
        const readings = await sense(body, body.durationS)
        // The first sample is the recording's beginning; its first window of 8 s ends with the fourth reading.
        const windows = ref_bpm.flatMap((ref, n) => {
            const reading = readings[n + 3]
            return ref === null || !reading ? [] : [{ ref, ...reading }]
        })
        rows.push(...compare(name, windows))
    }
    return rows
}

function compare(name: string, windows: (Estimate & { ref: number })[]): Row[] {
    const errors = windows.flatMap(({ bpm, ref }) => (bpm === null ? [] : [Math.abs(bpm - ref)]))
    const mean = errors.reduce((a, b) => a + b, 0) / errors.length
    const right = errors.filter(error => error <= 3).length
    const far = errors.filter(error => error > 5).length
    const moved = windows.filter(({ motion }) => motion).length
    const note = `of ${windows.length} windows with a reference`
    const ofReported = "of those reported"
    const rows: Row[] = [
        { what: `${name} within 3 bpm`, value: percent(right, windows.length), unit: "%", note },
        { what: `  reported`, value: percent(errors.length, windows.length), unit: "%", note },
        { what: `  motion`, value: percent(moved, windows.length), unit: "%", note },
    ]
    if (errors.length)
        rows.push(
            { what: `  mean absolute error`, value: mean, unit: "bpm", note: ofReported },
            {
                what: `  off by more than 5 bpm`,
                value: percent(far, errors.length),
                unit: "%",
                note: ofReported,
            },
        )
    return rows
}

function percent(part: number, whole: number): number {
    return whole === 0 ? 0 : (100 * part) / whole
}

/** Values reported where there is no pulse. */
async function falseValues(): Promise<Row[]> {
    const hour = 3600
    const lit = (change: (seconds: number) => number): Body => ({
        reflectance: (_, seconds) => 260 * (1 + change(seconds)),
        skinTemperature: () => 33,
    })
    const noise = seededNormal(7)
    const lamp = (hz: number) => lit(t => 0.01 * Math.abs(Math.sin((2 * Math.PI * hz * t) / 2)))
    const bodies: [string, Body][] = [
        ["no wearer", emptyStrap],
        ["white noise", lit(() => 0.003 * noise())],
        ["drift", lit(t => 0.1 * Math.sin(t / 30) + 0.03 * Math.sin(t / 4))],
        ["lamp at 100 Hz", lamp(100)],
        ["lamp at 120 Hz", lamp(120)],
    ]
    const rows: Row[] = []
    for (const [what, body] of bodies) {
        const values = (await sense(body, hour)).filter(({ bpm }) => bpm !== null).length
        rows.push({ what: `false values, ${what}`, value: values, unit: "an hour" })
    }
    return rows
}

async function lowPerfusion(): Promise<Row[]> {
    const bpm = 72
    const body = syntheticBody({ seed: 5, bpm, perfusion: 0.0005, variability: 0 })
    const readings = await sense(body, 300)
    const windows = readings.slice(3).map(reading => ({ ref: bpm, ...reading }))
    return compare("perfusion of 0.05 %", windows)
}

/** The parts of the work on a window of 2 s, as bench/src/estimator.ts names them, and how often they come. */
const parts: [string, number][] = [
    ["filter", 1],
    ["acceleration", 1],
    ["motion", 1],
    ["autocorrelation, 7 lags", 41 / 7],
    ["blocks", 1],
    ["period", 1],
    ["spectrum, 16 bins", 71 / 16],
    ["tracker", 1],
    ["choice", 1],
    ["judgement", 1],
]

async function cost(): Promise<Row[]> {
    const idle = await mostLoops("nothing")
    const stepsPerTurn = maxSteps / idle
    const note = `±${Math.ceil(stepsPerTurn)}`
    const rows: Row[] = []
    let total = 0
    for (const [part, times] of parts) {
        const steps = Math.round((idle - (await mostLoops(part))) * stepsPerTurn)
        total += steps * times
        rows.push({ what: `steps, ${part}`, value: steps, unit: "steps", note })
    }
    const ballast = await bisect(0, heapBytes, survives, 64)
    return [
        ...rows,
        { what: "steps a second of signal", value: Math.round(total / 2), unit: "steps" },
        {
            what: "  share of an RP2040",
            value: (total * rp2040.stepUs) / 2e4,
            unit: "%",
            note: `${rp2040.stepUs} µs a step`,
        },
        { what: "peak heap of sensing", value: heapBytes - ballast, unit: "bytes" },
    ]
}

/** The longest loop beside which a part fits into the VM's limit of steps. */
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
