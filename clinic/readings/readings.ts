import { isCount } from "../../wire/cbor.ts"
import type { Measurement } from "../../wire/pack.ts"
import { isVitalName, quantityOf, summarySuffixes } from "../../wire/tables/quantities.ts"

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
    /** The value is the mean of many readings; null for a single one. */
    summary: Summary | null
    /** Unix time in milliseconds; of a summary, its middle. */
    time: number
    /** `time` was counted back from the arrival. */
    relative: boolean
    /** Why this is not shown as a vital sign. */
    problem: string | null
}

/** Readings that had no room in the mote's memory one by one (docs/link.md, "Summaries"). */
export interface Summary {
    /** Readings that had the value. */
    count: number
    least: number
    greatest: number
    /** From the first of them to the last, ms. */
    spanMs: number
}

/** A mote's clock comes from receipts; further ahead than this it is wrong. */
const maxAheadMs = 5 * 60_000

/**
 * Turns the measurements of one pack into readings. Where the wearer moved there is a heart-rate reading without a value
 * (docs/wire.md, "Vitals"); a heart rate given all the same is kept with a problem. `receivedAt` in unix ms.
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
    const { summaries, details } = summariesIn(pack, receivedAt)
    const readings: Reading[] = []
    const add = (m: Measurement, change: Partial<Reading>) =>
        readings.push({
            name: m.name,
            unit: m.unit,
            value: m.value,
            absent: null,
            quality: null,
            summary: null,
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
        if (details.has(m)) continue
        const summary = summaries.get(m)
        if (problemOf(m, receivedAt)) add(m, {})
        else if (summary) add(m, { summary })
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

/**
 * The means in a pack, each with its summary, and the records that are said with that. A summary has a `span`, and for each
 * quantity its least and greatest value and its count, all at the same time; where one is missing, records stay as they are.
 */
function summariesIn(
    pack: Measurement[],
    receivedAt: number,
): { summaries: Map<Measurement, Summary>; details: Set<Measurement> } {
    const summaries = new Map<Measurement, Summary>()
    const details = new Set<Measurement>()
    const key = (time: number, name: string) => `${time} ${name}`
    /** The first of its name and time, so that a pack costs no more than it has records. */
    const first = new Map<string, Measurement>()
    for (const m of pack) if (!first.has(key(m.time, m.name))) first.set(key(m.time, m.name), m)
    for (const m of pack) {
        const span = first.get(key(m.time, "span"))
        if (!span || !isVitalName(m.name) || problemOf(span, receivedAt)) continue
        const detail = (suffix: string) => first.get(key(m.time, m.name + suffix))
        const least = detail(summarySuffixes.least)
        const greatest = detail(summarySuffixes.greatest)
        const count = detail(summarySuffixes.count)
        if (!least || !greatest || !count || !isCount(count.value) || count.value === 0) continue
        const parts = [m, least, greatest].map(part => ({ ...part, name: m.name }))
        if (parts.some(part => problemOf(part, receivedAt))) continue
        if (least.value > m.value || m.value > greatest.value) continue
        summaries.set(m, {
            ...{ count: count.value, least: least.value, greatest: greatest.value },
            spanMs: Math.round(span.value * 1000),
        })
        for (const part of [least, greatest, count, span]) details.add(part)
    }
    return { summaries, details }
}

/** The problem never quotes the value: it is a vital sign, and problems are logged. */
function problemOf(m: Measurement, receivedAt: number): string | null {
    if (m.time > receivedAt + maxAheadMs) return `${m.name} is from the future`
    const quantity = quantityOf(m.name)
    if (!quantity) return null
    const { min, max } = quantity.plausible
    if (m.value < min || m.value > max) return `${m.name} is not plausible`
    return null
}
