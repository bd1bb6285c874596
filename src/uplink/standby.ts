import { config, PowerMode } from "../config/config"
import { flush } from "./uplink"

/*
 * Starts when it is imported; `mote.ts` calls it when all sensors rest.
 */

/** What waits may take so long to be sent; a mote that has not done it then stays awake with it. */
const flushMs = 30000
/** Less is not worth a start and a connection. */
const minStandbyMs = 15000

let hasSaid = false

/**
 * Sends what waits and switches the chip off until the next measurement, where the power mode says so. What is not
 * receipted is only in memory: with it the mote stays awake.
 * @param isLinked whether the mote reports at all
 * @param restMs says how many milliseconds it is until the next measurement
 * @param standby switches off for so many milliseconds, after which the program starts anew; where that is possible
 */
export async function standBy(
    isLinked: boolean,
    restMs: () => number,
    standby: ((ms: number) => Promise<void>) | undefined,
): Promise<void> {
    if (config.power !== PowerMode.standby) return
    if (!standby) {
        if (!hasSaid) console.log("no standby on this board: sensors rest, the link stays")
        hasSaid = true
        return
    }
    if (isLinked && !(await flush(flushMs))) {
        console.log("no standby: readings wait")
        return
    }
    // A new configuration may have come.
    const ms = restMs()
    if (config.power === PowerMode.standby && ms >= minStandbyMs) await standby(ms)
}
