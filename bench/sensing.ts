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
import { exerciseRuns, type ExerciseRun } from "./heart/exercises.ts"
import { measure, type Judged } from "./heart/measures.ts"
import { writeReport, type Entry } from "./heart/report.ts"
import { images } from "./images.ts"
import type { Row } from "./row.ts"

/** Recordings next to the checkout; VITALMOTE_RECORDINGS names another folder. */
const recordings = process.env.VITALMOTE_RECORDINGS ?? join(projectDir, "../shared/ppg")

/** Held out: no constant of the estimator was chosen with these. */
const exerciseSeeds = [21, 22, 23, 24]

/**
 * Heart rate against recordings, simulated exercises, noise and weak pulses, and its cost: all measured on the bytecode in the VM, but
 * for the exercises, which Node runs from the same sources.
 * @param report folder for pages with plots
 */
export async function bench(report?: string): Promise<Row[]> {
    const entries = await recorded(recordings)
    const exercises = await exercised()
    if (report) console.error(writeReport(report, [...entries, ...exercises.entries]))
    return [
        ...entries.flatMap(rowsOf),
        ...published,
        ...exercises.entries.flatMap(rowsOf),
        ...exercises.rows,
        ...(await falseValues()),
        ...(await lowPerfusion()),
        ...(await estimatorCost()),
        ...(await images()),
    ]
}

/** Mean absolute errors of others on the twelve runs of TROIKA, with both channels of light and accelerometer; every window counts. */
const published: Row[] = [
    {
        what: "published: TROIKA",
        value: 2.34,
        unit: "bpm",
        note: "Zhang et al., IEEE TBME 2015; every window, both channels",
    },
    { what: "published: JOSS", value: 1.28, unit: "bpm", note: "Zhang, IEEE TBME 2015" },
    {
        what: "published: WFPV",
        value: 1.02,
        unit: "bpm",
        note: "Temko, IEEE TBME 2017; with corrections after the run",
    },
]

/** The clinic's estimates from a mote on `body`, one every 2 s. */
async function sense(what: string, body: Body, seconds: number): Promise<Estimate[]> {
    console.error(`${what}: ${Math.round(seconds)} s`)
    const estimates: Estimate[] = []
    await estimate(body, seconds, one => estimates.push(one))
    return estimates
}

/**
 * Agreement with the reference of every recording in a folder: `NAME.csv` with `NAME.json`, and again with acceleration if there is a
 * `NAME_acc.csv` of the same rate. Then that of those with and of those without acceleration.
 */
async function recorded(folder: string): Promise<Entry[]> {
    if (!existsSync(folder)) {
        console.error(`no recordings in ${folder}: accuracy not measured`)
        return []
    }
    const with_: Entry[] = []
    const without: Entry[] = []
    for (const file of readdirSync(folder).filter(file => file.endsWith(".json"))) {
        const name = file.replace(/\.json$/, "")
        const light = join(folder, `${name}.csv`)
        const { fs, ref_bpm } = JSON.parse(readFileSync(join(folder, file), "utf8")) as {
            fs: number
            ref_bpm: (number | null)[]
        }
        without.push(await against(name, recordingFile(light, fs, { loop: true }), ref_bpm))
        const felt = join(folder, `${name}_acc.csv`)
        if (!existsSync(felt)) continue
        const body = recordingFile(light, fs, {
            acceleration: accelerationFile(felt, fs),
            loop: true,
        })
        with_.push(await against(`${name} with accelerometer`, body, ref_bpm))
    }
    const whole = (name: string, entries: Entry[]) =>
        entryOf(
            name,
            entries.flatMap(({ runs }) => runs),
        )
    return [
        ...without,
        ...with_,
        ...(without.length ? [whole("all recordings, without accelerometer", without)] : []),
        ...(with_.length ? [whole("all recordings with accelerometer", with_)] : []),
    ]
}

/** @param reference bpm by window of 8 s, every 2 s; null if unknown */
async function against(name: string, body: Body & { durationS: number }, reference: (number | null)[]): Promise<Entry> {
    const readings = await sense(name, body, body.durationS)
    // The first sample is the start of the recording, so its first window of 8 s ends with the fourth reading.
    const windows = reference.flatMap((ref, n) => {
        const reading = readings[n + 3]
        return ref === null || !reading ? [] : [{ ref, t: reading.t, bpm: reading.bpm }]
    })
    return entryOf(name, [windows])
}

function entryOf(name: string, runs: readonly Judged[][]): Entry {
    return { name, runs, measures: measure(runs) }
}

function rowsOf({ name, measures: m }: Entry): Row[] {
    const share = (value: number) => (Number.isNaN(value) ? 0 : 100 * value)
    const rows: Row[] = [
        {
            what: `${name}: availability`,
            value: share(m.availability),
            unit: "%",
            note: `of ${m.windows} windows with a reference`,
        },
    ]
    if (m.availability === 0) return rows
    return [
        ...rows,
        { what: "  accuracy", value: share(m.mape), unit: "% MAPE" },
        { what: "  output rate", value: m.outputRate, unit: "a minute" },
        { what: "  refresh offset", value: m.refreshOffsetS, unit: "s" },
        {
            what: "  mean absolute error",
            value: m.mae,
            unit: "bpm",
            note: `${m.heldMae.toFixed(2)} if every window counts with the last value`,
        },
        {
            what: "  off by more than 5, 10 bpm",
            value: share(m.off5),
            unit: "%",
            note: `${share(m.off10).toFixed(1)} % by more than 10`,
        },
        {
            what: "  bias",
            value: m.bias,
            unit: "bpm",
            note: `95 % limits ${m.limits[0].toFixed(1)} to ${m.limits[1].toFixed(1)}`,
        },
    ]
}

/** Simulated exercises by kind, with and without accelerometer. */
async function exercised(): Promise<{ entries: Entry[]; rows: Row[] }> {
    const runs: ExerciseRun[] = []
    for (const seed of exerciseSeeds) {
        console.error(`exercises, seed ${seed}`)
        runs.push(...(await exerciseRuns(seed)))
    }
    const entries: Entry[] = []
    const rows: Row[] = []
    for (const isFelt of [true, false]) {
        const how = isFelt ? "with accelerometer" : "without accelerometer"
        const own = runs.filter(run => run.isFelt === isFelt)
        for (const kind of new Set(own.map(({ kind }) => kind)))
            entries.push(
                entryOf(
                    `${kind}, ${how}`,
                    own.filter(run => run.kind === kind).map(({ exercise }) => exercise),
                ),
            )
        entries.push(
            entryOf(
                `rest and recovery, ${how}`,
                own.map(({ calm }) => calm),
            ),
        )
        rows.push(
            {
                what: `first right value, ${how}`,
                value: median(own.map(({ firstS }) => firstS)),
                unit: "s",
                note: "median",
            },
            {
                what: `back after an exercise, ${how}`,
                value: median(own.map(({ backS }) => backS)),
                unit: "s",
                note: "median",
            },
        )
    }
    return { entries, rows }
}

function median(values: number[]): number {
    return values.toSorted((a, b) => a - b)[values.length >> 1]!
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
    return rowsOf(entryOf("perfusion of 0.05 %", [readings.slice(3).map(reading => ({ ...reading, ref: bpm }))]))
}
