// Prints every reading; test/firmware/sensing.test.ts is the wearer.
import { readSetting } from "../../src/platform/flash"
import { config } from "../../src/config/config"
import { startSensing } from "../../src/sensing/sensing"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"

config.quality = await readSetting("quality", 0)
await startSensing(simulatedI2C, async reading => {
    const { atMs, bpm, quality, motion, tempC, spo2 } = reading
    console.log(`reading ${JSON.stringify({ atMs, bpm, quality, motion, tempC, spo2 })}`)
    return false
})
