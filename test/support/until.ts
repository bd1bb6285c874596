import { setTimeout as wait } from "node:timers/promises"

/** Waits for something that has to happen; throws where it has not within a minute. */
export async function until(
    condition: () => boolean | Promise<boolean>,
    what: string,
): Promise<void> {
    const deadlineMs = performance.now() + 60_000
    while (!(await condition())) {
        if (performance.now() > deadlineMs) throw new Error(`still not: ${what}`)
        await wait(5)
    }
}
