/*
 * NEWS2, the National Early Warning Score of the Royal College of Physicians (2017, chart 1): seven sub-scores and their sum. A
 * missing parameter has no sub-score, and a score with a missing parameter has no total: none is ever made up.
 */
import type { Consciousness } from "../../wire/tables/bedside.ts"

/** What a score is computed from; null where it is not known. */
export interface Parameters {
    /** Breaths a minute. */
    respiration: number | null
    /** Oxygen saturation in percent. */
    saturation: number | null
    /** Whether the patient breathes supplemental oxygen. */
    oxygen: boolean | null
    /** Systolic blood pressure in mmHg. */
    systolic: number | null
    /** Beats a minute. */
    pulse: number | null
    consciousness: Consciousness | null
    /** Degrees Celsius. */
    temperature: number | null
}

/** Which SpO₂ scale applies: 2 only for confirmed hypercapnic respiratory failure with a prescribed target of 88 to 92 %. */
export type SaturationScale = 1 | 2

export type ParameterName = keyof Parameters
export const parameterNames: readonly ParameterName[] = [
    "respiration",
    "saturation",
    "oxygen",
    "systolic",
    "pulse",
    "consciousness",
    "temperature",
]

/** The clinical risk of chart 2: `lowMedium` is a sum of 0 to 4 with a single 3. */
export type Risk = "low" | "lowMedium" | "medium" | "high"

export interface Score {
    /** 0 to 3 each; null where the parameter is missing. */
    parts: Record<ParameterName, number | null>
    missing: ParameterName[]
    /** 0 to 20; null while a parameter is missing. */
    total: number | null
    /** Of the known ones: the total is this or more. */
    atLeast: number
    /**
     * Of the total. While a parameter is missing it is the risk that the known ones give already, since a missing one can only
     * raise it; null where that is no more than low.
     */
    risk: Risk | null
}

/** A row of the chart: up to and including `to` the sub-score is `score`; the last row has no bound. */
type Row = readonly [to: number, score: number]

const respiration: readonly Row[] = [
    [8, 3],
    [11, 1],
    [20, 0],
    [24, 2],
    [Infinity, 3],
]
const saturation1: readonly Row[] = [
    [91, 3],
    [93, 2],
    [95, 1],
    [Infinity, 0],
]
const saturation2Air: readonly Row[] = [
    [83, 3],
    [85, 2],
    [87, 1],
    [Infinity, 0],
]
const saturation2Oxygen: readonly Row[] = [
    [83, 3],
    [85, 2],
    [87, 1],
    [92, 0],
    [94, 1],
    [96, 2],
    [Infinity, 3],
]
const systolic: readonly Row[] = [
    [90, 3],
    [100, 2],
    [110, 1],
    [219, 0],
    [Infinity, 3],
]
const pulse: readonly Row[] = [
    [40, 3],
    [50, 1],
    [90, 0],
    [110, 1],
    [130, 2],
    [Infinity, 3],
]
const temperature: readonly Row[] = [
    [35, 3],
    [36, 1],
    [38, 0],
    [39, 1],
    [Infinity, 2],
]

const oxygenScore = 2
const notAlertScore = 3
export const mediumFrom = 5
export const highFrom = 7
export const singleThree = 3

/** The score of these parameters; values are rounded as the chart is read: whole numbers, tenths of a degree. */
export function news2(values: Parameters, scale: SaturationScale): Score {
    const { oxygen, consciousness } = values
    const parts: Score["parts"] = {
        respiration: look(respiration, values.respiration, 1),
        saturation: saturationScore(values.saturation, oxygen, scale),
        oxygen: oxygen === null ? null : oxygen ? oxygenScore : 0,
        systolic: look(systolic, values.systolic, 1),
        pulse: look(pulse, values.pulse, 1),
        consciousness: consciousness === null ? null : consciousness === "alert" ? 0 : notAlertScore,
        temperature: look(temperature, values.temperature, 10),
    }
    const missing = parameterNames.filter(name => parts[name] === null)
    const known = parameterNames.map(name => parts[name]).filter(part => part !== null)
    const sum = known.reduce((all, part) => all + part, 0)
    const risk = riskOf(sum, known.includes(singleThree))
    if (missing.length === 0) return { parts, missing, total: sum, atLeast: sum, risk }
    return { parts, missing, total: null, atLeast: sum, risk: risk === "low" ? null : risk }
}

function riskOf(sum: number, hasSingleThree: boolean): Risk {
    if (sum >= highFrom) return "high"
    if (sum >= mediumFrom) return "medium"
    return hasSingleThree ? "lowMedium" : "low"
}

/** On scale 2 the sub-score from 93 % on depends on whether the patient breathes oxygen: while that is unknown there is none. */
function saturationScore(value: number | null, oxygen: boolean | null, scale: SaturationScale): number | null {
    if (scale === 1) return look(saturation1, value, 1)
    const onAir = look(saturation2Air, value, 1)
    const onOxygen = look(saturation2Oxygen, value, 1)
    if (oxygen === null) return onAir === onOxygen ? onAir : null
    return oxygen ? onOxygen : onAir
}

function look(rows: readonly Row[], value: number | null, perUnit: number): number | null {
    if (value === null || !Number.isFinite(value)) return null
    const read = Math.round(value * perUnit) / perUnit
    return rows.find(([to]) => read <= to)![1]
}
