import { startMote } from "./mote"
import { SimulatedI2C } from "./simulated-i2c"

await startMote(new SimulatedI2C())
