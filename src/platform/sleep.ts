import * as ds from "@devicescript/core"

/*
 * All sleeping of the firmware goes through here.
 *
 * The main loop of DeviceScript's runtime runs all fibers that are due, then serves USB, WiFi and the socket, then waits for an
 * interrupt. DeviceScript's own `sleep` counts from the moment at which the fiber began to run: after longer work it is over at once,
 * and a fiber that calls `sleep(0)` is due again at once: others have their turn, the main loop has not. So here the fiber first begins to
 * run anew, and long work is cut into slices with `yieldToMainLoop` between them.
 *
 * Has no state.
 */

/** Sleeps for `ms`, at least one millisecond, in which the main loop has its turn. */
export async function sleep(ms: number): Promise<void> {
    await ds.sleep(0)
    await ds.sleep(Math.max(1, ms))
}

/** Sleeps until a time of `millis()`; a millisecond, where it has passed. */
export async function sleepUntil(at: number): Promise<void> {
    await ds.sleep(0)
    await ds.sleep(Math.max(1, at - ds.millis()))
}

/** Ends a slice of long work. */
export async function yieldToMainLoop(): Promise<void> {
    await sleep(1)
}
