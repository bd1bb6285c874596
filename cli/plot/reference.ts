import { existsSync } from "node:fs"
import { readBounded } from "../../host/bounded-file.ts"
import { UserError } from "../../host/errors.ts"

/** A heart rate that somebody else measured beside the recording, by windows. */
export interface Reference {
    windowS: number
    hopS: number
    /** Beats per minute of the windows, null where nobody knows; the first ends after `windowS`. */
    bpm: (number | null)[]
}

const maxBytes = 16_000_000
const maxBpm = 1000

/** That of the JSON file beside a recording, NAME.json for NAME.csv; undefined where there is none with `ref_bpm`. */
export function referenceBeside(file: string): Reference | undefined {
    const beside = `${file.replace(/\.[^./\\]+$/, "")}.json`
    if (beside === file || !existsSync(beside)) return undefined
    const text = readSmall(beside)
    return "ref_bpm" in parseObject(text, beside) ? parseReference(text, beside) : undefined
}

/**
 * A JSON object with `ref_bpm`, one rate or null for each window; `window_s` and `hop_s` in seconds are 8 and 2 unless it
 * says otherwise.
 * @throws UserError when the file cannot be read or is something else
 */
export function referenceFile(file: string): Reference {
    return parseReference(readSmall(file), file)
}

/** As `referenceFile`, of its text. */
export function parseReference(text: string, name: string): Reference {
    const json = parseObject(text, name)
    const { ref_bpm: bpm, window_s: windowS = 8, hop_s: hopS = 2 } = json
    if (!Array.isArray(bpm) || !bpm.every(isRate))
        throw new UserError(`${name}: ref_bpm: a list of beats per minute or null expected`)
    if (!isSeconds(windowS) || !isSeconds(hopS)) throw new UserError(`${name}: window_s, hop_s: seconds expected`)
    return { windowS, hopS, bpm }
}

/** The rate of the window that ends at `t`, to half a hop; null where nobody knows. */
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
        // said below
    }
    throw new UserError(`${name} is not a JSON object`)
}

function isRate(value: unknown): value is number | null {
    return value === null || (typeof value === "number" && value > 0 && value < maxBpm)
}

function isSeconds(value: unknown): value is number {
    return typeof value === "number" && value > 0 && Number.isFinite(value)
}
