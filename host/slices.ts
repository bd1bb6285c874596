import { setImmediate } from "node:timers/promises"

/** The longest that one piece of work blocks the event loop, well below what a user notices. */
const sliceMs = 5

/**
 * Splits long work into time slices. Await `pause` between its steps: once a slice is used up, the event loop runs.
 * Awaiting the database does not let it run, because the database works synchronously in this process.
 */
export class Slices {
    private startedAt = performance.now()

    async pause(): Promise<void> {
        if (performance.now() - this.startedAt < sliceMs) return
        await setImmediate()
        this.startedAt = performance.now()
    }
}

/** Maps the items one after the other and lets the event loop run in between. */
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
