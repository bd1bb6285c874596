import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import {
    accelerationFile,
    type Body,
    emptyStrap,
    estimate,
    type Estimate,
    recordingFile,
    seededNormal,
    seededRandom,
    syntheticBody,
} from "../sim/index.ts"
import { projectDir } from "../devicescript/build.ts"
import { estimatorCost } from "./estimator.ts"
import { images } from "./images.ts"
import type { Row } from "./row.ts"

/** Recordings next to the checkout; VITALMOTE_RECORDINGS names another folder. */
const recordings = process.env.VITALMOTE_RECORDINGS ?? join(projectDir, "../shared/ppg")

/** Heart rate against recordings, noise and weak pulses, and its cost, all measured on the bytecode in the VM. */
export async function bench(): Promise<Row[]> {
    return [
        ...(await accuracy(recordings)),
        ...(await falseValues()),
        ...(await lowPerfusion()),
        ...(await estimatorCost()),
        ...(await images()),
    ]
}

/** The clinic's estimates from a mote on `body`, one every 2 s. */
async function sense(what: string, body: Body, seconds: number): Promise<Estimate[]> {
    console.error(`${what}: ${Math.round(seconds)} s`)
    const estimates: Estimate[] = []
    await estimate(body, seconds, one => estimates.push(one))
    return estimates
}

/**
 * Accuracy against the reference of every recording in a folder: `NAME.csv` with `NAME.json`, and again with
 * acceleration if there is a `NAME_acc.csv` of the same rate.
 */
async function accuracy(folder: string): Promise<Row[]> {
    if (!existsSync(folder)) {
        console.error(`no recordings in ${folder}: accuracy not measured`)
        return []
    }
    const rows: Row[] = []
    for (const file of readdirSync(folder).filter(file => file.endsWith(".json"))) {
        const name = file.replace(/\.json$/, "")
        const light = join(folder, `${name}.csv`)
        const { fs, ref_bpm } = JSON.parse(readFileSync(join(folder, file), "utf8")) as {
            fs: number
            ref_bpm: (number | null)[]
        }
        rows.push(...(await against(name, recordingFile(light, fs, { loop: true }), ref_bpm)))
        const felt = join(folder, `${name}_acc.csv`)
        if (!existsSync(felt)) continue
        const body = recordingFile(light, fs, {
            acceleration: accelerationFile(felt, fs),
            loop: true,
        })
        rows.push(...(await against(`${name} with accelerometer`, body, ref_bpm)))
    }
    return rows
}

/** @param reference bpm by window of 8 s, every 2 s; null if unknown */
async function against(name: string, body: Body & { durationS: number }, reference: (number | null)[]): Promise<Row[]> {
    const readings = await sense(name, body, body.durationS)
    // The first sample is the start of the recording, so its first window of 8 s ends with the fourth reading.
    const windows = reference.flatMap((ref, n) => {
        const reading = readings[n + 3]
        return ref === null || !reading ? [] : [{ ref, ...reading }]
    })
    return compare(name, windows)
}

function compare(name: string, windows: (Estimate & { ref: number })[]): Row[] {
    const errors = windows.flatMap(({ bpm, ref }) => (bpm === null ? [] : [Math.abs(bpm - ref)]))
    const far = errors.filter(error => error > 5).length
    const silent = windows.filter(({ bpm }) => bpm === null)
    const moved = silent.filter(({ motion }) => motion).length
    const rows: Row[] = [
        {
            what: `${name}, reported`,
            value: percent(errors.length, windows.length),
            unit: "%",
            note: `of ${windows.length} windows with a reference`,
        },
    ]
    if (errors.length)
        rows.push(
            {
                what: `  mean absolute error`,
                value: errors.reduce((a, b) => a + b) / errors.length,
                unit: "bpm",
                note: "of those reported",
            },
            {
                what: `  off by more than 5 bpm`,
                value: percent(far, errors.length),
                unit: "%",
                note: `of those reported: ${far}`,
            },
        )
    if (silent.length)
        rows.push({
            what: `  motion`,
            value: percent(moved, silent.length),
            unit: "%",
            note: "of those not reported",
        })
    return rows
}

function percent(part: number, whole: number): number {
    return whole === 0 ? 0 : (100 * part) / whole
}

/** Number of values reported without a pulse. */
async function falseValues(): Promise<Row[]> {
    const hour = 3600
    const lit = (change: (seconds: number) => number): Body => ({
        reflectance: (_, seconds) => 260 * (1 + change(seconds)),
        skinTemperature: () => 33,
    })
    const normal = seededNormal(7)
    const random = seededRandom(7)
    const lamp = (hz: number) => lit(t => 0.01 * Math.abs(Math.sin((2 * Math.PI * hz * t) / 2)))
    const bodies: [string, Body][] = [
        ["no wearer", emptyStrap],
        ["white noise", lit(() => 0.003 * normal())],
        ["drift", lit(t => 0.1 * Math.sin(t / 30) + 0.03 * Math.sin(t / 4))],
        ["random walk", lit(drawn(level => 0.9995 * level + 0.0002 * normal()))],
        ["steps", lit(drawn(level => (random() < 0.003 ? 0.02 * random() : level)))],
        ["breath alone", lit(t => 0.01 * Math.sin(0.5 * Math.PI * t))],
        ["lamp at 100 Hz", lamp(100)],
        ["lamp at 120 Hz", lamp(120)],
    ]
    const rows: Row[] = []
    for (const [what, body] of bodies) {
        const readings = await sense(what, body, hour)
        const values = readings.filter(({ bpm }) => bpm !== null).length
        rows.push({ what: `false values, ${what}`, value: values, unit: "an hour" })
    }
    return rows
}

/** A random level, drawn at each moment from the previous one; both LEDs see the same. */
function drawn(draw: (level: number) => number): (seconds: number) => number {
    let at = -1
    let level = 0
    return seconds => {
        if (seconds !== at) level = draw(level)
        at = seconds
        return level
    }
}

async function lowPerfusion(): Promise<Row[]> {
    const bpm = 72
    const body = syntheticBody({ seed: 5, bpm, perfusion: 0.0005, variability: 0 })
    const readings = await sense("perfusion of 0.05 %", body, 300)
    const windows = readings.slice(3).map(reading => ({ ref: bpm, ...reading }))
    return compare("perfusion of 0.05 %", windows)
}
