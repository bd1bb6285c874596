import { UserError } from "../../host/errors.ts"
import type { RecordedAcceleration } from "./acceleration.ts"
import { emptyStrap, ratioOfRatios, skinReflectance, type Acceleration, type Body, type Led } from "./body.ts"
import { checkSignal, parseColumns } from "./columns.ts"
import type { DecimalSign } from "./dialect.ts"
import { Edf, isEdf } from "./edf.ts"
import { quantile, SampledSignal } from "./signal.ts"
import { decodeText, readRecorded } from "./text.ts"

export interface RecordingOptions {
    /** Name in messages, such as the file name. */
    name?: string
    /** Title or number of the PPG column, if there are several. */
    column?: string | undefined
    /**
     * Title or number of a column of red light; then `column` is infrared. Both are light as it was measured, with its steady level:
     * more blood is a lower number. Each is scaled by its median to skin, which leaves the ratio of ratios as it is.
     */
    red?: string | undefined
    /** Decimal sign, if it is ambiguous. */
    decimal?: DecimalSign | undefined
    /** Samples per second if neither the caller nor a time column gives it. */
    defaultRate?: number | undefined
    /**
     * The samples are counts of a MAX30102 at 7 mA and 4,096 nA full scale, where more blood is a lower number. Nothing
     * is scaled, so an empty strap stays one. Default: the recording is scaled to the reflectance of skin.
     */
    counts?: boolean | undefined
    /** Start again at the end. Default: the wearer takes the sensor off. */
    loop?: boolean
    /** Peak-to-peak pulse over the steady level, infrared. */
    perfusion?: number
    /** Oxygen saturation in percent. */
    spo2?: number
    skinC?: number
    /** Acceleration from the same moment on. Absent: the board has no accelerometer. */
    acceleration?: RecordedAcceleration
}

/** Counts of skin at rest at 7 mA and 4,096 nA full scale, on a scale of 2^18. */
const countsPerReflectance = (7 * 2 ** 18) / 4096
const skinCounts = {
    red: skinReflectance.red * countsPerReflectance,
    infrared: skinReflectance.infrared * countsPerReflectance,
}
/** A pulse is a smaller part of the light than this; of a signal whose steady level was removed it is more. */
const mostPulse = 0.3
/** The optical pulse has no content above this; higher frequencies are filtered out before resampling. */
const bandwidthHz = 11
/** Maximum relative difference of duration between acceleration and light; above it one of the rates is wrong. */
const durationTolerance = 0.05
const durationToleranceS = 2

/**
 * A wearer with a recorded pulse: raw PPG, where more blood is a higher number. The recording starts when a sensor
 * first samples it, so that the mote's windows are those of the file, whenever the mote starts.
 * @param rate samples per second; default: from the time column
 * @throws UserError if the text is not a recording
 */
export function recordingBody(csv: string, rate: number | undefined, options: RecordingOptions = {}): Recording {
    const { name = "recording", decimal, defaultRate } = options
    const chosen = chosenOf(options)
    const what = "one column of raw PPG"
    const size = chosen?.length ?? 1
    const { columns, rate: hz } = parseColumns(csv, { name, size, what, rate, chosen, decimal, defaultRate })
    return new Recording(columns[0]!, hz, options, columns[1])
}

/** Like `recordingBody`, from a table or a file of EDF. @throws UserError if the file cannot be read or is not a recording */
export function recordingFile(file: string, rate: number | undefined, options: RecordingOptions = {}): Recording {
    const o = { ...options, name: file }
    const bytes = readRecorded(file)
    if (!isEdf(bytes)) return recordingBody(decodeText(bytes, file), rate, o)
    const { columns, rate: hz } = new Edf(bytes, file).columns(chosenOf(o))
    checkSignal(columns[0]!.length, hz, rate, file)
    return new Recording(columns[0]!, hz, o, columns[1])
}

/** The columns that are named: infrared or any one colour, then red. */
function chosenOf({ name = "recording", column, red }: RecordingOptions): string[] | undefined {
    if (column === undefined && red !== undefined)
        throw new UserError(`${name}: with a red column, the infrared one must be named, too: --column`, 2)
    return column === undefined ? undefined : red === undefined ? [column] : [column, red]
}

