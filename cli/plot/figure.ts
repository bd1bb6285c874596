/** The data of a figure: a recording and the results of a mote. */
export interface Figure {
    title: string
    /** The raw PPG signal. */
    signal: Series
    /** The magnitude of the acceleration in g, if it was recorded. */
    acceleration?: Series
    /** The windows in order of time. */
    windows: Window[]
}

/** A series of evenly spaced samples from 0 s on. */
export interface Series {
    values: ArrayLike<number>
    /** The sampling rate in Hz. */
    rate: number
}

export interface Window {
    /** The end of the window in seconds from the first sample. */
    t: number
    /** The mote's heart rate in beats per minute, or null if it reports none. */
    bpm: number | null
    /** The signal quality, 0 to 1. */
    quality: number
    motion: boolean
    /** The reference heart rate in beats per minute, or null if there is none. */
    reference: number | null
}

/** The time between two windows in seconds. */
export const hopS = 2

/** A rate that differs from the reference by more than this counts as wrong. */
export const farBpm = 5

/** The agreement of the values with the reference. Percentages and the error are `NaN` if there are no values. */
export interface Agreement {
    /** The number of windows with a reference. */
    windows: number
    /** The percentage of those windows that have a value. */
    reported: number
    /** The mean absolute error of the values in beats per minute. */
    meanError: number
    /** The percentage of the values within `farBpm` of the reference. */
    near: number
}

export function agreement(windows: Window[]): Agreement {
    const known = windows.filter(({ reference }) => reference !== null)
    const errors = known.flatMap(w => (w.bpm === null ? [] : [Math.abs(w.bpm - w.reference!)]))
    return {
        windows: known.length,
        reported: percent(errors.length, known.length),
        meanError: errors.reduce((a, b) => a + b, 0) / errors.length,
        near: percent(errors.filter(error => error <= farBpm).length, errors.length),
    }
}

export function percent(part: number, whole: number): number {
    return (100 * part) / whole
}

export function durationS({ signal }: Figure): number {
    return signal.values.length / signal.rate
}
