/**
 * Kinds of alarms, by their numbers in wire/tables/alarm-kinds.ts. They are also stored in flash: add a new kind at the
 * end, before `count`.
 */
export const enum Kind {
    hrLow,
    hrHigh,
    tempLow,
    tempHigh,
    optical,
    thermometer,
    contact,
    battery,
    spo2Low,
    /** Number of kinds. */
    count,
}

/** In how many parts a unit of the value that raises the alarm is sent and stored. */
export function partsOf(kind: Kind): number {
    if (kind === Kind.hrLow || kind === Kind.hrHigh) return 10
    return kind === Kind.tempLow || kind === Kind.tempHigh ? 100 : 1
}
