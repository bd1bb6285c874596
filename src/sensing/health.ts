/*
 * Whether a sensor runs; says once what is wrong with it, and once that it is back.
 *
 * Starts when it is imported. The module of each sensor writes how it is; `sensing.ts` reads it.
 */

/** The kinds of sensors that a mote has, one of each. */
export const enum Sensor {
    optical = 0,
    accelerometer = 1,
    thermometer = 2,
}

/** Bits, by sensor. */
let running = 0
/** What was said of each, unless it works. */
const complaints: string[] = []

export function isRunning(sensor: Sensor): boolean {
    return (running & (1 << sensor)) !== 0
}

export function works(sensor: Sensor): void {
    running |= 1 << sensor
    if (complaints[sensor]) logSensor(sensor, "works again")
    complaints[sensor] = undefined
}

/** It has been started, and may work. */
export function runs(sensor: Sensor): void {
    running |= 1 << sensor
}

/** It runs, but something keeps it from measuring well. */
export function complains(sensor: Sensor, complaint: string): void {
    running |= 1 << sensor
    complain(sensor, complaint)
}

export function failed(sensor: Sensor, error: Error): void {
    running &= ~(1 << sensor)
    complain(sensor, error.message)
}

function complain(sensor: Sensor, complaint: string): void {
    if (complaints[sensor] !== complaint) logSensor(sensor, complaint)
    complaints[sensor] = complaint
}

function logSensor(sensor: Sensor, what: string): void {
    let name = "thermometer"
    if (sensor === Sensor.optical) name = "optical sensor"
    else if (sensor === Sensor.accelerometer) name = "accelerometer"
    console.log(name + ": " + what)
}
