import { millis } from "@devicescript/core"
import { config, PowerMode } from "../config/config"
import { powerMode } from "../config/power-mode"
import { Reading } from "../reading"

/*
 * When a measurement is over, for a mote that rests between two of them. Most end with one reading, which has all that was
 * settled in it. Where an alarm is to be raised or cleared, which takes time, more readings follow until it is decided.
 *
 * `sensing.ts` begins a measurement and gives it the readings; `sensing.ts` and, through `mote.ts`, `uplink/standby.ts` read it.
 */

/** A heart rate takes 8 s; a thermometer on the skin 40 s when the mote has started or was put on. */
const settleMs = 60000
/** A saturation takes 8 s of a heart rate that is trusted. */
const spo2Ms = 10000
/** Skin is found within a second. */
const contactMs = 6000
/** Alarms go by the times of readings, which are 2 s apart. */
const alarmMarginMs = 3000

let startMs: number
let ratedMs: number
let spo2: number
let settledMs: number

/** Sensors were started. */
export function beginMeasurement(): void {
    startMs = millis()
    ratedMs = spo2 = settledMs = undefined
}

/** Milliseconds until the next measurement is due. */
export function restMs(): number {
    return powerMode() === PowerMode.continuous ? 0 : startMs + config.every * 1000 - millis()
}

/** Whether a reading is to be passed on; in it is what was found before. */
export function isWorthTelling(reading: Reading): boolean {
    if (powerMode() === PowerMode.continuous) return true
    if (reading.spo2 !== undefined) spo2 = reading.spo2
    if (settledMs === undefined && isSettled(reading)) {
        settledMs = millis()
        reading.spo2 = spo2
    }
    return settledMs !== undefined
}

/** Whether the sensors may rest. @param isWatched an alarm is to be raised or cleared if it goes on as it is */
export function isOver(isWatched: boolean): boolean {
    if (settledMs === undefined || powerMode() === PowerMode.continuous) return false
    return !isWatched || millis() >= settledMs + config.delay * 1000 + alarmMarginMs
}

function isSettled(reading: Reading): boolean {
    const now = millis()
    const forMs = now - startMs
    if (forMs >= settleMs) return true
    if (reading.contact === false && forMs >= contactMs) return true
    if (reading.bpm === undefined) return false
    if (ratedMs === undefined) ratedMs = now
    if (reading.hasThermometer && reading.tempC === undefined) return false
    return spo2 !== undefined || now >= ratedMs + spo2Ms
}
