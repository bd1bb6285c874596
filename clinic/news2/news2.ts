import type { Clock } from "../../host/clock.ts"
import {
    bedsideKinds,
    bedsideNames,
    consciousnessLevels,
    type BedsideName,
    type Consciousness,
} from "../../wire/tables/bedside.ts"
import type { VitalName } from "../../wire/tables/quantities.ts"
import { defaultConfig } from "../../wire/tables/settings.ts"
import { ProblemError } from "../errors.ts"
import { silentMs, type Configurations } from "../motes/configurations.ts"
import type { Motes } from "../motes/motes.ts"
import type { Bedside, BedsideEntry } from "../readings/bedside.ts"
import type { Store } from "../store/store.ts"
import {
    news2,
    parameterNames,
    type ParameterName,
    type Parameters,
    type SaturationScale,
    type Score,
} from "./score.ts"

/** What a mote measures counts for so long, or for as long as its settings let it be silent. */
const measuredMs = 10 * 60_000
/** What a nurse entered counts for so long: the longest that chart 4 of NEWS2 allows between two observations. */
const enteredMs = 12 * 3_600_000
/** One restless second is no pulse: what counts is the median of the values of so long. */
const medianMs = 2 * 60_000
/** Readings every 2 s. */
const medianValues = 60
/** Older values of a mote are looked up only where an alarm depends on them. */
const lookBackMs = 3_600_000
const maxPoints = 1500

/** What a mote measures of it. */
export const vitalOf: Partial<Record<ParameterName, VitalName>> = {
    pulse: "hr",
    saturation: "spo2",
    temperature: "temp",
}

/** A parameter of the score with where it comes from. */
export interface Part {
    name: ParameterName
    /** 0 to 3; null where the value is missing or too old. */
    score: number | null
    /** The last one known: a number, or one of the choices of wire/tables/bedside.ts. */
    value: number | string | null
    /** Unix ms; null where there is no value. */
    time: number | null
    /** User name; null for what a mote measured. */
    by: string | null
    /** Too old to count. */
    isOld: boolean
}

export interface ScaleSetting {
    scale: SaturationScale
    /** Who chose it, and when (unix ms); null where nobody did. */
    by: string | null
    madeAt: number | null
}

/** The score of a patient at a moment. */
export interface PatientScore extends Omit<Score, "parts"> {
    patient: number
    /** Unix ms. */
    at: number
    scale: ScaleSetting
    parts: Part[]
    /** Of the oldest value that counts: the age of the score. */
    oldestAt: number | null
}

/** A point of a chart; `total` is null where a parameter was missing then. */
export interface ScorePoint {
    time: number
    total: number | null
    atLeast: number
    /** Of the oldest value that counted then, unix ms: the age of the score. */
    oldestAt: number
}

interface Known {
    value: number
    time: number
    by: string | null
}

export interface News2Options {
    store: Store
    clock: Clock
    bedside: Bedside
    motes: Motes
    configurations: Configurations
}

/** NEWS2 of every patient: from what motes measure, and what nurses enter. Nothing of it is stored: it is worked out when asked for. */
export class News2 {
    private readonly o: News2Options
    private readonly listeners = new Set<(score: PatientScore) => void>()

    constructor(o: News2Options) {
        this.o = o
    }

    /** The score of now. */
    async of(patient: number): Promise<PatientScore> {
        return (await this.judge(patient)).score
    }

