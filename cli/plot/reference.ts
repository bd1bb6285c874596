import { existsSync } from "node:fs"
import { readBounded } from "../../host/bounded-file.ts"
import { UserError } from "../../host/errors.ts"

/** A heart rate measured by another device together with the recording. */
export interface Reference {
    /** The length of a window in seconds. */
    windowS: number
    /** The time between two windows in seconds. */
    hopS: number
    /** The rates of the windows in beats per minute, null if unknown. The first window ends after `windowS`. */
    bpm: (number | null)[]
}

const maxBytes = 16_000_000
const maxBpm = 1000

/**
 * Reads the reference from NAME.json beside the recording NAME.csv. Returns undefined if there is none with `ref_bpm`.
 */
export function referenceBeside(file: string): Reference | undefined {
    const beside = `${file.replace(/\.[^./\\]+$/, "")}.json`
    if (beside === file || !existsSync(beside)) return undefined
    const text = readSmall(beside)
    return "ref_bpm" in parseObject(text, beside) ? parseReference(text, beside) : undefined
}

/**
 * Reads a reference: a JSON object with `ref_bpm`, one rate or null per window, and optionally `window_s` and `hop_s`
 * in seconds, by default 8 and 2.
 * @throws UserError if the file cannot be read or is malformed
 */
export function referenceFile(file: string): Reference {
    return parseReference(readSmall(file), file)
}

/** Parses the text of a reference file. `name` is for errors. */
export function parseReference(text: string, name: string): Reference {
    const json = parseObject(text, name)
    const { ref_bpm: bpm, window_s: windowS = 8, hop_s: hopS = 2 } = json
    if (!Array.isArray(bpm) || !bpm.every(isRate))
        throw new UserError(`${name}: ref_bpm: a list of beats per minute or null expected`)
    if (!isSeconds(windowS) || !isSeconds(hopS)) throw new UserError(`${name}: window_s, hop_s: seconds expected`)
    return { windowS, hopS, bpm }
}

/** Returns the rate of the window whose end is nearest to `t`, or null if it is unknown. */
export function referenceAt({ windowS, hopS, bpm }: Reference, t: number): number | null {
    return bpm[Math.round((t - windowS) / hopS)] ?? null
}

function readSmall(file: string): string {
    return readBounded(file, maxBytes).toString("utf8")
}

function parseObject(text: string, name: string): Record<string, unknown> {
    try {
        const json: unknown = JSON.parse(text)
        if (json && typeof json === "object") return json as Record<string, unknown>
    } catch {
        // The error is thrown below.
    }
    throw new UserError(`${name} is not a JSON object`)
}

function isRate(value: unknown): value is number | null {
    return value === null || (typeof value === "number" && value > 0 && value < maxBpm)
}

function isSeconds(value: unknown): value is number {
    return typeof value === "number" && value > 0 && Number.isFinite(value)
}
