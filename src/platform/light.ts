import { setStatusLight } from "@devicescript/runtime"
import { sleep } from "./sleep"

/* The board's light. Starts when it is imported; the uplink says what to show. */

let isBlinking = false

/** Blinks, unless it does so already. @param color 0xRRGGBB; a light of one colour is on */
export async function blink(color: number, times: number, ms: number): Promise<void> {
    if (isBlinking) return
    isBlinking = true
    for (let i = 0; i < times; i++) {
        await setStatusLight(color)
        await sleep(ms)
        await setStatusLight(0)
        await sleep(ms)
    }
    isBlinking = false
}
