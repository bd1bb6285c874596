// The optical sensor alone: prints each burst; test/firmware/optical.test.ts is what lies before it.
import { sleep } from "@devicescript/core"
import { readSetting } from "../../src/platform/flash"
import { config } from "../../src/config/config"
import { useBus } from "../../src/drivers/registers"
import { contact, readOptical, startOptical } from "../../src/sensing/optical"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"

useBus(simulatedI2C)
config.led = await readSetting("led", config.led)
const laterLed = await readSetting("laterLed", config.led)
await startOptical()
for (let bursts = 0; ; bursts++) {
    if (bursts === 20) config.led = laterLed
    const count = await readOptical()
    console.log(`burst ${count} ${contact ? 1 : 0}`)
    await sleep(400)
}
