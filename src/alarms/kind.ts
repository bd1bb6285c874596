/** Kinds of alarms. These numbers are in flash: a new kind comes last, before `count`. */
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
    /** How many kinds there are. */
    count,
}

/** Name and unit of what raises it, where there is a value; made where it is needed, which is rarely: memory is scarce. */
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
