/**
 * The last id of what was stored before `at` (unix ms), of rows that have ids in the order of storing; 0 for none.
 * @param newest the newest id
 * @param first the first row from an id on
 */
export async function idBefore(
    at: number,
    newest: number,
    first: (id: number) => Promise<{ id: number; storedAt: number } | undefined>,
): Promise<number> {
    let [before, until] = [0, newest]
    while (before < until) {
        const middle = before + Math.ceil((until - before) / 2)
        const row = await first(middle)
        if (!row || row.storedAt >= at) until = middle - 1
        else before = Math.min(row.id, until)
    }
    return before
}

/** Some of what was stored behind an id, of some patients; and where to go on, whether there was any: undefined at the end. */
export interface StoredPart<T> {
    found: T[]
    rest: number | undefined
}

/** So many rows are looked at for a page, whosever they are. */
export const rowsAtOnce = 50_000
