/*
 * Which sensors run. Logs each problem of a sensor once, and once that it works again.
 *
 * Starts when it is imported. The module of each sensor writes its state; `sensing.ts` reads it.
 */

/** Kinds of sensors; a mote has one of each. */
export const enum Sensor {
    optical = 0,
    accelerometer = 1,
    thermometer = 2,
}

/** Bits, by sensor. */
let running = 0
/** The last problem logged for each sensor; undefined while it works. */
const complaints: string[] = []

export function isRunning(sensor: Sensor): boolean {
    return (running & (1 << sensor)) !== 0
}

export function works(sensor: Sensor): void {
    running |= 1 << sensor
    if (complaints[sensor]) logSensor(sensor, "works again")
    complaints[sensor] = undefined
}

/** The sensor has been started, but has not yet proved to work. */
export function runs(sensor: Sensor): void {
    running |= 1 << sensor
}

/** The sensor runs, but cannot measure well. */
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
