import { InvalidArgumentError } from "commander"
import { UserError } from "../host/errors.ts"
import { accelerationFile, type AccelerationUnit, type Body, madeUpBody, recordingFile } from "../sim/index.ts"
import { positive } from "./options.ts"

/** `FILE.csv@FS`: a recording and its sampling rate in Hz. */
export interface RecordingOption {
    file: string
    fs?: number
}

export interface RecordedWearer {
    ppg?: RecordingOption
    acc?: RecordingOption
    accUnit?: AccelerationUnit
}

/** The rate of a recording that has no column of times and no `@HZ`: that at which the mote itself samples. */
const defaultFs = 25

/** Parses `FILE.csv[@FS]`. */
export function recordingOption(text: string): RecordingOption {
    const at = text.lastIndexOf("@")
    if (at < 0) return { file: text }
    if (!text.slice(0, at)) throw new InvalidArgumentError("Expected FILE.csv or FILE.csv@HZ.")
    return { file: text.slice(0, at), fs: positive(text.slice(at + 1)) }
}

/**
 * A wearer whose optical signal, and acceleration if there is one, is a recording, from its start again when it ends.
 * @returns undefined where there is none @throws UserError
 */
export function recordedWearer({ ppg, acc, accUnit }: RecordedWearer): Body | undefined {
    if (acc && !ppg) throw new UserError("--acc goes with --ppg", 2)
    if (accUnit && !acc) throw new UserError("--acc-unit goes with --acc", 2)
    if (!ppg) return undefined
    const { file, fs } = ppg
    const acceleration = acc && accelerationFile(acc.file, acc.fs, accUnit, { defaultRate: fs ?? defaultFs })
    return recordingFile(file, fs, { loop: true, acceleration, defaultRate: defaultFs })
}

/** A made-up wearer; the same mote always has the same. */
export function madeUpWearer(kid: string): Body {
    return madeUpBody(parseInt(kid.slice(-8), 16))
}
