// The program for simulators: ours, which has the chips of a board, or DeviceScript's own, which has ready-made
// sensors.
import { Potentiometer } from "@devicescript/core"
import { startMote } from "./mote"
import { isI2CSimulated, simulatedI2C } from "./drivers/simulated-i2c"
import { startStockMote } from "./stock-mote"

if (await isI2CSimulated()) await startMote(simulatedI2C, new Potentiometer("battery"))
else await startStockMote()
