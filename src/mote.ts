import { Potentiometer } from "@devicescript/core"
import { startBattery } from "./sensing/battery"
import { I2CTransfer } from "./drivers/registers"
import { readSetting } from "./platform/flash"
import { startSensing } from "./sensing/sensing"
import { showReading, startServers } from "./cable/servers"
import { startUplink, takeReading } from "./uplink/uplink"
import { isAlarmWatching } from "./alarms/alarms"
import { allowStandby } from "./config/power-mode"
import { status } from "./link/status"
import { restMs } from "./sensing/power"
import { standBy } from "./uplink/standby"

/**
 * Runs the whole mote on any board: measures over `i2c`, reports to its router, and serves its readings on the cable,
 * unless the setting `jacdac` is `off`. Without an identity it reports nothing.
 * @param battery the pin that measures the battery, if the board has the resistors for it
 * @param standby powers the chip down for a number of ms, after which the program restarts; absent if the board cannot
 */
export async function startMote(
    i2c: I2CTransfer,
    battery: Potentiometer,
    standby?: (ms: number) => Promise<void>,
): Promise<void> {
    try {
        await startBattery(battery, percent => {
            status.battery = percent
        })
        const isLinked = await startUplink()
        const isShown = (await readSetting("jacdac")) !== "off"
        if (isShown) startServers()
        if (standby) allowStandby()
        await startSensing(
            i2c,
            async reading => {
                if (isShown) showReading(reading)
                if (!isLinked) return false
                takeReading(reading)
                return isAlarmWatching()
            },
            async () => await standBy(isLinked, restMs, standby),
        )
    } catch (e) {
        console.log("mote: " + (e as Error).message)
    }
}
