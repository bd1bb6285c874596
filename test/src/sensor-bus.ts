// Talks to the chips of test/sim/sensor-bus.test.ts over the simulated I2C bus.
import { I2CError } from "@devicescript/i2c"
import { SimulatedI2C } from "../../src/simulated-i2c"

const bus = new SimulatedI2C()
console.log("register " + (await bus.readRegBuf(0x48, 0, 2)).toString("hex"))
try {
    await bus.readReg(0x11, 0)
} catch (e) {
    console.log("absent " + (e as I2CError).status)
}
