import { PowerMode } from "./config/config"
import { flush } from "./link/uplink"
import { powerMode, restMs } from "./power"

/** What waits may take so long to be sent; a mote that has not done it then stays awake with it. */
const flushMs = 30000
/** Less is not worth a start and a connection. */
const minStandbyMs = 15000

/**
 * Sends what waits and switches the chip off until the next measurement, where the power mode says so. What is not
 * receipted is only in memory: with it the mote stays awake.
 * @param isLinked whether the mote reports at all
 * @param standby switches off for so many milliseconds, after which the program starts anew
 */
export async function standBy(
    isLinked: boolean,
    standby: (ms: number) => Promise<void>,
): Promise<void> {
    if (powerMode() !== PowerMode.standby) return
    if (isLinked && !(await flush(flushMs))) {
        console.log("no standby: readings wait")
        return
    }
    // A new configuration may have come.
    const ms = restMs()
    if (powerMode() === PowerMode.standby && ms >= minStandbyMs) await standby(ms)
}
