// In a simulator: ours, which has the chips of a board, or DeviceScript's own, which has ready-made sensors.
import { Potentiometer } from "@devicescript/core"
import { startMote } from "./mote"
import { SimulatedI2C } from "./simulated-i2c"
import { startStockMote } from "./stock-mote"

const i2c = new SimulatedI2C()
if (await i2c.isThere()) await startMote(i2c, new Potentiometer("battery"))
else await startStockMote()
