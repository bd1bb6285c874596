// Sensing beside `ballast` bytes that nobody needs; nobody reads what it measures.
import { readSetting } from "../../src/platform/flash"
import { startSensing } from "../../src/sensing/sensing"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"

const size = await readSetting("ballast", 0)
const ballast = Buffer.alloc(size)
console.log("ballast " + ballast.length)
await startSensing(simulatedI2C, async () => false)
