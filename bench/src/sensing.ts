// Sensing beside `ballast` bytes that nobody needs; every reading goes to the log of the VM.
import { readSetting } from "@devicescript/settings"
import { startSensing } from "../../src/sensing"
import { SimulatedI2C } from "../../src/sensorbus"

const size = await readSetting("ballast", 0)
const ballast = Buffer.alloc(size)
console.log("ballast " + ballast.length)
await startSensing(new SimulatedI2C(), async reading => {
    const { atMs, bpm, quality, motion } = reading
    console.log(`reading ${JSON.stringify({ atMs, bpm, quality, motion })}`)
})
