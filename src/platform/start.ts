import { yieldToMainLoop } from "./sleep"

/*
 * To be imported before anything else: loading the program has taken the runtime 130 ms on an RP2040, so what the program starts with
 * waits for the next pass of the main loop.
 */
await yieldToMainLoop()
