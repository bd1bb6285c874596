// Sleeps in every way that the firmware does; test/firmware/sleep.test.ts listens on the bus.
import { setPicoW } from "../../src/platform/board"
import { readBytes, readSetting } from "../../src/platform/flash"
import { Signal } from "../../src/platform/signal"
import { sleep, yieldToMainLoop } from "../../src/platform/sleep"

if (await readSetting("picow", false)) setPicoW()
await sleep(200)

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
// More packets than the runtime lets a program send at once.
for (let i = 0; i < 10; i++) await readBytes("none")
console.log("asked")
