import { yieldToMainLoop } from "./sleep"

/*
 * Must be imported before anything else. Loading the program takes the runtime 130 ms on an RP2040, so the program's
 * first work waits for the next pass of the main loop.
 */
await yieldToMainLoop()
