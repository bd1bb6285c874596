/*
 * The quantities that a mote reports, by SenML name, and their units. The clinic, its page and the documentation derive
 * from this table. It imports nothing, so that a page can bundle it.
 */

/** A SenML unit (RFC 8428 §12.1) in writing, in speech and in UCUM. */
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

/** Returns a SenML unit as people write it. A unit that is not in the table stays as it is. */
export function unitText(unit: string): string {
    return Object.hasOwn(units, unit) ? units[unit as UnitName].text : unit
}

export interface Quantity {
    readonly label: string
    /** A shorter label for where there is little room. */
    readonly short?: string
    readonly unit: UnitName
    /** The number of decimals shown to people. */
    readonly digits: number
    /** On the wire, a value is a whole number of this fraction of the unit: 10 stands for tenths. */
    readonly perUnit: number
    /** The column in a pack. Absent: it is not said of each reading. */
    readonly column?: number
    /** Values outside this range show a fault of the sensor or the mote, not a condition of the patient. */
    readonly plausible: { readonly min: number; readonly max: number }
    /** True for a patient's vital sign. The other quantities describe the mote or the signal. */
    readonly isVital?: true
    /** True if nobody has compared the values with a reference. Wherever one is shown, this is said. */
    readonly isUncalibrated?: true
}

/** The longest time that a summary spans, because a mote keeps readings for at most two days. */
export const maxSpanMs = 2 * 86_400_000
/** The maximum number of readings in a summary, because a mote counts them in 16 bits. */
const maxSummaryCount = 2 ** 16 - 1

/** The quantities in a mote's envelopes; docs/wire.md, "Vitals". */
export const quantities = {
    hr: {
        ...{ label: "Heart rate", short: "Heart rate", unit: "beat/min", digits: 0, isVital: true },
        ...{ column: 0, perUnit: 10, plausible: { min: 20, max: 300 } },
    },
    spo2: {
        ...{ label: "Oxygen saturation", short: "SpO₂", unit: "%", digits: 0, isVital: true },
        ...{ column: 4, perUnit: 1, plausible: { min: 30, max: 100 }, isUncalibrated: true },
    },
    temp: {
        ...{ label: "Body temperature", short: "Temperature", unit: "Cel", digits: 1, isVital: true },
        ...{ column: 3, perUnit: 100, plausible: { min: 10, max: 50 } },
    },
    "hr-q": {
        ...{ label: "Signal quality", unit: "/", digits: 2 },
        ...{ column: 1, perUnit: 100, plausible: { min: 0, max: 1 } },
    },
    motion: {
        ...{ label: "Too much motion for a heart rate", unit: "/", digits: 0 },
        ...{ column: 2, perUnit: 1, plausible: { min: 0, max: 1 } },
    },
    batt: { label: "Battery", unit: "%EL", digits: 0, perUnit: 1, plausible: { min: 0, max: 100 } },
    lost: {
        ...{ label: "Readings lost on the mote", unit: "count", digits: 0 },
        ...{ perUnit: 1, plausible: { min: 0, max: 2 ** 32 } },
    },
    span: {
        ...{ label: "Time that a summary spans", unit: "s", digits: 0 },
        ...{ column: 5, perUnit: 16, plausible: { min: 0, max: maxSpanMs / 1000 } },
    },
    count: {
        ...{ label: "Readings in a summary", unit: "count", digits: 0 },
        ...{ column: 6, perUnit: 1, plausible: { min: 1, max: maxSummaryCount } },
    },
} as const satisfies Record<string, Quantity>

export type QuantityName = keyof typeof quantities

/** The names of the vital signs. */
export type VitalName = {
    [N in QuantityName]: (typeof quantities)[N] extends { isVital: true } ? N : never
}[QuantityName]

/** The vital signs, in display order. */
export const vitalNames = Object.keys(quantities).filter(
    name => (quantities as Record<string, Quantity>)[name]!.isVital,
) as readonly VitalName[]

export function isVitalName(name: string): name is VitalName {
    return (vitalNames as readonly string[]).includes(name)
}

/**
 * Suffixes of a summary's records beside the mean: least value, greatest value, and number of readings with a value.
 */
export const summarySuffixes = { least: "-min", greatest: "-max", count: "-n" } as const
/** What is added to the column of a vital sign for these records. */
const summaryColumns = { least: 32, greatest: 64, count: 96 } as const

const { column: _, ...readingCount } = quantities.count
const bySummaryName = new Map(
    vitalNames.flatMap((name): [string, Quantity][] => {
        const quantity = quantities[name]
        const at = (part: keyof typeof summaryColumns) => ({ column: quantity.column + summaryColumns[part] })
        return [
            [name + summarySuffixes.least, { ...quantity, ...at("least") }],
            [name + summarySuffixes.greatest, { ...quantity, ...at("greatest") }],
            [name + summarySuffixes.count, { ...readingCount, label: "Readings with a value", ...at("count") }],
        ]
    }),
)

/** The names of what a pack says of each reading, by column. */
export const namesByColumn: ReadonlyMap<number, string> = new Map(
    [...Object.entries<Quantity>(quantities), ...bySummaryName].flatMap(([name, { column }]): [number, string][] =>
        column === undefined ? [] : [[column, name]],
    ),
)

/** Returns the quantity of a SenML name, including those of summaries; undefined for an unknown name. */
export function quantityOf(name: string): Quantity | undefined {
    if (Object.hasOwn(quantities, name)) return quantities[name as QuantityName]
    return bySummaryName.get(name)
}
