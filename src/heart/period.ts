import { maxLag } from "./pulse"

/** Lags per minute at 12.5 Hz. */
const lagsPerMinute = 750
/** Shortest period: 240 bpm. */
const minLag = 3
/** The first peak with at least this share of the highest is the period; later ones are its multiples. */
const nearlyBest = 0.75
/** Between two beats the correlation falls at least below this share of the peak. */
const deepest = 0.5
/** A multiple of the period with less than this share of its height is no longer reliable. */
const multipleHeight = 0.5
/** A rate is measured over at most 2 s, because over a longer time a changing rate shifts the peaks. */
const longest = 25

/** Whether the autocorrelation has a local maximum at `lag`. */
function isPeak(correlation: number[], lag: number): boolean {
    return correlation[lag] > correlation[lag - 1] && correlation[lag] >= correlation[lag + 1]
}

/** Position of the vertex of the parabola through a peak and its neighbours. */
function refine(correlation: number[], lag: number): number {
    const before = correlation[lag - 1]
    const after = correlation[lag + 1]
    return lag + (0.5 * (before - after)) / (before - 2 * correlation[lag] + after)
}

/** Height of the vertex; for a fast pulse it is well above the samples. */
function height(correlation: number[], lag: number): number {
    return correlation[lag] + 0.25 * (refine(correlation, lag) - lag) * (correlation[lag + 1] - correlation[lag - 1])
}

/** The lag of the shortest strong period; 0 if nothing repeats. */
export function shortestPeriod(correlation: number[]): number {
    const c = correlation
    let best = 0
    let first = 0
    // As `isPeak`, whose calls would take most of the time.
    for (let lag = minLag; lag < maxLag; lag++) {
        const value = c[lag]
        if (value > 0 && value > c[lag - 1] && value >= c[lag + 1]) {
            best = Math.max(best, height(c, lag))
            if (first === 0) first = lag
        }
    }
    if (best === 0) return 0
    for (let lag = first; lag < maxLag; lag++)
        if (c[lag] > 0 && isPeak(c, lag) && height(c, lag) >= nearlyBest * best) return lag
    return 0
}

/** Beats per minute of the period at a peak. */
export function periodBpm(correlation: number[], lag: number): number {
    return lagsPerMinute / refine(correlation, lag)
}

/** The peak nearest to the period of a rate; 0 if there is none within reach. */
export function peakNear(correlation: number[], bpm: number): number {
    const expected = lagsPerMinute / bpm
    const reach = Math.max(1.5, 0.15 * expected)
    let found = 0
    let foundAt = reach
    const last = Math.min(maxLag - 1, Math.floor(expected + reach))
    for (let lag = Math.max(minLag, Math.ceil(expected - reach)); lag <= last; lag++) {
        const distance = Math.abs(lag - expected)
        if (distance <= foundAt && isPeak(correlation, lag)) {
            found = lag
            foundAt = distance
        }
    }
    return found
}

/** Whether the signal has swung back before the peak: a slow drift correlates with itself, but never swings. */
export function isSwing(correlation: number[], lag: number): boolean {
    const enough = deepest * correlation[lag]
    for (let i = 1; i < lag; i++) if (correlation[i] < enough) return true
    return false
}

/** The correlation at twice the period of a peak, or at the peak itself if that lag is too long. */
export function nextButOne(correlation: number[], lag: number): number {
    const twice = Math.round(2 * refine(correlation, lag))
    if (twice >= maxLag) return correlation[lag]
    return Math.max(correlation[twice - 1], correlation[twice], correlation[twice + 1])
}

/**
 * Beats per minute of the period at a peak: the mean over one, two, three… beats, weighted by their correlation. More
 * beats give a more precise period, fewer follow a changing rate better.
 */
export function preciseBpm(correlation: number[], lag: number): number {
    let period = refine(correlation, lag)
    let weights = correlation[lag]
    let sum = weights * period
    for (let n = 2; n * period <= longest; n++) {
        const expected = Math.round(n * period)
        let multiple = 0
        for (let at = expected - 1; at <= expected + 1; at++) if (isPeak(correlation, at)) multiple = at
        if (multiple === 0 || correlation[multiple] < multipleHeight * correlation[lag]) break
        period = refine(correlation, multiple) / n
        const weight = n * correlation[multiple]
        weights += weight
        sum += weight * period
    }
    return (lagsPerMinute * weights) / sum
}
