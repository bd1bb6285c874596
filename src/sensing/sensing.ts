import { millis } from "@devicescript/core"
import { acceleration, readAccelerometer, startAccelerometer, stopAccelerometer } from "./accelerometer"
import { config } from "../config/config"
import { newestMs, sampleMs } from "../drivers/max30102"
import { I2CTransfer, useBus } from "../drivers/registers"
import { isRunning, Sensor } from "./health"
import { bpm, estimateHeart, motion, pushAcceleration, pushLight, quality, resetHeart } from "../heart/heartrate"
import { isMoving } from "../heart/motion"
import { filled, hopSamples } from "../heart/pulse"
import { addColours, nextOxygen, resetOxygen, spo2 } from "../heart/oxygen"
import { contact, light, readOptical, startOptical, stopOptical } from "./optical"
import { beginMeasurement, isOver, isReportable, restMs } from "./power"
import { Reading } from "../reading"
import { configureTemperature } from "./temperature"
import { readThermometer } from "./thermometer"
import { sleep, sleepUntil, yieldToMainLoop } from "../platform/sleep"

/* Started by `mote.ts`, which gets the readings through a function; its state is private. */

/** Interval of reading the sensors. The FIFO of the optical sensor is full after 1,280 ms. */
const pollMs = 400
const readingMs = 2000
/** The end of a window is noticed with the next burst; after this delay there is no window. */
const lateMs = pollMs + 100
/** Poll interval while resting, to notice a changed power mode. */
const lookMs = 1000

/** Called with each reading. Resolves to whether it needs the next one, too. */
let readingListener: (reading: Reading) => Promise<boolean>
/** Called when all sensors rest. */
let restListener: () => Promise<void>
/** Time at which the last reading was due, on the grid of the samples if there are any. */
let lastReadingMs: number
/** The measurement is complete. */
let isDone: boolean

/**
 * Measures forever in its own fiber, and calls `onReading` every 2 s, or once per measurement if the power mode is not
 * continuous. Never throws: a chip that is absent or fails is probed again with every reading, and its values are
 * missing meanwhile.
 * @param onReading must not take longer than a second, or samples are lost; resolves to whether it needs the next
 * reading, too
 * @param onRest called when all chips have been powered down until the next measurement
 */
export async function startSensing(
    i2c: I2CTransfer,
    onReading: (reading: Reading) => Promise<boolean>,
    onRest = async () => {},
): Promise<void> {
    useBus(i2c)
    readingListener = onReading
    restListener = onRest
    run.start()
}

async function run(): Promise<void> {
    await configureTemperature()
    for (;;) {
        beginMeasurement()
        lastReadingMs = millis()
        isDone = false
        await startOptical()
        await startAccelerometer()
        while (!isDone) await turn()
        await stopOptical()
        await stopAccelerometer()
        resetHeart()
        resetOxygen()
        await restListener()
        while (restMs() > 0) await sleep(Math.min(restMs(), lookMs))
    }
}

async function turn(): Promise<void> {
    const startMs = millis()
    if (isRunning(Sensor.optical)) await measure()
    // Without samples the schedule continues from the last reading. Readings missed during sleep are not made up.
    const now = millis()
    const dueMs = lastReadingMs + readingMs
    if (now >= dueMs + lateMs) {
        await report(Math.max(dueMs, now - readingMs))
        if (!isRunning(Sensor.optical)) await startOptical()
    }
    await sleepUntil(startMs + pollMs)
}

/** Updates heart rate and saturation from the FIFO, with a reading at the end of each window. */
async function measure(): Promise<void> {
    const count = await readOptical()
    // Read after the light, so that it covers the same time; processed before it.
    if (isRunning(Sensor.accelerometer)) {
        const moved = await readAccelerometer()
        pushAcceleration(acceleration, moved)
        // After a long pause, this and the light are too much work for one slice.
        await yieldToMainLoop()
    }
    if (count < 0) {
        resetHeart()
        resetOxygen()
    }
    let used = 0
    while (used < count) {
        const from = used
        used += pushLight(light, used, count)
        addColours(light, from, used)
        if (filled < hopSamples) continue
        await estimateHeart()
        nextOxygen(bpm === undefined ? 0 : quality, motion || isMoving)
        await report(newestMs - (count - used) * sampleMs)
    }
}

async function report(atMs: number): Promise<void> {
    lastReadingMs = atMs
    const reading = new Reading()
    reading.atMs = atMs
    if (quality * 100 >= config.quality) reading.bpm = bpm
    reading.quality = quality
    reading.motion = motion
    reading.spo2 = spo2
    const isLooking = isRunning(Sensor.optical)
    // Without the optical sensor it is unknown whether there is skin; then the temperature itself distinguishes skin
    // from a room.
    reading.tempC = await readThermometer(contact || !isLooking)
    reading.contact = isLooking ? contact : undefined
    reading.hasThermometer = isRunning(Sensor.thermometer)
    // Four addresses without a response: an absent accelerometer costs a millisecond.
    if (!isRunning(Sensor.accelerometer)) await startAccelerometer()
    if (!isReportable(reading)) return
    try {
        isDone = isOver(await readingListener(reading))
    } catch (e) {
        console.log("reading: " + (e as Error).message)
    }
}
