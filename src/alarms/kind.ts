/** Kinds of alarms. The numbers are stored in flash: add a new kind at the end, before `count`. */
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

/**
 * Name and unit of the value that raises the alarm. Created on demand, because it is rarely needed and memory is
 * scarce.
 */
export function describe(kind: Kind): string[] {
    switch (kind) {
        case Kind.hrLow:
            return ["hr-low", "beat/min"]
        case Kind.hrHigh:
            return ["hr-high", "beat/min"]
        case Kind.tempLow:
            return ["temp-low", "Cel"]
        case Kind.tempHigh:
            return ["temp-high", "Cel"]
        case Kind.optical:
            return ["optical"]
        case Kind.thermometer:
            return ["thermometer"]
        case Kind.contact:
            return ["contact"]
        case Kind.battery:
            return ["battery", "%EL"]
        case Kind.spo2Low:
            return ["spo2-low", "%"]
    }
    return undefined
}
