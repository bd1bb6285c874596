import { setTimeout as wait } from "node:timers/promises"

/** Waits for something that has to happen; throws where it has not within a minute, or `ms`. */
export async function until(
    condition: () => boolean | Promise<boolean>,
    what: string | (() => string),
    ms = 60_000,
): Promise<void> {
    const deadlineMs = performance.now() + ms
    while (!(await condition())) {
        if (performance.now() > deadlineMs) throw new Error(`still not: ${typeof what === "string" ? what : what()}`)
        await wait(5)
    }
}
