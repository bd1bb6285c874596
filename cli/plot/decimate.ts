/**
 * Selects the samples that suffice to draw those from `from` up to but not including `to`: the lowest and the highest
 * of each column of pixels, or all if there are at most two per column.
 * @returns the indices of the selected samples, ascending
 */
export function decimate(values: ArrayLike<number>, from: number, to: number, columns: number): number[] {
    const count = to - from
    if (count <= 2 * columns) return Array.from({ length: Math.max(0, count) }, (_, i) => from + i)
    const kept: number[] = []
    for (let column = 0; column < columns; column++) {
        const start = from + Math.floor((column * count) / columns)
        const end = from + Math.floor(((column + 1) * count) / columns)
        let lowest = start
        let highest = start
        for (let i = start + 1; i < end; i++) {
            if (values[i]! < values[lowest]!) lowest = i
            if (values[i]! > values[highest]!) highest = i
        }
        kept.push(Math.min(lowest, highest))
        if (lowest !== highest) kept.push(Math.max(lowest, highest))
    }
    return kept
}