    /**
     * The score of now, and `last`: that of the last values known, however old they are. A score that is lower only because
     * nobody measures any more is not lower. With `isThorough` old values are looked for without an end.
     */
    async judge(patient: number, isThorough = false): Promise<{ score: PatientScore; last: Score }> {
        const at = this.now()
        const known = await this.known(patient, at, isThorough)
        const { scale, author, madeAt } = (await this.o.store.saturationScale.newest(patient)) ?? {}
        const setting: ScaleSetting = { scale: scale === 2 ? 2 : 1, by: author ?? null, madeAt: madeAt ?? null }
        const freshMs = await this.freshMs(patient, known, at)
        const isFresh = (name: ParameterName) => at - (known[name]?.time ?? -Infinity) <= freshMs[name]
        const fresh = Object.fromEntries(parameterNames.filter(isFresh).map(name => [name, known[name]]))
        const { parts, ...score } = news2(parametersOf(fresh), setting.scale)
        const times = Object.values(fresh).map(part => part!.time)
        return {
            score: {
                ...{ patient, at, scale: setting, ...score },
                parts: parameterNames.map(name => partOf(name, known[name], parts[name], isFresh(name))),
                oldestAt: times.length > 0 ? Math.min(...times) : null,
            },
            last: news2(parametersOf(known), setting.scale),
        }
    }

    /** Which SpO₂ scale applies from now on. Throws ProblemError. */
    async setScale(patient: number, scale: SaturationScale, author: string): Promise<void> {
        await this.onWard(patient)
        await this.o.store.saturationScale.add(patient, { scale, author, madeAt: this.now() })
    }

    /** What a nurse has observed just now. Throws ProblemError. */
    async enter(patient: number, entry: BedsideEntry, author: string): Promise<void> {
        await this.onWard(patient)
        await this.o.bedside.add(patient, entry, author)
    }

    /** Hears of scores that have changed. Returns how to stop it. */
    subscribe(listener: (score: PatientScore) => void): () => void {
        this.listeners.add(listener)
        return () => void this.listeners.delete(listener)
    }

    tell(score: PatientScore): void {
        for (const listener of this.listeners) listener(score)
    }

    /**
     * The scores over time, in the steps that `measured` has, multiples of `stepMs`; those in which nothing was known are left out. By the scale
     * of today.
     */
    async history(o: {
        patient: number
        from: number
        before: number
        stepMs: number
        /** Means by step of time, as charts have them; what was measured before `from` may still count. */
        measured: (name: VitalName, from: number) => Promise<readonly { time: number; mean: number | null }[]>
    }): Promise<ScorePoint[]> {
        const { patient, from, before, stepMs } = o
        if (before - from > maxPoints * stepMs) throw new ProblemError("too-many-steps", { max: maxPoints })
        const scale = (await this.o.store.saturationScale.newest(patient))?.scale === 2 ? 2 : 1
        const columns = new Map<ParameterName, Known[]>()
        for (const name of bedsideNames) {
            const rows = await this.o.bedside.between(patient, name, from - enteredMs, before)
            columns.set(name, rows)
        }
        for (const [name, vital] of Object.entries(vitalOf) as [ParameterName, VitalName][]) {
            const rows = await o.measured(vital, from - Math.max(measuredMs, stepMs))
            const known = rows
                .filter(row => row.mean !== null)
                .map(row => ({ value: row.mean!, time: row.time, by: null }))
            columns.set(name, known)
        }
        const points: ScorePoint[] = []
        const at = new Map<ParameterName, number>()
        for (let time = from - (from % stepMs); time < before; time += stepMs) {
            const known: Partial<Record<ParameterName, Known>> = {}
            for (const [name, rows] of columns) {
                let i = at.get(name) ?? -1
                while (i + 1 < rows.length && rows[i + 1]!.time < time + stepMs) i++
                at.set(name, i)
                const row = rows[i]
                const validMs = name in vitalOf ? Math.max(measuredMs, stepMs) : enteredMs
                if (!row || time + stepMs - row.time > validMs) continue
                known[name] = name in vitalOf ? { ...row, value: medianUntil(rows, i) } : row
            }
            const times = Object.values(known).map(({ time }) => time)
            if (times.length === 0) continue
            const { total, atLeast } = news2(parametersOf(known), scale)
            points.push({ time, total, atLeast, oldestAt: Math.min(...times) })
        }
        return points
    }

