import { I2C } from "@devicescript/i2c"
import { readSetting } from "@devicescript/settings"
import { startSensing } from "./sensing"
import { showReading, startServers } from "./servers"
import { startUplink } from "./link/uplink"

/**
 * The whole mote, on any board: senses over `i2c`, reports to its router, and shows what it senses on its cable, too,
 * unless the setting `jacdac` is `off`. Without an identity it reports nothing.
 */
export async function startMote(i2c: I2C): Promise<void> {
    try {
        const uplink = await startUplink()
        const isShown = (await readSetting("jacdac")) !== "off"
        if (isShown) startServers()
        await startSensing(i2c, async reading => {
            if (isShown) showReading(reading)
            if (!uplink) return false
            uplink.push(reading)
            return uplink.alarms.isWatching()
        })
    } catch (e) {
        console.log("mote: " + (e as Error).message)
    }
}
