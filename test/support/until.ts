import { setTimeout as wait } from "node:timers/promises"

/** The first look comes soon, later ones are further apart: a condition may cost a request. */
const [firstPauseMs, maxPauseMs] = [5, 250]

/** Waits for something that has to happen; throws where it has not within a minute, or `ms`. */
export async function until(
    condition: () => boolean | Promise<boolean>,
    what: string | (() => string),
    ms = 60_000,
): Promise<void> {
    const deadlineMs = performance.now() + ms
    for (let pauseMs = firstPauseMs; !(await condition()); pauseMs = Math.min(1.5 * pauseMs, maxPauseMs)) {
        if (performance.now() > deadlineMs) throw new Error(`still not: ${typeof what === "string" ? what : what()}`)
        await wait(pauseMs)
    }
}
