import { readSetting } from "@devicescript/settings"
import { zeros } from "./zeros"

/** How the skin's temperature becomes the body's. A clinic may want others than the usual. */
export interface TemperatureOptions {
    /** °C added to what a sensor in contact with the skin measures. */
    contactOffsetC: number
    /** °C added to what an infrared sensor measures. */
    infraredOffsetC: number
    /** How far a value may be, in °C, from where the sensor will settle. */
    settledC: number
    /** s, with which the slowest of sensors warms up on the skin. */
    timeConstantS: number
    /** A range in which skin under a worn sensor is; anything else is a room or a fault. */
    minSkinC: number
    maxSkinC: number
}

/** With 43 °C of skin no more than the 45 °C that the mote says it can measure. */
const maxOffsetC = 2
const minTimeConstantS = 5
const maxTimeConstantS = 600

const readingS = 2
/** The temperature is judged by the means of so many blocks one after the other. */
const blocks = 4
/** Readings in a block: enough for the means to be calmer than what a slow sensor drifts. */
const contactReadings = 5
/** Infrared is ten times as noisy. */
const infraredReadings = 15

/**
 * Body temperature from the sensor's. A sensor that was put on needs minutes to warm up to the skin, and until then it is
 * too low, or too high when it comes out of a warm hand. What is left goes down as exp(−t / time constant): from what it
 * moved between the first and the last block follows how far it is at most from its end, if no sensor is slower than the
 * slowest. The value is that of the skin under the sensor, and an offset.
 */
export class BodyTemperature {
    readonly options: TemperatureOptions = {
        contactOffsetC: 0,
        infraredOffsetC: 0,
        settledC: 0.2,
        timeConstantS: 180,
        minSkinC: 30,
        maxSkinC: 43,
    }
    private means = zeros(blocks)
    private sum = 0
    /** Readings in `sum`. */
    private count = 0
    /** Blocks since it was put on. */
    private complete = 0
    private isSettled = false

    /**
     * Takes the settings `skinOffsetC`, `irOffsetC` and `sensorTauS` for what is usual; one that is out of range is as good as
     * none.
     */
    async configure(): Promise<void> {
        const { options } = this
        options.contactOffsetC = await setting("skinOffsetC", -maxOffsetC, maxOffsetC, 0)
        options.infraredOffsetC = await setting("irOffsetC", -maxOffsetC, maxOffsetC, 0)
        options.timeConstantS = await setting(
            "sensorTauS",
            minTimeConstantS,
            maxTimeConstantS,
            options.timeConstantS,
        )
    }

    /** The sensor was started or taken off: it has to settle anew. */
    reset(): undefined {
        this.sum = this.count = this.complete = 0
        this.isSettled = false
        return undefined
    }

    /**
     * Takes the reading of each 2 s.
     * @param celsius of the sensor
     * @param isInfrared whether it looks at the skin from a distance
     * @returns °C, undefined until settled
     */
    next(celsius: number, isInfrared: boolean): number | undefined {
        const { contactOffsetC, infraredOffsetC, maxSkinC, minSkinC, settledC } = this.options
        if (!(celsius >= minSkinC && celsius <= maxSkinC)) return this.reset()
        // Between the ends of two blocks only a sensor that comes off moves so far.
        if (this.complete > 0 && Math.abs(celsius - this.means[this.newest()]) > settledC)
            this.reset()
        this.sum += celsius
        this.count++
        const readings = isInfrared ? infraredReadings : contactReadings
        if (this.count >= readings) this.endBlock(readings)
        if (!this.isSettled) return undefined
        return celsius + (isInfrared ? infraredOffsetC : contactOffsetC)
    }

    /** Where in `means` the newest is. */
    private newest(): number {
        return (this.complete - 1) % blocks
    }

    private endBlock(readings: number): void {
        const { means } = this
        this.complete++
        means[this.newest()] = this.sum / readings
        this.sum = this.count = 0
        this.isSettled = this.complete >= blocks && this.range() <= this.maxRange(readings)
    }

    private range(): number {
        const { means } = this
        let low = means[0]
        let high = low
        for (let i = 1; i < blocks; i++) {
            low = Math.min(low, means[i])
            high = Math.max(high, means[i])
        }
        return high - low
    }

    /** What the slowest sensor moves from the first block to the last when it is `settledC` from its end in the last. */
    private maxRange(readings: number): number {
        const { settledC, timeConstantS } = this.options
        const spanS = (blocks - 1) * readings * readingS
        return settledC * (Math.exp(spanS / timeConstantS) - 1)
    }
}

async function setting(key: string, low: number, high: number, usual: number): Promise<number> {
    const value = await readSetting(key, usual)
    return typeof value === "number" && value >= low && value <= high ? value : usual
}
