import { millis } from "@devicescript/core"
import { config, PowerMode } from "../config/config"
import { powerMode } from "../config/power-mode"
import { Reading } from "../reading"

/*
 * Decides when a measurement is over, for a mote that rests between measurements. Most measurements end with one
 * reading, which has all values that had settled. While an alarm may be raised or cleared, which takes time, more
 * readings follow until it is decided.
 *
 * `sensing.ts` begins a measurement and passes on the readings; `sensing.ts` and, through `mote.ts`,
 * `uplink/standby.ts` read the result.
 */

/** A heart rate takes 8 s; a thermometer on the skin takes 40 s after a start or after it was put on. */
const settleMs = 60000
/** A saturation needs 8 s of trusted heart rate. */
const spo2Ms = 10000
/** Skin is detected within a second. */
const contactMs = 6000
/** Alarms use the times of readings, which are 2 s apart. */
const alarmMarginMs = 3000

let startMs: number
let ratedMs: number
let spo2: number
let settledMs: number

/** Called when the sensors have been started. */
export function beginMeasurement(): void {
    startMs = millis()
    ratedMs = spo2 = settledMs = undefined
}

/** Time in ms until the next measurement is due. */
export function restMs(): number {
    return powerMode() === PowerMode.continuous ? 0 : startMs + config.every * 1000 - millis()
}

/** Whether to report a reading; it is completed with the values found earlier in the measurement. */
export function isReportable(reading: Reading): boolean {
    if (powerMode() === PowerMode.continuous) return true
    if (reading.spo2 !== undefined) spo2 = reading.spo2
    if (settledMs === undefined && isSettled(reading)) {
        settledMs = millis()
        reading.spo2 = spo2
    }
    return settledMs !== undefined
}

/**
 * Whether the sensors may rest. @param isWatched an alarm will be raised or cleared if the readings stay as they are
 */
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
