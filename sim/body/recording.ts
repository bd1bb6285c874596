import { UserError } from "../../host/errors.ts"
import type { RecordedAcceleration } from "./acceleration.ts"
import { emptyStrap, ratioOfRatios, skinReflectance, type Acceleration, type Body, type Led } from "./body.ts"
import { parseColumns } from "./columns.ts"
import type { DecimalSign } from "./dialect.ts"
import { quantile, SampledSignal } from "./signal.ts"
import { readText } from "./text.ts"

export interface RecordingOptions {
    /** What messages call it, such as the file. */
    name?: string
    /** The title or the number of its column, where there are several. */
    column?: string | undefined
    /** What a comma in a number is, where that is not clear. */
    decimal?: DecimalSign | undefined
    /** Samples a second where neither the caller nor a column of times tells. */
    defaultRate?: number | undefined
    /**
     * The samples are what a MAX30102 counted at 7 mA and 4,096 nA full scale, where more blood is a lower number: nothing is
     * scaled, so an empty strap is one. Otherwise the recording is scaled to skin, whatever it was.
     */
    counts?: boolean | undefined
    /** Begin again at the end; otherwise the wearer takes the sensor off. */
    loop?: boolean
    /** Peak-to-peak pulse over the steady level, infrared. */
    perfusion?: number
    /** Percent. */
    spo2?: number
    skinC?: number
    /** How the wearer moved, from the same moment on; a recording without is that of a board without accelerometer. */
    acceleration?: RecordedAcceleration
}

/** Infrared counts of skin at rest at 7 mA and 4,096 nA full scale: its 268 nA/mA on a scale of 2^18. */
const skinCounts = (skinReflectance.infrared * 7 * 2 ** 18) / 4096
/** Above this the optical pulse has nothing to say; everything higher is filtered out before it is sampled again. */
const bandwidthHz = 11
/** How much longer or shorter the acceleration may be than the light: more, and one of the rates is wrong. */
const durationTolerance = 0.05
const durationToleranceS = 2

/**
 * A wearer whose pulse was recorded: raw PPG, where more blood is a higher number. The recording begins when a sensor
 * first looks, so that its windows are those of the file, whenever the mote starts.
 * @param rate samples a second; undefined: its column of times tells
 * @throws UserError when the text is no recording
 */
export function recordingBody(csv: string, rate: number | undefined, options: RecordingOptions = {}): Recording {
    const { name = "recording", column, decimal, defaultRate } = options
    const what = "one column of raw PPG"
    const found = parseColumns(csv, { ...{ name, size: 1, what, rate, column, decimal, defaultRate } })
    return new Recording(found.columns[0]!, found.rate, options)
}

/** As `recordingBody`, from a file. @throws UserError when the file cannot be read or is no recording */
export function recordingFile(file: string, rate: number | undefined, options: RecordingOptions = {}): Recording {
    return recordingBody(readText(file), rate, { ...options, name: file })
}

export class Recording implements Body {
    /** Raw PPG as recorded, and how many a second. */
    readonly samples: Float64Array
    readonly rate: number
    /** Of the recording. */
    readonly durationS: number
    /** When a sensor first looked, in the seconds of `reflectance`; undefined before. */
    startedAt: number | undefined
    /** Absent where it was not recorded. */
    acceleration?: (seconds: number) => Acceleration
    private readonly signal: SampledSignal
    private readonly loop: boolean
    private readonly skinC: number
    private readonly baseline: number
    private readonly depth: Record<Led, number>
    private readonly counts: boolean
    private cachedAt = NaN
    private cached = 0

    constructor(samples: Float64Array, rate: number, options: RecordingOptions) {
        const { loop = false, perfusion = 0.012, spo2 = 97, skinC = 36.6, counts = false, acceleration } = options
        this.counts = counts
        this.samples = samples
        this.rate = rate
        this.signal = new SampledSignal(samples, rate, bandwidthHz, loop)
        this.durationS = this.signal.durationS
        this.loop = loop
        this.skinC = skinC
        this.baseline = quantile(samples, 0.5)
        const pulse = pulseHeight(samples, rate)
        const depth = pulse > 0 ? perfusion / pulse : 0
        this.depth = { infrared: depth, red: depth * ratioOfRatios(spo2) }
        if (acceleration) this.moves(acceleration)
    }

    /** How the wearer moved, from the same moment on. @throws UserError where it is much shorter or longer */
    moves(acceleration: RecordedAcceleration): void {
        this.checkDuration(acceleration)
        this.acceleration = seconds => acceleration.at(this.position(seconds))
    }

    reflectance(led: Led, seconds: number): number {
        this.startedAt ??= seconds
        const at = seconds - this.startedAt
        if (at >= this.durationS && !this.loop) return emptyStrap.reflectance(led, seconds)
        const factor = this.counts ? this.blood(at) / skinCounts : 1 - this.depth[led] * this.blood(at)
        return Math.max(0, skinReflectance[led] * factor)
    }

    skinTemperature(seconds: number): number {
        const ended = this.startedAt !== undefined && seconds - this.startedAt >= this.durationS
        return ended && !this.loop ? emptyStrap.skinTemperature(seconds) : this.skinC
    }

    /** The signal over its median, or as it was counted; both LEDs ask for the same moment, so one value is kept. */
    private blood(at: number): number {
        if (at === this.cachedAt) return this.cached
        this.cachedAt = at
        return (this.cached = this.signal.at(at) - (this.counts ? 0 : this.baseline))
    }

    /** Seconds from the start of the recording, within it; before anything looked at the light, its start. */
    private position(seconds: number): number {
        const at = seconds - (this.startedAt ?? seconds)
        return this.loop ? at % this.durationS : at
    }

    private checkDuration({ name, durationS }: RecordedAcceleration): void {
        const difference = Math.abs(durationS - this.durationS)
        if (difference <= Math.max(durationToleranceS, durationTolerance * this.durationS)) return
        throw new UserError(
            `${name}: ${durationS.toFixed(1)} s of acceleration for ${this.durationS.toFixed(1)} s of light: ` +
                "is its sampling rate another?",
        )
    }
}

/** The usual height of a pulse: the median, over windows of 2 s, of the range without outliers. */
function pulseHeight(samples: Float64Array, rate: number): number {
    const size = Math.floor(2 * rate)
    const heights: number[] = []
    for (let start = 0; start + size <= samples.length; start += size) {
        const window = samples.subarray(start, start + size)
        heights.push(quantile(window, 0.98) - quantile(window, 0.02))
    }
    return quantile(Float64Array.from(heights), 0.5)
}
