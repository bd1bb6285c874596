import { config, PowerMode } from "../config/config"
import { flush } from "./uplink"

/* Starts when it is imported; `mote.ts` calls it when all sensors rest. */

/** Maximum time to send what waits; if that fails, the mote stays awake. */
const flushMs = 30000
/** A shorter standby is not worth a restart and a new connection. */
const minStandbyMs = 15000

let hasSaid = false

/**
 * Sends what waits and powers the chip down until the next measurement, if the power mode requires it. Data without a
 * receipt is only in RAM; then the mote stays awake.
 * @param isLinked whether the mote reports at all
 * @param restMs returns the time in ms until the next measurement
 * @param standby powers the chip down for a number of ms, after which the program restarts; undefined if the board
 * cannot
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
    // A new configuration may have arrived.
    const ms = restMs()
    if (config.power === PowerMode.standby && ms >= minStandbyMs) await standby(ms)
}
