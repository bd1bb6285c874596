/** What a mote can report, by SenML name (wire.md). */
export interface Quantity {
    /** SenML unit, RFC 8428 §12.1. */
    unit: string
    /** Values outside are a fault of the sensor or the mote, not of the patient. */
    plausible: { min: number; max: number }
}

/** Of a summary: a mote keeps readings for two days at most. */
export const maxSpanMs = 2 * 86_400_000

export const quantities: ReadonlyMap<string, Quantity> = new Map<string, Quantity>([
    ["hr", { unit: "beat/min", plausible: { min: 20, max: 300 } }],
    ["hr-q", { unit: "/", plausible: { min: 0, max: 1 } }],
    ["temp", { unit: "Cel", plausible: { min: 10, max: 50 } }],
    ["spo2", { unit: "%", plausible: { min: 30, max: 100 } }],
    ["motion", { unit: "/", plausible: { min: 0, max: 1 } }],
    ["batt", { unit: "%EL", plausible: { min: 0, max: 100 } }],
    ["count", { unit: "count", plausible: { min: 0, max: 2 ** 32 } }],
    ["span", { unit: "s", plausible: { min: 0, max: maxSpanMs / 1000 } }],
    ["lost", { unit: "count", plausible: { min: 0, max: 2 ** 32 } }],
    // Of a summary (docs/link.md), at the time of its middle, where `hr`, `temp` and `spo2` are means.
    ["span", { unit: "s", plausible: { min: 0, max: 2 ** 16 } }],
    ["count", { unit: "count", plausible: { min: 1, max: 2 ** 16 } }],
    ...["hr", "temp", "spo2"].map((name): [string, Quantity] => [
        `${name}-n`,
        { unit: "count", plausible: { min: 1, max: 2 ** 16 } },
    ]),
    ...["-min", "-max"].flatMap((end): [string, Quantity][] => [
        [`hr${end}`, { unit: "beat/min", plausible: { min: 20, max: 300 } }],
        [`temp${end}`, { unit: "Cel", plausible: { min: 10, max: 50 } }],
        [`spo2${end}`, { unit: "%", plausible: { min: 30, max: 100 } }],
    ]),
])

/** The names that are a patient's vital signs; the others are about the mote. */
export const vitalNames = ["hr", "temp", "spo2"] as const
export type VitalName = (typeof vitalNames)[number]

export function isVitalName(name: string): name is VitalName {
    return (vitalNames as readonly string[]).includes(name)
}
