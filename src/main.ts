import { startMote } from "./mote"
import { SimulatedI2C } from "./sensorbus"

await startMote(new SimulatedI2C())
