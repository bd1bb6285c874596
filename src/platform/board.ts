/*
 * Properties of the board that the firmware needs to know.
 *
 * Starts as any board; `main-picow.ts` writes it before anything else starts; `sleep.ts`, `link/` and `config/` read
 * it.
 */

/** A Raspberry Pi Pico W, whose DeviceScript runtime has faults of its own (docs/upstream.md). */
export let isPicoW = false

/** Must be called first on a Raspberry Pi Pico W. */
export function setPicoW(): void {
    isPicoW = true
}
