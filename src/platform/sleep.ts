import * as ds from "@devicescript/core"
import { isPicoW } from "./board"

/*
 * All sleeping of the firmware goes through here.
 *
 * The main loop of DeviceScript's runtime runs all fibers that are due, then serves USB, WiFi and the socket, then waits for an
 * interrupt. A fiber that calls DeviceScript's own `sleep(0)` stays due: others have their turn, the main loop has not. So long work
 * is cut into slices with `yieldToMainLoop` between them.
 *
 * On an RP2040 the timer that ends the wait can be set to a moment that has passed: then the main loop waits for ever (fault
 * 1 of docs/upstream.md). That happens where a fiber became due while others ran. Sending any packet sets the timer anew, so
 * each fiber sends one before it sleeps.
 *
 * Starts when it is imported; nobody else writes or reads its state.
 */

/** Five packets may be sent at once, and one every 20 ms; with more the runtime makes the sender wait. */
const picoWYieldMs = 20
const yieldMs = 1
/** By this code the packet is found in its specification, services/announcement.md. */
const noopSpec = 0x0080
const controlService = 0

type Runtime = typeof ds & {
    _serverSend(serviceIndex: number, packet: ds.Packet): Promise<void>
}

let noop: ds.Packet

/** Sleeps for `ms`, at least one millisecond, in which the main loop has its turn. */
export async function sleep(ms: number): Promise<void> {
    await beforeSleep()
    await ds.sleep(Math.max(1, ms))
}

/** Ends a slice of long work. */
export async function yieldToMainLoop(): Promise<void> {
    await sleep(isPicoW ? picoWYieldMs : yieldMs)
}

/** To be called before a fiber suspends itself in any other way. Other fibers may run meanwhile. */
export async function beforeSleep(): Promise<void> {
    if (!isPicoW) return
    if (!noop) noop = ds.Announcement.spec.byCode(noopSpec).encode([])
    await (ds as Runtime)._serverSend(controlService, noop)
}
