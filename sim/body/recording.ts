import { readFileSync } from "node:fs"
import { fileError, UserError } from "../../host/errors.ts"
import { emptyStrap, ratioOfRatios, skinReflectance, type Body, type Led } from "./body.ts"

export interface RecordingOptions {
    /** What messages call it, such as the file. */
    name?: string
    /** Begin again at the end; otherwise the wearer takes the sensor off. */
    loop?: boolean
    /** Peak-to-peak pulse over the steady level, infrared. */
    perfusion?: number
    /** Percent. */
    spo2?: number
    skinC?: number
}

/** Above this the optical pulse has nothing to say; everything higher is filtered out before it is sampled again. */
const bandwidthHz = 11
/** The interpolation kernel is a sinc over so many zero crossings to each side, under a Hann window. */
const kernelCrossings = 4

const minRateHz = 10
const maxRateHz = 10_000
const minSeconds = 2
const maxSamples = 20_000_000

/**
 * A wearer whose pulse was recorded: one column of raw PPG, where more blood is a higher number. The recording begins
 * when a sensor first looks, so that its windows are those of the file, whenever the mote starts.
 * @param rate samples a second
 * @throws UserError when the text is no recording
 */
export function recordingBody(
    csv: string,
    rate: number,
    options: RecordingOptions = {},
): Recording {
    return new Recording(parseRecording(csv, rate, options.name ?? "recording"), rate, options)
}

/** As `recordingBody`, from a file. @throws UserError when the file cannot be read or is no recording */
export function recordingFile(
    file: string,
    rate: number,
    options: RecordingOptions = {},
): Recording {
    let csv: string
    try {
        csv = readFileSync(file, "utf8")
    } catch (error) {
        throw fileError(file, error)
    }
    return recordingBody(csv, rate, { ...options, name: file })
}

/** @throws UserError naming the line that is no number */
function parseRecording(csv: string, rate: number, name: string): Float64Array {
    if (!(rate >= minRateHz && rate <= maxRateHz))
        throw new UserError(
            `${name}: sampling rate ${rate}: ${minRateHz} to ${maxRateHz} Hz expected`,
            2,
        )
    if (!csv.trim()) throw new UserError(`${name} is empty`)
    const lines = csv.replace(/\s+$/, "").split(/\r?\n/)
    if (lines.length > maxSamples) throw new UserError(`${name}: more than ${maxSamples} samples`)
    const hasHeader = /^\s*"?[A-Za-z]/.test(lines[0]!) && lines.length > 1
    const samples = new Float64Array(lines.length - (hasHeader ? 1 : 0))
    for (let i = 0; i < samples.length; i++) {
        const number = i + (hasHeader ? 2 : 1)
        const text = lines[number - 1]!.trim()
        const value = Number(text)
        if (text === "" || !Number.isFinite(value))
            throw new UserError(
                `${name}: line ${number} is no number: one column of raw PPG expected`,
            )
        samples[i] = value
    }
    if (samples.length < minSeconds * rate)
        throw new UserError(
            `${name}: ${samples.length} samples: at least ${minSeconds} s of signal expected`,
        )
    return samples
}

export class Recording implements Body {
    /** Of the recording. */
    readonly durationS: number
    /** When a sensor first looked, in the seconds of `reflectance`; undefined before. */
    startedAt: number | undefined
    private readonly samples: Float64Array
    private readonly rate: number
    private readonly loop: boolean
    private readonly skinC: number
    private readonly baseline: number
    private readonly depth: Record<Led, number>
    private cachedAt = NaN
    private cached = 0

    constructor(samples: Float64Array, rate: number, options: RecordingOptions) {
        const { loop = false, perfusion = 0.012, spo2 = 97, skinC = 36.6 } = options
        this.samples = samples
        this.rate = rate
        this.durationS = samples.length / rate
        this.loop = loop
        this.skinC = skinC
        this.baseline = quantile(samples, 0.5)
        const pulse = pulseHeight(samples, rate)
        const depth = pulse > 0 ? perfusion / pulse : 0
        this.depth = { infrared: depth, red: depth * ratioOfRatios(spo2) }
    }

    reflectance(led: Led, seconds: number): number {
        this.startedAt ??= seconds
        const at = seconds - this.startedAt
        if (at >= this.durationS && !this.loop) return emptyStrap.reflectance(led, seconds)
        return Math.max(0, skinReflectance[led] * (1 - this.depth[led] * this.blood(at)))
    }

    skinTemperature(seconds: number): number {
        const ended = this.startedAt !== undefined && seconds - this.startedAt >= this.durationS
        return ended && !this.loop ? emptyStrap.skinTemperature(seconds) : this.skinC
    }

    /** The signal over its median; both LEDs ask for the same moment, so one value is kept. */
    private blood(at: number): number {
        if (at === this.cachedAt) return this.cached
        this.cachedAt = at
        return (this.cached = this.interpolate(at * this.rate) - this.baseline)
    }

    /** Band-limited interpolation; the weights are normalised, so the ends of the recording need no samples beyond. */
    private interpolate(position: number): number {
        const { samples, rate } = this
        const step = Math.min(1, (2 * bandwidthHz) / rate)
        const reach = kernelCrossings / step
        let sum = 0
        let weights = 0
        for (let i = Math.ceil(position - reach); i <= position + reach; i++) {
            const index = this.loop ? modulo(i, samples.length) : i
            const sample = samples[index]
            if (sample === undefined) continue
            const weight = windowedSinc((i - position) * step)
            sum += weight * sample
            weights += weight
        }
        return sum / weights
    }
}

function windowedSinc(x: number): number {
    if (Math.abs(x) < 1e-9) return 1
    const window = 0.5 + 0.5 * Math.cos((Math.PI * x) / kernelCrossings)
    return (window * Math.sin(Math.PI * x)) / (Math.PI * x)
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

function quantile(values: Float64Array, fraction: number): number {
    const sorted = Float64Array.from(values).sort()
    return sorted[Math.round(fraction * (sorted.length - 1))]!
}

function modulo(value: number, size: number): number {
    return ((value % size) + size) % size
}
