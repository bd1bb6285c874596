import { config, PowerMode } from "./config"

/*
 * The power mode in force, which may differ from the configured one, because not every chip can sleep.
 *
 * Starts when it is imported; `mote.ts` writes it, `sensing/` and `uplink/` read it.
 */

let isStandbyPossible = false

/** Enables the power mode `standby`. */
export function allowStandby(): void {
    isStandbyPossible = true
}

/** The power mode in force: `interval` instead of `standby` if the chip cannot sleep. */
export function powerMode(): PowerMode {
    return config.power === PowerMode.standby && !isStandbyPossible ? PowerMode.interval : config.power
}
