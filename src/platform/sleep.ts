import * as ds from "@devicescript/core"

/*
 * All sleeping of the firmware goes through this module.
 *
 * The main loop of DeviceScript's runtime runs all fibers that are due, then serves USB, Wi-Fi and the socket, then
 * waits for an interrupt. DeviceScript's own `sleep` counts from the moment at which the fiber began to run: after
 * longer work it ends at once, and a fiber that calls `sleep(0)` is due again at once, so that other fibers run, but
 * the main loop does not continue. Here the fiber is first rescheduled, and long work is divided into slices with
 * `yieldToMainLoop` in between.
 *
 * Has no state.
 */

/** Sleeps for `ms`, at least 1 ms, so that the main loop runs. */
export async function sleep(ms: number): Promise<void> {
    await ds.sleep(0)
    await ds.sleep(Math.max(1, ms))
}

/** Sleeps until a time of `millis()`, at least 1 ms. */
export async function sleepUntil(at: number): Promise<void> {
    await ds.sleep(0)
    await ds.sleep(Math.max(1, at - ds.millis()))
}

/** Longer than the short work of another fiber, after which a fiber that is due would run in the same pass. */
const yieldMs = 3

/** Ends a slice of long work. */
export async function yieldToMainLoop(): Promise<void> {
    await sleep(yieldMs)
}
