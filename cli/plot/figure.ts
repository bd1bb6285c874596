/** What a figure shows: a recording, and what a mote made of it. */
export interface Figure {
    title: string
    /** Raw PPG. */
    signal: Series
    /** Magnitude in g, where it was recorded. */
    acceleration?: Series
    /** In the order of time. */
    windows: Window[]
}

/** Evenly sampled, from 0 s on. */
export interface Series {
    values: ArrayLike<number>
    /** Samples a second. */
    rate: number
}

export interface Window {
    /** Its end, seconds from the first sample. */
    t: number
    /** Beats per minute; null where the mote does not know. */
    bpm: number | null
    /** 0…1 */
    quality: number
    motion: boolean
    /** Beats per minute; null where there is none. */
    reference: number | null
}

/** How long a window's value stands, to the next one. */
export const hopS = 2

/** A rate further than this from the reference is wrong. */
export const farBpm = 5

/** How well the values agree with the reference; percentages of windows, `NaN` of none. */
export interface Agreement {
    /** Windows with a reference. */
    windows: number
    /** Of those, percent with a value. */
    reported: number
    /** Mean absolute error of the values, beats per minute. */
    meanError: number
    /** Of the values, percent within `farBpm` of the reference. */
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
