import { millis, sleep } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { Max30102, sampleMs } from "./drivers/max30102"
import { Max30205 } from "./drivers/max30205"
import { HeartRate } from "./heartrate"
import { Reading } from "./reading"
import { BodyTemperature } from "./temperature"

/** The FIFO of the optical sensor is full after 1,280 ms. */
const pollMs = 400
const readingMs = 2000

/**
 * Measures for ever, in a fiber of its own, and calls `onReading` every 2 s. Never throws: a chip that is absent or
 * fails is looked for again with every reading, and its values are missing meanwhile.
 * @param onReading must not take longer than a second, or samples are lost
 */
export async function startSensing(
    i2c: I2C,
    onReading: (reading: Reading) => Promise<void>,
): Promise<void> {
    const sensing = new Sensing(i2c, onReading)
    const run = async () => await sensing.run()
    run.start()
}

class Sensing {
    private onReading: (reading: Reading) => Promise<void>
    private optical: Max30102
    private thermometer: Max30205
    private heart = new HeartRate()
    private temperature = new BodyTemperature()
    private opticalRuns = false
    private thermometerRuns = false
    /** When the last reading was due, on the grid of the samples if there are any. */
    private lastReadingMs = millis()

    constructor(i2c: I2C, onReading: (reading: Reading) => Promise<void>) {
        this.onReading = onReading
        this.optical = new Max30102(i2c)
        this.thermometer = new Max30205(i2c)
    }

    async run(): Promise<void> {
        await this.startOptical()
        for (;;) {
            const startMs = millis()
            if (this.opticalRuns) await this.readOptical()
            else if (startMs - this.lastReadingMs >= readingMs) {
                await this.report(startMs)
                await this.startOptical()
            }
            await sleep(Math.max(1, startMs + pollMs - millis()))
        }
    }

    /** Makes the heart rate of what is in the FIFO, with a reading at the end of each window. */
    private async readOptical(): Promise<void> {
        const heart = this.heart
        try {
            const count = await this.optical.read()
            if (count < 0) heart.reset()
            let used = 0
            while (used < count) {
                used += heart.push(this.optical.fifo, used, count)
                if (!heart.isComplete()) continue
                const endMs = this.optical.newestMs - (count - used) * sampleMs
                await heart.estimate()
                await this.report(endMs)
            }
        } catch (e) {
            console.log("optical sensor: " + (e as Error).message)
            this.opticalRuns = false
            heart.reset()
        }
    }

    private async startOptical(): Promise<void> {
        try {
            await this.optical.start()
            this.opticalRuns = true
            this.heart.reset()
        } catch (e) {
            if (this.opticalRuns) console.log("optical sensor: " + (e as Error).message)
        }
    }

    private async report(atMs: number): Promise<void> {
        this.lastReadingMs = atMs
        const reading = new Reading()
        reading.atMs = atMs
        reading.bpm = this.heart.bpm
        reading.quality = this.heart.quality
        reading.motion = this.heart.motion
        reading.tempC = await this.readTemperature()
        try {
            await this.onReading(reading)
        } catch (e) {
            console.log("reading: " + (e as Error).message)
        }
    }

    private async readTemperature(): Promise<number | undefined> {
        const { thermometer, temperature } = this
        try {
            if (!this.thermometerRuns) {
                await thermometer.start()
                temperature.reset()
                this.thermometerRuns = true
            }
            const celsius = await thermometer.read()
            if (!this.opticalRuns || this.heart.contact) return temperature.next(celsius)
            temperature.reset()
            return undefined
        } catch (e) {
            if (this.thermometerRuns) console.log("thermometer: " + (e as Error).message)
            this.thermometerRuns = false
            return undefined
        }
    }
}
