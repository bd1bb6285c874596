// The optical sensor alone: prints each burst; test/firmware/optical.test.ts is what lies before it.
import { sleep } from "@devicescript/core"
import { readSetting } from "@devicescript/settings"
import { config } from "../../src/config/config"
import { OpticalSensor } from "../../src/optical"
import { SimulatedI2C } from "../../src/simulated-i2c"

const optical = new OpticalSensor(new SimulatedI2C())
config.led = await readSetting("led", config.led)
const laterLed = await readSetting("laterLed", config.led)
await optical.start()
for (let bursts = 0; ; bursts++) {
    if (bursts === 20) config.led = laterLed
    const count = await optical.read()
    console.log(`burst ${count} ${optical.contact ? 1 : 0}`)
    await sleep(400)
}
