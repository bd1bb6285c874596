// The optical sensor alone: prints each burst; test/firmware/optical.test.ts is what lies before it.
import { sleep } from "@devicescript/core"
import { readSetting } from "@devicescript/settings"
import { OpticalSensor } from "../../src/optical"
import { SimulatedI2C } from "../../src/simulated-i2c"

const optical = new OpticalSensor(new SimulatedI2C())
optical.maxMilliamps = await readSetting("maxMilliamps", 50)
await optical.start()
for (;;) {
    const count = await optical.read()
    console.log(`burst ${count} ${optical.contact ? 1 : 0}`)
    await sleep(400)
}
