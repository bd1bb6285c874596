import { millis, sleep } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { Max30102, sampleMs } from "./drivers/max30102"
import { Max30205 } from "./drivers/max30205"
import { HeartRate } from "./heart/heartrate"
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

/** Whether a sensor runs; says once what is wrong with it. */
class Health {
    isRunning = false
    private name: string
    private complaint: string

    constructor(name: string) {
        this.name = name
    }

    works(): void {
        this.isRunning = true
        this.complaint = undefined
    }

    failed(error: Error): void {
        this.isRunning = false
        if (this.complaint !== error.message) console.log(`${this.name}: ${error.message}`)
        this.complaint = error.message
    }
}

class Sensing {
    private onReading: (reading: Reading) => Promise<void>
    private optical: Max30102
    private opticalHealth = new Health("optical sensor")
    private heart = new HeartRate()
    private thermometer: Max30205
    private thermometerHealth = new Health("thermometer")
    private temperature = new BodyTemperature()
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
            if (this.opticalHealth.isRunning) await this.readOptical()
            else if (startMs - this.lastReadingMs >= readingMs) {
                await this.report(startMs)
                await this.startOptical()
            }
            await sleep(Math.max(1, startMs + pollMs - millis()))
        }
    }

    private async startOptical(): Promise<void> {
        this.heart.reset()
        try {
            await this.optical.start()
            this.opticalHealth.isRunning = true
        } catch (e) {
            this.opticalHealth.failed(e as Error)
        }
    }

    /** Makes the heart rate of what is in the FIFO, with a reading at the end of each window. */
    private async readOptical(): Promise<void> {
        const { heart, optical } = this
        try {
            const count = await optical.read()
            this.opticalHealth.works()
            if (count < 0) heart.reset()
            let used = 0
            while (used < count) {
                used += heart.push(optical.fifo, used, count)
                if (!heart.isComplete()) continue
                await heart.estimate()
                await this.report(optical.newestMs - (count - used) * sampleMs)
            }
        } catch (e) {
            heart.reset()
            this.opticalHealth.failed(e as Error)
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

    /** °C, undefined until settled, when nobody wears the mote, and when the sensor does not answer. */
    private async readTemperature(): Promise<number | undefined> {
        const { thermometer, temperature } = this
        const health = this.thermometerHealth
        try {
            if (!health.isRunning) {
                temperature.reset()
                await thermometer.start()
            }
            const celsius = await thermometer.read()
            health.works()
            const isWorn = this.heart.contact || !this.opticalHealth.isRunning
            return isWorn ? temperature.next(celsius) : temperature.reset()
        } catch (e) {
            health.failed(e as Error)
            return undefined
        }
    }
}
