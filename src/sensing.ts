import { millis, sleep } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { Accelerometer } from "./accelerometer"
import { config } from "./config/config"
import { sampleMs } from "./drivers/max30102"
import {
    bpm,
    estimateHeart,
    isComplete,
    motion,
    pushAcceleration,
    pushLight,
    quality,
    resetHeart,
} from "./heart/heartrate"
import { isMoving } from "./heart/motion"
import { addColours, nextOxygen, resetOxygen, spo2 } from "./heart/oxygen"
import { OpticalSensor } from "./optical"
import { beginMeasurement, isOver, isWorthTelling, restMs } from "./power"
import { Reading } from "./reading"
import { Thermometer } from "./thermometer"

/** The FIFO of the optical sensor is full after 1,280 ms. */
const pollMs = 400
const readingMs = 2000
/** The end of a window is noticed with the next burst; when it is so late, there is no window. */
const lateMs = pollMs + 100
/** So often a mote that rests looks whether it should still. */
const lookMs = 1000

/**
 * Measures for ever, in a fiber of its own, and calls `onReading` every 2 s, or once for each measurement where the power
 * mode is not continuous. Never throws: a chip that is absent or fails is looked for again with every reading, and its
 * values are missing meanwhile.
 * @param onReading must not take longer than a second, or samples are lost; says whether it needs the next one, too
 * @param onRest is called when all chips have been switched off until the next measurement
 */
export async function startSensing(
    i2c: I2C,
    onReading: (reading: Reading) => Promise<boolean>,
    onRest = async () => {},
): Promise<void> {
    const sensing = new Sensing(i2c, onReading, onRest)
    const run = async () => await sensing.run()
    run.start()
}

class Sensing {
    private onReading: (reading: Reading) => Promise<boolean>
    private onRest: () => Promise<void>
    private optical: OpticalSensor
    private accelerometer: Accelerometer
    private thermometer: Thermometer
    /** When the last reading was due, on the grid of the samples if there are any. */
    private lastReadingMs: number
    private isOver: boolean

    constructor(
        i2c: I2C,
        onReading: (reading: Reading) => Promise<boolean>,
        onRest: () => Promise<void>,
    ) {
        this.onReading = onReading
        this.onRest = onRest
        this.optical = new OpticalSensor(i2c)
        this.accelerometer = new Accelerometer(i2c)
        this.thermometer = new Thermometer(i2c)
    }

    async run(): Promise<void> {
        const { optical, accelerometer, thermometer } = this
        await thermometer.body.configure()
        for (;;) {
            beginMeasurement()
            this.lastReadingMs = millis()
            this.isOver = false
            await optical.start()
            await accelerometer.start()
            while (!this.isOver) await this.turn()
            await optical.stop()
            await accelerometer.stop()
            resetHeart()
            resetOxygen()
            await this.onRest()
            while (restMs() > 0) await sleep(Math.min(restMs(), lookMs))
        }
    }

    private async turn(): Promise<void> {
        const { optical } = this
        const startMs = millis()
        if (optical.health.isRunning) await this.measure()
        // Without samples the clock goes on where they left off; what was slept through is not made up for.
        const now = millis()
        const dueMs = this.lastReadingMs + readingMs
        if (now >= dueMs + lateMs) {
            await this.report(Math.max(dueMs, now - readingMs))
            if (!optical.health.isRunning) await optical.start()
        }
        await sleep(Math.max(1, startMs + pollMs - millis()))
    }

    /** Makes heart rate and saturation of what is in the FIFO, with a reading at the end of each window. */
    private async measure(): Promise<void> {
        const { optical, accelerometer } = this
        const { chip } = optical
        const count = await optical.read()
        // Read after the light, so that it reaches as far; worked in before.
        if (accelerometer.health.isRunning) {
            const moved = await accelerometer.read()
            pushAcceleration(accelerometer.fifo, moved)
            // After a late look, this and the light are too much for one slice.
            await sleep(0)
        }
        if (count < 0) {
            resetHeart()
            resetOxygen()
        }
        let used = 0
        while (used < count) {
            const from = used
            used += pushLight(chip.fifo, used, count)
            addColours(chip.fifo, from, used)
            if (!isComplete()) continue
            await estimateHeart()
            nextOxygen(bpm === undefined ? 0 : quality, motion || isMoving)
            await this.report(chip.newestMs - (count - used) * sampleMs)
        }
    }

    private async report(atMs: number): Promise<void> {
        this.lastReadingMs = atMs
        const reading = new Reading()
        reading.atMs = atMs
        if (quality * 100 >= config.quality) reading.bpm = bpm
        reading.quality = quality
        reading.motion = motion
        reading.spo2 = spo2
        const { contact, health } = this.optical
        // Without the optical sensor nobody knows; the temperature itself tells skin from a room.
        reading.tempC = await this.thermometer.read(contact || !health.isRunning)
        reading.contact = health.isRunning ? contact : undefined
        reading.hasThermometer = this.thermometer.health.isRunning
        // Four addresses that nobody answers to: an absent accelerometer costs a millisecond.
        if (!this.accelerometer.health.isRunning) await this.accelerometer.start()
        if (!isWorthTelling(reading)) return
        try {
            this.isOver = isOver(await this.onReading(reading))
        } catch (e) {
            console.log("reading: " + (e as Error).message)
        }
    }
}
