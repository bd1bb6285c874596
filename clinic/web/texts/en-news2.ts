import type { Consciousness } from "../../../wire/tables/bedside.ts"
import type { Score, ScorePart } from "../../http/schemas/news2.ts"

const names: Record<ScorePart["name"], string> = {
    respiration: "Breathing rate",
    saturation: "Oxygen saturation",
    oxygen: "Air or oxygen",
    systolic: "Systolic pressure",
    pulse: "Pulse",
    consciousness: "Consciousness",
    temperature: "Temperature",
}
const levels: Record<Consciousness, string> = {
    alert: "Alert",
    confusion: "Confused (new)",
    voice: "Voice",
    pain: "Pain",
    unresponsive: "Unresponsive",
}
const risks: Record<NonNullable<Score["risk"]>, string> = {
    low: "low risk",
    lowMedium: "a single 3: low to medium risk",
    medium: "medium risk: urgent response",
    high: "high risk: emergency response",
}

/** NEWS2 on the patient's page. */
export const news2 = {
    heading: "NEWS2",
    parts: "NEWS2: what it is made of",
    name: (name: ScorePart["name"]): string => names[name],
    level: (level: Consciousness): string => levels[level],
    gas: (gas: "air" | "oxygen"): string => (gas === "air" ? "Air" : "Oxygen"),
    risk: (risk: NonNullable<Score["risk"]>): string => risks[risk],
    none: "–",
    atLeast: (sum: string) => `${sum} or more`,
    incomplete: (sum: string) => `${sum}, not complete`,
    withAge: (sum: string, age: string) => `${sum}, oldest value ${age} old`,
    missing: (what: string) => `Missing: ${what}`,
    complete: (age: string) => `Oldest value ${age}`,
    column: {
        parameter: "Parameter",
        value: "Value (measured: median of 2 min)",
        score: "Score",
        since: "Known since",
    },
    measured: (ago: string) => ago,
    entered: (ago: string, by: string) => `${ago}, ${by}`,
    tooOld: (when: string) => `too old: ${when}`,
    unknown: "not known",
    observe: "Observed now",
    perMinute: "/min",
    pressure: "mmHg",
    last: (value: string, ago: string) => `last ${value}, ${ago}`,
    record: "Record",
    recorded: "Recorded.",
    notRecorded: (why: string) => `Not recorded: ${why}`,
    notLoaded: (why: string) => `The score could not be loaded: ${why}`,
    scale: "SpO₂ scale",
    scaleName: (scale: 1 | 2): string => (scale === 1 ? "1" : "2 (target 88–92 %)"),
    scaleBy: (by: string, when: string) => `chosen by ${by}, ${when}`,
    scaleSure:
        "Scale 2 is for a prescribed target of 88 to 92 % in hypercapnic respiratory failure only. Use it for this patient?",
}
