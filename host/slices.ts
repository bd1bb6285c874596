import { setImmediate } from "node:timers/promises"

/** No piece of work keeps the others waiting for longer; well below what anybody notices. */
const sliceMs = 5

/**
 * For work in many small steps: to be awaited between them. Lets the others have their turn whenever a slice is used up, since
 * what is awaited of a database in this process gives nobody else a chance.
 */
export class Slices {
    private startedAt = performance.now()

    async pause(): Promise<void> {
        if (performance.now() - this.startedAt < sliceMs) return
        await setImmediate()
        this.startedAt = performance.now()
    }
}

/** One after the other, with pauses for others. */
export async function inSlices<Item, Result>(
    items: readonly Item[],
    work: (item: Item) => Promise<Result>,
): Promise<Result[]> {
    const slices = new Slices()
    const results: Result[] = []
    for (const item of items) {
        results.push(await work(item))
        await slices.pause()
    }
    return results
}
