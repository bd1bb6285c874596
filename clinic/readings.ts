import type { Measurement } from "../wire/senml.ts"
import { quantities } from "./quantities.ts"

/** Why there is no value: the wearer moved, or the signal was too weak. */
export type Absence = "motion" | "quality"

/** What is stored of a pack: a value, or the reason for its absence. */
export interface Reading {
    /** SenML name; `hr-q` and `motion` are folded into the `hr` that they belong to. */
    name: string
    /** SenML unit. */
    unit: string
    value: number | null
    absent: Absence | null
    /** Signal quality 0…1 where the mote gave it. */
    quality: number | null
    /** Unix time in milliseconds. */
    time: number
    /** `time` was counted back from the arrival. */
    relative: boolean
    /** Why this is not shown as a vital sign. */
    problem: string | null
}

/** A mote's clock comes from receipts; further ahead than this it is wrong. */
const maxAheadMs = 5 * 60_000

/**
 * Turns the measurements of one pack into readings. Where the wearer moved there is a heart-rate reading without a value
 * (wire.md); a heart rate given all the same is kept with a problem. `receivedAt` in unix ms.
 */
export function toReadings(pack: Measurement[], receivedAt: number): Reading[] {
    const quality = new Map<number, number>()
    const motion = new Set<number>()
    const rated = new Set<number>()
    for (const m of pack) {
        if (problemOf(m, receivedAt)) continue
        if (m.name === "hr-q") quality.set(m.time, m.value)
        else if (m.name === "motion" && m.value === 1) motion.add(m.time)
        else if (m.name === "hr") rated.add(m.time)
    }
    const readings: Reading[] = []
    const add = (m: Measurement, change: Partial<Reading>) =>
        readings.push({
            name: m.name,
            unit: m.unit,
            value: m.value,
            absent: null,
            quality: null,
            time: m.time,
            relative: m.relative,
            problem: problemOf(m, receivedAt),
            ...change,
        })
    const addAbsent = (m: Measurement, absent: Absence) =>
        add(m, {
            ...{ name: "hr", unit: "beat/min", value: null, absent },
            quality: quality.get(m.time) ?? null,
        })
    for (const m of pack) {
        if (problemOf(m, receivedAt)) add(m, {})
        else if (m.name === "motion") {
            if (m.value === 1) addAbsent(m, "motion")
        } else if (m.name === "hr-q") {
            if (!rated.has(m.time) && !motion.has(m.time)) addAbsent(m, "quality")
        } else if (m.name === "hr") {
            const problem = motion.has(m.time) ? "a heart rate in spite of motion" : null
            add(m, { quality: quality.get(m.time) ?? null, problem })
        } else add(m, {})
    }
    return readings
}

/** The problem never quotes the value: it is a vital sign, and problems are logged. */
function problemOf(m: Measurement, receivedAt: number): string | null {
    if (m.time > receivedAt + maxAheadMs) return `${m.name} is from the future`
    const quantity = quantities.get(m.name)
    if (!quantity) return null
    if (m.unit !== quantity.unit) return `${m.name} has an unknown unit`
    const { min, max } = quantity.plausible
    if (m.value < min || m.value > max) return `${m.name} is not plausible`
    return null
}
