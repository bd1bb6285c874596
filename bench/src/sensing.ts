// Sensing beside `ballast` bytes that nobody needs; nobody reads what it measures.
import { readSetting } from "../../src/flash"
import { startSensing } from "../../src/sensing"
import { simulatedI2C } from "../../src/simulated-i2c"

const size = await readSetting("ballast", 0)
const ballast = Buffer.alloc(size)
console.log("ballast " + ballast.length)
await startSensing(simulatedI2C, async () => false)
