import { InvalidArgumentError } from "commander"
import { madeUpBody, recordingFile, type Body } from "../sim/body/index.ts"
import { positive } from "./options.ts"

/** `FILE.csv@FS`: a recording and its sampling rate in Hz. */
export interface RecordingOption {
    file: string
    fs: number
}

/** The rate of a recording that names none: that at which the mote itself samples. */
const defaultFs = 25

/** Parses `FILE.csv[@FS]`. */
export function recordingOption(text: string): RecordingOption {
    const at = text.lastIndexOf("@")
    if (at < 0) return { file: text, fs: defaultFs }
    if (!text.slice(0, at)) throw new InvalidArgumentError("Expected FILE.csv or FILE.csv@HZ.")
    return { file: text.slice(0, at), fs: positive(text.slice(at + 1)) }
}

/** A wearer whose optical signal is a recording, from its start again when it ends. */
export function recordedWearer({ file, fs }: RecordingOption): Body {
    return recordingFile(file, fs, { loop: true })
}

/** A made-up wearer; the same mote always has the same. */
export function madeUpWearer(kid: string): Body {
    return madeUpBody(parseInt(kid.slice(-8), 16))
}