export class Recording implements Body {
    /** Raw PPG as recorded, and samples per second. */
    readonly samples: Float64Array
    readonly rate: number
    /** Duration of the recording. */
    readonly durationS: number
    /** Time of the first sample, in the seconds of `reflectance`. Undefined before it. */
    startedAt: number | undefined
    /** Absent if it was not recorded. */
    acceleration?: (seconds: number) => Acceleration
    private readonly signal: SampledSignal
    private readonly loop: boolean
    private readonly skinC: number
    private readonly baseline: number
    private readonly depth: Record<Led, number>
    private readonly counts: boolean
    /** Of the red light, and what each colour is divided by. Undefined: one colour was recorded. */
    private readonly red: SampledSignal | undefined
    private readonly level: Record<Led, number>
    private cachedAt = NaN
    private cached = 0

    /** @throws UserError if `red` is given and one of the two is not light with its steady level */
    constructor(samples: Float64Array, rate: number, options: RecordingOptions, red?: Float64Array) {
        const { loop = false, perfusion = 0.012, spo2 = 97, skinC = 36.6, counts = false, acceleration } = options
        this.counts = counts
        this.samples = samples
        this.rate = rate
        this.signal = new SampledSignal(samples, rate, bandwidthHz, loop)
        this.durationS = this.signal.durationS
        this.loop = loop
        this.skinC = skinC
        this.baseline = quantile(samples, 0.5)
        this.red = red && new SampledSignal(red, rate, bandwidthHz, loop)
        this.level = counts
            ? { red: skinCounts.red, infrared: skinCounts.infrared }
            : { red: red ? quantile(red, 0.5) : 0, infrared: this.baseline }
        if (red) for (const one of [red, samples]) checkLight(one, rate, options.name)
        const pulse = pulseHeight(samples, rate)
        const depth = pulse > 0 ? perfusion / pulse : 0
        this.depth = { infrared: depth, red: depth * ratioOfRatios(spo2) }
        if (acceleration) this.moves(acceleration)
    }

    /** Adds the acceleration from the same moment on. @throws UserError if it is much shorter or longer */
    moves(acceleration: RecordedAcceleration): void {
        this.checkDuration(acceleration)
        this.acceleration = seconds => acceleration.at(this.position(seconds))
    }

    reflectance(led: Led, seconds: number): number {
        this.startedAt ??= seconds
        const at = seconds - this.startedAt
        if (at >= this.durationS && !this.loop) return emptyStrap.reflectance(led, seconds)
        return Math.max(0, skinReflectance[led] * this.factor(led, at))
    }

    skinTemperature(seconds: number): number {
        const ended = this.startedAt !== undefined && seconds - this.startedAt >= this.durationS
        return ended && !this.loop ? emptyStrap.skinTemperature(seconds) : this.skinC
    }

    /** Light over that of skin. */
    private factor(led: Led, at: number): number {
        if (this.red) return (led === "red" ? this.red.at(at) : this.signal.at(at)) / this.level[led]
        // One colour stands for both.
        return this.counts ? this.blood(at) / this.level.infrared : 1 - this.depth[led] * this.blood(at)
    }

    /** The signal over its median, or as counted. Cached, because both LEDs sample the same moment. */
    private blood(at: number): number {
        if (at === this.cachedAt) return this.cached
        this.cachedAt = at
        return (this.cached = this.signal.at(at) - (this.counts ? 0 : this.baseline))
    }

    /** Position within the recording in seconds; 0 before the first sample. */
    private position(seconds: number): number {
        const at = seconds - (this.startedAt ?? seconds)
        return this.loop ? at % this.durationS : at
    }

    private checkDuration({ name, durationS }: RecordedAcceleration): void {
        const difference = Math.abs(durationS - this.durationS)
        if (difference <= Math.max(durationToleranceS, durationTolerance * this.durationS)) return
        throw new UserError(
            `${name}: ${durationS.toFixed(1)} s of acceleration for ${this.durationS.toFixed(1)} s of light: ` +
                "is its sampling rate wrong?",
        )
    }
}

function checkLight(samples: Float64Array, rate: number, name = "recording"): void {
    const level = quantile(samples, 0.5)
    if (level > 0 && pulseHeight(samples, rate) < mostPulse * level) return
    throw new UserError(
        `${name}: a saturation needs both colours with their steady level, and here it is missing or negative`,
    )
}

/** Typical height of a pulse: the median, over windows of 2 s, of the range without outliers. */
function pulseHeight(samples: Float64Array, rate: number): number {
    const size = Math.floor(2 * rate)
    const heights: number[] = []
    for (let start = 0; start + size <= samples.length; start += size) {
        const window = samples.subarray(start, start + size)
        heights.push(quantile(window, 0.98) - quantile(window, 0.02))
    }
    return quantile(Float64Array.from(heights), 0.5)
}
