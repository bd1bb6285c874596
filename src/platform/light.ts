import { Control } from "@devicescript/core"
import { sleep } from "./sleep"

/*
 * The board's light. Starts when it is imported; the uplink says what to show. @devicescript/runtime has a function for it, with which
 * an SPI bus gets into the image.
 */

/** The mote itself. */
const control = new Control("control[int:0]")
let isBlinking = false

/** Blinks, unless it does so already. @param color 0xRRGGBB; a light of one colour is on */
export async function blink(color: number, times: number, ms: number): Promise<void> {
    if (isBlinking) return
    isBlinking = true
    for (let i = 0; i < times; i++) {
        await show(color)
        await sleep(ms)
        await show(0)
        await sleep(ms)
    }
    isBlinking = false
}

async function show(color: number): Promise<void> {
    await control.setStatusLight(color >> 16, (color >> 8) & 0xff, color & 0xff, 0)
}
