/*
 * The observations that a nurse enters at the bedside because no mote measures them. The clinic, its page and the documentation
 * derive from this table. It imports nothing, so that a page can bundle it.
 */

/** The ACVPU scale: alert, new confusion, responds to voice, responds to pain, unresponsive. The index is stored. */
export const consciousnessLevels = ["alert", "confusion", "voice", "pain", "unresponsive"] as const
export type Consciousness = (typeof consciousnessLevels)[number]

/** A kind of observation: a number with a unit, or an enumeration that is stored as 0, 1, … */
export interface BedsideKind {
    readonly label: string
    /** The unit for people, empty if there is none. */
    readonly unit: string
    /** The unit in UCUM, empty if there is none. */
    readonly ucum: string
    /** The smallest accepted value, a whole number. Values out of range are typing errors. */
    readonly min: number
    /** The largest accepted value, a whole number. */
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
