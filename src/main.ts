import { SimulatedI2C } from "./sensorbus"
const bus = new SimulatedI2C()
console.log("reading")
const b = await bus.readRegBuf(0x48, 0, 2)
console.log("got " + b.toString("hex"))
try {
    await bus.readReg(0x11, 0)
} catch (e) {
    console.log("err " + (e as Error).message)
}
