// A mote that rests between measurements: prints its readings and when it rests; test/firmware/power.test.ts is the wearer.
import { readSetting } from "../../src/platform/flash"
import { config } from "../../src/config/config"
import { restMs } from "../../src/sensing/power"
import { startSensing } from "../../src/sensing/sensing"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"

config.power = await readSetting("power", config.power)
config.every = await readSetting("every", config.every)
/** How many readings more an alarm would want. */
let awaited = await readSetting("awaited", 0)

await startSensing(
    simulatedI2C,
    async reading => {
        const { atMs, bpm, contact, hasThermometer, tempC, spo2 } = reading
        const shown = { atMs, bpm, contact, hasThermometer, tempC, spo2 }
        console.log(`reading ${JSON.stringify(shown)}`)
        return awaited-- > 0
    },
    async () => console.log(`rest ${Math.round(restMs())}`),
)
