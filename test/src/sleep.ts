// Sleeps in every way that the firmware does; test/firmware/sleep.test.ts listens on the bus.
import { setPicoW } from "../../src/platform/board"
import { readSetting } from "../../src/platform/flash"
import { Signal } from "../../src/platform/signal"
import { sleep, yieldToMainLoop } from "../../src/platform/sleep"

if (await readSetting("picow", false)) setPicoW()

console.log("start")
for (let i = 0; i < 3; i++) await sleep(100)
console.log("slept")
await yieldToMainLoop()
console.log("yielded")
const signal = new Signal()
await signal.wait(100)
console.log("waited")
signal.raise()
await signal.wait(100)
console.log("raised")
