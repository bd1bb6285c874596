// The whole mote on a chip that can stand by: it says for how long, and whoever runs it cuts its power then, as deep sleep does.
import { Potentiometer, sleep } from "@devicescript/core"
import { readSetting } from "../../src/platform/flash"
import { config } from "../../src/config/config"
import { startMote } from "../../src/mote"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"

async function standby(ms: number): Promise<void> {
    console.log(`standby ${Math.round(ms)}`)
    await sleep(2 * ms)
}

const canStandby = await readSetting("canStandby", true)
await startMote(simulatedI2C, new Potentiometer("battery"), canStandby ? standby : undefined)
// Now that what is in flash has been taken up.
config.power = await readSetting("power", config.power)
config.every = await readSetting("every", config.every)
config.hrHigh = await readSetting("hrHigh", config.hrHigh)
