/*
 * What the firmware has to know of the board that it runs on.
 *
 * Starts as any board; `main-picow.ts` writes it before anything else starts; `sleep.ts`, `link/` and `config/` read it.
 */

/** A Raspberry Pi Pico W: DeviceScript's runtime for it has faults of its own, docs/upstream.md. */
export let isPicoW = false

/** To be called first, on a Raspberry Pi Pico W. */
export function setPicoW(): void {
    isPicoW = true
}
