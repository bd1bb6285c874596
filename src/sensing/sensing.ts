import { millis } from "@devicescript/core"
import { acceleration, readAccelerometer, startAccelerometer, stopAccelerometer } from "./accelerometer"
import { config } from "../config/config"
import { newestMs, sampleMs } from "../drivers/max30102"
import { I2CTransfer, useBus } from "../drivers/registers"
import { isRunning, Sensor } from "./health"
import {
    bpm,
    estimateHeart,
    isComplete,
    motion,
    pushAcceleration,
    pushLight,
    quality,
    resetHeart,
} from "../heart/heartrate"
import { isMoving } from "../heart/motion"
import { addColours, nextOxygen, resetOxygen, spo2 } from "../heart/oxygen"
import { contact, light, readOptical, startOptical, stopOptical } from "./optical"
import { beginMeasurement, isOver, isWorthTelling, restMs } from "./power"
import { Reading } from "../reading"
import { configureTemperature } from "./temperature"
import { readThermometer } from "./thermometer"
import { sleep, sleepUntil, yieldToMainLoop } from "../platform/sleep"

/*
 * Started by `mote.ts`, which gets the readings through a function; nobody else writes or reads its state.
 */

/** The FIFO of the optical sensor is full after 1,280 ms. */
const pollMs = 400
const readingMs = 2000
/** The end of a window is noticed with the next burst; when it is so late, there is no window. */
const lateMs = pollMs + 100
/** So often a mote that rests looks whether it should still. */
const lookMs = 1000

/** What is called with a reading, and says whether it needs the next one, too. */
let readingListener: (reading: Reading) => Promise<boolean>
/** What is called when all rests. */
let restListener: () => Promise<void>
/** When the last reading was due, on the grid of the samples if there are any. */
let lastReadingMs: number
/** The measurement has what it is for. */
let isDone: boolean

/**
 * Measures for ever, in a fiber of its own, and calls `onReading` every 2 s, or once for each measurement where the power
 * mode is not continuous. Never throws: a chip that is absent or fails is looked for again with every reading, and its
 * values are missing meanwhile.
 * @param onReading must not take longer than a second, or samples are lost; says whether it needs the next one, too
 * @param onRest is called when all chips have been switched off until the next measurement
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
    // Without samples the clock goes on where they left off; what was slept through is not made up for.
    const now = millis()
    const dueMs = lastReadingMs + readingMs
    if (now >= dueMs + lateMs) {
        await report(Math.max(dueMs, now - readingMs))
        if (!isRunning(Sensor.optical)) await startOptical()
    }
    await sleepUntil(startMs + pollMs)
}

/** Makes heart rate and saturation of what is in the FIFO, with a reading at the end of each window. */
async function measure(): Promise<void> {
    const count = await readOptical()
    // Read after the light, so that it reaches as far; worked in before.
    if (isRunning(Sensor.accelerometer)) {
        const moved = await readAccelerometer()
        pushAcceleration(acceleration, moved)
        // After a late look, this and the light are too much for one slice.
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
        if (!isComplete()) continue
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
    // Without the optical sensor nobody knows; the temperature itself tells skin from a room.
    reading.tempC = await readThermometer(contact || !isLooking)
    reading.contact = isLooking ? contact : undefined
    reading.hasThermometer = isRunning(Sensor.thermometer)
    // Four addresses that nobody answers to: an absent accelerometer costs a millisecond.
    if (!isRunning(Sensor.accelerometer)) await startAccelerometer()
    if (!isWorthTelling(reading)) return
    try {
        isDone = isOver(await readingListener(reading))
    } catch (e) {
        console.log("reading: " + (e as Error).message)
    }
}
