// Talks to the chips of test/sim/sensor-bus.test.ts over the simulated I2C bus.
import { simulatedI2C } from "../../src/drivers/simulated-i2c"

const value = Buffer.alloc(2)
await simulatedI2C(0x48, hex`00`, value)
console.log("register " + value.toString("hex"))
console.log("absent " + (await simulatedI2C(0x11, hex`00`, value)))
