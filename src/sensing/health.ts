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
const problems: string[] = []

export function isRunning(sensor: Sensor): boolean {
    return (running & (1 << sensor)) !== 0
}

export function works(sensor: Sensor): void {
    running |= 1 << sensor
    if (problems[sensor]) logSensor(sensor, "works again")
    problems[sensor] = undefined
}

/** The sensor has been started, but has not yet proved to work. */
export function runs(sensor: Sensor): void {
    running |= 1 << sensor
}

/** The sensor runs, but cannot measure well. */
export function impaired(sensor: Sensor, problem: string): void {
    running |= 1 << sensor
    logProblem(sensor, problem)
}

export function failed(sensor: Sensor, error: Error): void {
    running &= ~(1 << sensor)
    logProblem(sensor, error.message)
}

function logProblem(sensor: Sensor, problem: string): void {
    if (problems[sensor] !== problem) logSensor(sensor, problem)
    problems[sensor] = problem
}

function logSensor(sensor: Sensor, what: string): void {
    let name = "thermometer"
    if (sensor === Sensor.optical) name = "optical sensor"
    else if (sensor === Sensor.accelerometer) name = "accelerometer"
    console.log(name + ": " + what)
}
