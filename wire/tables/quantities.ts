/*
 * What a mote can report, by SenML name, and the units it reports it in: the one table that clinic, page and documentation
 * derive theirs from. It imports nothing, so that a page can bundle it.
 */

/** A SenML unit (RFC 8428 §12.1) as people read and hear it, and as UCUM writes it. */
export interface Unit {
    readonly text: string
    readonly spoken: string
    readonly ucum: string
}

export const units = {
    "beat/min": { text: "/min", spoken: "beats per minute", ucum: "/min" },
    Cel: { text: "°C", spoken: "degrees Celsius", ucum: "Cel" },
    "%": { text: "%", spoken: "percent", ucum: "%" },
    "%EL": { text: "%", spoken: "percent", ucum: "%" },
    "/": { text: "", spoken: "", ucum: "1" },
    count: { text: "", spoken: "", ucum: "1" },
    s: { text: "s", spoken: "seconds", ucum: "s" },
} as const satisfies Record<string, Unit>

export type UnitName = keyof typeof units

/** How people write a SenML unit; one that is not in the table stays as it is. */
export function unitText(unit: string): string {
    return Object.hasOwn(units, unit) ? units[unit as UnitName].text : unit
}

export interface Quantity {
    readonly label: string
    /** Where there is little room. */
    readonly short?: string
    readonly unit: UnitName
    /** Digits behind the point that people are shown. */
    readonly digits: number
    /** Values outside are a fault of the sensor or the mote, not of the patient. */
    readonly plausible: { readonly min: number; readonly max: number }
    /** A vital sign of the patient; the others are about the mote or about the signal. */
    readonly isVital?: true
}

/** The longest that a summary spans: a mote keeps readings for two days at most. */
export const maxSpanMs = 2 * 86_400_000
/** The most readings in a summary: a mote counts them in 16 bits. */
const maxSummaryCount = 2 ** 16 - 1

/** What a mote says in its envelopes; docs/wire.md, "Vitals". */
export const quantities = {
    hr: {
        ...{ label: "Heart rate", short: "Heart rate", unit: "beat/min", digits: 0, isVital: true },
        plausible: { min: 20, max: 300 },
    },
    spo2: {
        ...{ label: "Oxygen saturation", short: "SpO₂", unit: "%", digits: 0, isVital: true },
        plausible: { min: 30, max: 100 },
    },
    temp: {
        ...{ label: "Body temperature", short: "Temperature", unit: "Cel", digits: 1, isVital: true },
        plausible: { min: 10, max: 50 },
    },
    "hr-q": { label: "Signal quality", unit: "/", digits: 2, plausible: { min: 0, max: 1 } },
    motion: { label: "Too much motion for a heart rate", unit: "/", digits: 0, plausible: { min: 0, max: 1 } },
    batt: { label: "Battery", unit: "%EL", digits: 0, plausible: { min: 0, max: 100 } },
    lost: { label: "Readings lost on the mote", unit: "count", digits: 0, plausible: { min: 0, max: 2 ** 32 } },
    span: { label: "Time that a summary spans", unit: "s", digits: 0, plausible: { min: 0, max: maxSpanMs / 1000 } },
    count: { label: "Readings in a summary", unit: "count", digits: 0, plausible: { min: 1, max: maxSummaryCount } },
} as const satisfies Record<string, Quantity>

export type QuantityName = keyof typeof quantities

/** The vital signs, in the order in which they are shown. */
export type VitalName = {
    [N in QuantityName]: (typeof quantities)[N] extends { isVital: true } ? N : never
}[QuantityName]

export const vitalNames = Object.keys(quantities).filter(
    name => (quantities as Record<string, Quantity>)[name]!.isVital,
) as readonly VitalName[]

export function isVitalName(name: string): name is VitalName {
    return (vitalNames as readonly string[]).includes(name)
}

/** What a summary says about each vital sign beside its mean: least, greatest, and how many readings had it. */
export const summarySuffixes = { least: "-min", greatest: "-max", count: "-n" } as const

const summaryCount: Quantity = { ...quantities.count, label: "Readings that had it" }
const bySummaryName = new Map(
    vitalNames.flatMap((name): [string, Quantity][] => [
        [name + summarySuffixes.least, quantities[name]],
        [name + summarySuffixes.greatest, quantities[name]],
        [name + summarySuffixes.count, summaryCount],
    ]),
)

/** The quantity of a SenML name, those of summaries included; undefined for a name that is not in the table. */
export function quantityOf(name: string): Quantity | undefined {
    if (Object.hasOwn(quantities, name)) return quantities[name as QuantityName]
    return bySummaryName.get(name)
}
