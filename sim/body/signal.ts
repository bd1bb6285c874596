/** The interpolation kernel is a sinc of this many zero crossings on each side, under a Hann window. */
const kernelCrossings = 4

/** A sampled signal that can be read at any moment. It is band-limited, so that slower sampling causes no aliases. */
export class SampledSignal {
    readonly durationS: number
    private readonly samples: Float64Array
    private readonly rate: number
    private readonly step: number
    private readonly loops: boolean

    /**
     * @param rate samples per second
     * @param bandwidthHz higher frequencies are filtered out
     * @param loops start again at the end; otherwise the last sample holds
     */
    constructor(samples: Float64Array, rate: number, bandwidthHz: number, loops = false) {
        this.samples = samples
        this.rate = rate
        this.durationS = samples.length / rate
        this.step = Math.min(1, (2 * bandwidthHz) / rate)
        this.loops = loops
    }

    /** The weights are normalised, so no samples beyond the ends are needed. */
    at(seconds: number): number {
        const { samples, step, loops } = this
        const last = samples.length - 1
        const position = loops ? seconds * this.rate : Math.max(0, Math.min(last, seconds * this.rate))
        const reach = kernelCrossings / step
        let sum = 0
        let weights = 0
        for (let i = Math.ceil(position - reach); i <= position + reach; i++) {
            const sample = samples[loops ? modulo(i, samples.length) : i]
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

/** The value below which this fraction of the values lies. */
export function quantile(values: Float64Array, fraction: number): number {
    const sorted = Float64Array.from(values).sort()
    return sorted[Math.round(fraction * (sorted.length - 1))]!
}

function modulo(value: number, size: number): number {
    return ((value % size) + size) % size
}
