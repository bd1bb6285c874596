/*
 * What a nurse observes at the bedside, and no mote measures: the one table that clinic, page and documentation derive theirs from.
 * It imports nothing, so that a page can bundle it.
 */

/** ACVPU: alert, new confusion, responds to voice, to pain, unresponsive. Stored as the place in this list. */
export const consciousnessLevels = ["alert", "confusion", "voice", "pain", "unresponsive"] as const
export type Consciousness = (typeof consciousnessLevels)[number]

/** A number with its unit, or one of some choices, which are stored as 0, 1, … */
export interface BedsideKind {
    readonly label: string
    /** As people read it, and as UCUM writes it; empty where there is none. */
    readonly unit: string
    readonly ucum: string
    /** Whole numbers; anything outside is a slip of the finger. */
    readonly min: number
    readonly max: number
    readonly choices?: readonly string[]
}

export const bedsideKinds = {
    respiration: { label: "Breathing rate", unit: "/min", ucum: "/min", min: 0, max: 80 },
    systolic: { label: "Systolic blood pressure", unit: "mmHg", ucum: "mm[Hg]", min: 30, max: 300 },
    oxygen: { label: "Oxygen", unit: "", ucum: "", min: 0, max: 1, choices: ["air", "oxygen"] },
    consciousness: { label: "Consciousness", unit: "", ucum: "", min: 0, max: 4, choices: consciousnessLevels },
} as const satisfies Record<string, BedsideKind>

export type BedsideName = keyof typeof bedsideKinds
export const bedsideNames = Object.keys(bedsideKinds) as readonly BedsideName[]

export function isBedsideName(name: string): name is BedsideName {
    return Object.hasOwn(bedsideKinds, name)
}
