/** What a pulse oximeter showed, and the saturation of the blood at that time, in percent. */
export interface Pair {
    shown: number
    reference: number
}

/** ISO 80601-2-61, 201.12.1.101: the accuracy of a pulse oximeter, in percent. */
export interface Agreement {
    pairs: number
    /** Root mean square of the differences. */
    arms: number
    /** Mean difference, and the standard deviation around it. */
    bias: number
    precision: number
}

/** @returns NaN where there is no pair */
export function agreement(pairs: readonly Pair[]): Agreement {
    const differences = pairs.map(({ shown, reference }) => shown - reference)
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length
    const bias = mean(differences)
    return {
        pairs: pairs.length,
        arms: Math.sqrt(mean(differences.map(d => d * d))),
        bias,
        precision: Math.sqrt(mean(differences.map(d => (d - bias) ** 2))),
    }
}
