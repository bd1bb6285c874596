import { beginArray, endArray, writeNumber } from "./cbor"

/** Why the mote refuses a configuration or command; see docs/wire.md, "Refusals", for the parameters. */
export const enum RefusalCode {
    notAuthentic = 1,
    versionOld = 2,
    busy = 3,
    otherCommand = 4,
    malformed = 5,
    tooLong = 6,
    unknownSetting = 7,
    outOfRange = 8,
    conflict = 9,
    notARouter = 10,
    takenBack = 11,
    flashFull = 12,
    noReceipt = 13,
    restartedOnTrial = 14,
    unreachable = 15,
}

/** Encodes a refusal: a CBOR array of its code and parameters. */
export function makeRefusal(code: RefusalCode, parameters: number[] = []): Buffer {
    beginArray()
    writeNumber(code)
    for (const parameter of parameters) writeNumber(parameter)
    return endArray(1 + parameters.length)
}

/** The code of a refusal. */
export function codeOf(refusal: Buffer): RefusalCode {
    return refusal[1]
}
