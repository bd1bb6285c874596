// Sleeps in every way that the firmware does.
import { Signal } from "../../src/platform/signal"
import { sleep, yieldToMainLoop } from "../../src/platform/sleep"

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
