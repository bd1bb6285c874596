import { config, PowerMode } from "./config"

/*
 * The power mode in force, which is not always the configured one: not every chip can switch itself off.
 *
 * Starts when it is imported; `mote.ts` writes it, `sensing/` and `uplink/` read it.
 */

let isStandbyPossible = false

/** From now on a mote that is configured for standby switches itself off. */
export function allowStandby(): void {
    isStandbyPossible = true
}

/** The power mode in force: `interval` in the place of `standby` where the chip cannot switch itself off. */
export function powerMode(): PowerMode {
    return config.power === PowerMode.standby && !isStandbyPossible ? PowerMode.interval : config.power
}
