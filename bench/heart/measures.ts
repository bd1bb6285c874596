/** One window of a recording: what was reported, and what the reference says. */
export interface Judged {
    /** End of the window in seconds. */
    t: number
    bpm: number | null
    ref: number
}

/** How well the values of one or more recordings agree with their references. Shares are 0 to 1, rates in bpm. */
export interface Measures {
    /** Windows that have a reference. */
    windows: number
    /** CTA-2065: share of the windows with a value. */
    availability: number
    /** CTA-2065: mean absolute error as a share of the reference. */
    mape: number
    /** CTA-2065: values a minute. */
    outputRate: number
    /** CTA-2065: by how many seconds the values are behind the reference, where they agree best. */
    refreshOffsetS: number
    /** Mean absolute error of the values. */
    mae: number
    /** The same over all windows: one without a value counts with the last value. */
    heldMae: number
    /** Shares of the values that are off by more than 5 and by more than 10. */
    off5: number
    off10: number
    /** Bland–Altman: mean difference, and the limits between which 95 % of the differences lie if they are normally distributed. */
    bias: number
    limits: [low: number, high: number]
}

const windowS = 2
/** The largest delay that is tried. */
const mostOffset = 10
const usualBpm = 75
const normal95 = 1.96

/**
 * @param runs the windows of each recording, in order
 * @returns NaN where there is no value to measure
 */
export function measure(runs: readonly Judged[][]): Measures {
    const all = runs.flat()
    const differences = all.flatMap(({ bpm, ref }) => (bpm === null ? [] : [bpm - ref]))
    const relative = all.flatMap(({ bpm, ref }) => (bpm === null ? [] : [Math.abs(bpm - ref) / ref]))
    const errors = differences.map(Math.abs)
    const bias = mean(differences)
    const deviation = Math.sqrt(mean(differences.map(d => (d - bias) ** 2)))
    const share = (bpm: number) => errors.filter(error => error > bpm).length / errors.length
    return {
        windows: all.length,
        availability: errors.length / all.length,
        mape: mean(relative),
        outputRate: (errors.length / all.length) * (60 / windowS),
        refreshOffsetS: offsetOf(runs),
        mae: mean(errors),
        heldMae: mean(runs.flatMap(held)),
        off5: share(5),
        off10: share(10),
        bias,
        limits: [bias - normal95 * deviation, bias + normal95 * deviation],
    }
}

/** Errors of a recording if a window without a value shows the last one. */
function held(run: readonly Judged[]): number[] {
    let last = run.find(({ bpm }) => bpm !== null)?.bpm ?? usualBpm
    return run.map(({ bpm, ref }) => Math.abs((last = bpm ?? last) - ref))
}

/** The delay, in windows, at which values and earlier references differ least. */
function offsetOf(runs: readonly Judged[][]): number {
    let best = NaN
    let least = Infinity
    for (let delay = 0; delay <= mostOffset; delay++) {
        const errors = runs.flatMap(run => {
            const before = new Map(run.map(({ t, ref }) => [t, ref]))
            return run.flatMap(({ t, bpm }) => {
                const ref = before.get(t - delay * windowS)
                return bpm === null || ref === undefined ? [] : [Math.abs(bpm - ref)]
            })
        })
        const error = mean(errors)
        if (error < least) [best, least] = [delay * windowS, error]
    }
    return best
}

function mean(values: readonly number[]): number {
    return values.length ? values.reduce((a, b) => a + b, 0) / values.length : NaN
}
