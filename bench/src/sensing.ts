// Sensing with `ballast` bytes of unused heap; the readings are not used.
import { readSetting } from "../../src/platform/flash"
import { startSensing } from "../../src/sensing/sensing"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"

const size = await readSetting("ballast", 0)
const ballast = Buffer.alloc(size)
console.log("ballast " + ballast.length)
await startSensing(simulatedI2C, async () => false)
