// Prints every reading; test/firmware/sensing.test.ts is the wearer.
import { startSensing } from "../../src/sensing"
import { SimulatedI2C } from "../../src/simulated-i2c"

await startSensing(new SimulatedI2C(), async reading => {
    const { atMs, bpm, quality, motion, tempC, spo2 } = reading
    console.log(`reading ${JSON.stringify({ atMs, bpm, quality, motion, tempC, spo2 })}`)
})
