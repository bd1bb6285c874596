import { setStatusLight } from "@devicescript/runtime"
import { sleep } from "./sleep"

/* Starts when it is imported; the uplink calls it on the command `identify`. */

const white = 0xffffff
const blinks = 20
const blinkMs = 250
let isBlinking = false

/** Blinks the board's light for ten seconds, to identify the mote among others. Does not wait. */
export function blink(): void {
    if (isBlinking) return
    isBlinking = true
    console.log("identify: blinking")
    const run = async () => {
        for (let i = 0; i < blinks; i++) {
            await setStatusLight(white)
            await sleep(blinkMs)
            await setStatusLight(0)
            await sleep(blinkMs)
        }
        isBlinking = false
    }
    run.start()
}
