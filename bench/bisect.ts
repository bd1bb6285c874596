/** The largest multiple of `unit` from `low` up to below `high` for which it holds; it is taken to hold for `low`. */
export async function bisect(
    low: number,
    high: number,
    holds: (n: number) => Promise<boolean>,
    unit = 1,
): Promise<number> {
    while (high - low > unit) {
        const middle = low + Math.floor((high - low) / 2 / unit) * unit
        if (await holds(middle)) low = middle
        else high = middle
    }
    return low
}