    private async known(
        patient: number,
        at: number,
        isThorough: boolean,
    ): Promise<Partial<Record<ParameterName, Known>>> {
        const known: Partial<Record<ParameterName, Known>> = {}
        for (const name of bedsideNames) {
            const newest = await this.o.bedside.newest(patient, name, at)
            if (newest) known[name] = newest
        }
        for (const [name, vital] of Object.entries(vitalOf) as [ParameterName, VitalName][]) {
            const measured = await this.measured(patient, vital, at, isThorough)
            if (measured) known[name] = measured
        }
        return known
    }

    private async measured(
        patient: number,
        name: VitalName,
        at: number,
        isThorough: boolean,
    ): Promise<Known | undefined> {
        const range = { patient, name, from: at - lookBackMs, before: at + 1 }
        let values = await this.o.store.measurement.latest(range, medianValues)
        if (values.length === 0 && isThorough)
            values = await this.o.store.measurement.latest({ ...range, from: 0 }, medianValues)
        const [newest] = values
        if (!newest) return undefined
        const some = values.filter(({ time }) => newest.time - time < medianMs).map(({ value }) => value)
        return { value: median(some), time: newest.time, by: null }
    }

    /** How old a value may be to count, by parameter. */
    private async freshMs(
        patient: number,
        known: Partial<Record<ParameterName, Known>>,
        at: number,
    ): Promise<Record<ParameterName, number>> {
        const isOld = Object.keys(vitalOf).some(name => {
            const part = known[name as ParameterName]
            return part && at - part.time > measuredMs
        })
        const ms = isOld ? Math.max(measuredMs, await this.silentMs(patient)) : measuredMs
        return Object.fromEntries(parameterNames.map(name => [name, name in vitalOf ? ms : enteredMs])) as Record<
            ParameterName,
            number
        >
    }

    private async silentMs(patient: number): Promise<number> {
        const motes = (await this.o.motes.all()).filter(mote => mote.patient === patient)
        const each = await Promise.all(motes.map(mote => this.o.configurations.inForce(mote)))
        return Math.max(0, ...each.map(({ settings }) => silentMs(settings ?? defaultConfig)))
    }

    private async onWard(patient: number): Promise<void> {
        const found = await this.o.store.patient.get(patient)
        if (!found) throw new ProblemError("not-found", { what: "patient" })
        if (found.active !== 1) throw new ProblemError("not-on-the-ward")
    }

    private now(): number {
        return Math.trunc(this.o.clock.now())
    }
}

function parametersOf(known: Partial<Record<ParameterName, Known>>): Parameters {
    const value = (name: ParameterName) => known[name]?.value ?? null
    const level = value("consciousness")
    const oxygen = value("oxygen")
    return {
        respiration: value("respiration"),
        saturation: value("saturation"),
        oxygen: oxygen === null ? null : oxygen === 1,
        systolic: value("systolic"),
        pulse: value("pulse"),
        consciousness: level === null ? null : (consciousnessLevels[level] as Consciousness),
        temperature: value("temperature"),
    }
}

function partOf(name: ParameterName, known: Known | undefined, score: number | null, isFresh: boolean): Part {
    if (!known) return { name, score: null, value: null, time: null, by: null, isOld: false }
    const { value, time, by } = known
    const kind = name in bedsideKinds ? bedsideKinds[name as BedsideName] : undefined
    const shown = kind && "choices" in kind ? kind.choices[value]! : value
    return { name, score, value: shown, time, by, isOld: !isFresh }
}

/** Of what was measured so long until that row, as the score of now has it. */
function medianUntil(rows: readonly Known[], last: number): number {
    const values: number[] = []
    for (let i = last; i >= 0 && rows[last]!.time - rows[i]!.time < medianMs; i--) values.push(rows[i]!.value)
    return median(values)
}

function median(values: readonly number[]): number {
    const sorted = values.toSorted((a, b) => a - b)
    const middle = sorted.length >> 1
    return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
