import { readSetting } from "../platform/flash"
import { zeros } from "../platform/zeros"

/*
 * Body temperature from the sensor's. A sensor that was put on needs minutes to warm up to the skin, and until then it is
 * too low, or too high when it comes out of a warm hand. What is left goes down as exp(−t / time constant): from what it
 * moved between the first and the last block follows how far it is at most from its end, if no sensor is slower than the
 * slowest. The value is that of the skin under the sensor, and an offset.
 *
 * Started by `sensing.ts` (`configureTemperature`); `thermometer.ts` gives it the readings and resets it.
 */

/** With 43 °C of skin no more than the 45 °C that the mote says it can measure. */
const maxOffsetC = 2
const minTimeConstantS = 5
const maxTimeConstantS = 600

/** How far a value may be from where the sensor will settle. */
const settledC = 0.2
/** A range in which skin under a worn sensor is; anything else is a room or a fault. */
const minSkinC = 30
const maxSkinC = 43

const readingS = 2
/** The temperature is judged by the means of so many blocks one after the other. */
const blocks = 4
/** Readings in a block: enough for the means to be calmer than what a slow sensor drifts. */
const contactReadings = 5
/** Infrared is ten times as noisy. */
const infraredReadings = 15

/** Added to what a sensor in contact with the skin measures, and to what an infrared one does; a clinic may want some. */
let contactOffsetC = 0
let infraredOffsetC = 0
/** With which the slowest of sensors warms up on the skin. */
let timeConstantS = 180

const means = zeros(blocks)
let sum = 0
/** Readings in `sum`. */
let count = 0
/** Blocks since it was put on. */
let complete = 0
let isSettled = false

/**
 * Takes the settings `skinOffsetC`, `irOffsetC` and `sensorTauS` for what is usual; one that is out of range is as good as
 * none.
 */
export async function configureTemperature(): Promise<void> {
    contactOffsetC = await setting("skinOffsetC", -maxOffsetC, maxOffsetC, 0)
    infraredOffsetC = await setting("irOffsetC", -maxOffsetC, maxOffsetC, 0)
    timeConstantS = await setting("sensorTauS", minTimeConstantS, maxTimeConstantS, timeConstantS)
}

/** The sensor was started or taken off: it has to settle anew. */
export function resetTemperature(): undefined {
    sum = count = complete = 0
    isSettled = false
    return undefined
}

/**
 * Takes the reading of each 2 s.
 * @param celsius of the sensor
 * @param isInfrared whether it looks at the skin from a distance
 * @returns °C, undefined until settled
 */
export function nextTemperature(celsius: number, isInfrared: boolean): number | undefined {
    if (!(celsius >= minSkinC && celsius <= maxSkinC)) return resetTemperature()
    // Between the ends of two blocks only a sensor that comes off moves so far.
    if (complete > 0 && Math.abs(celsius - means[newest()]) > settledC) resetTemperature()
    sum += celsius
    count++
    const readings = isInfrared ? infraredReadings : contactReadings
    if (count >= readings) endBlock(readings)
    if (!isSettled) return undefined
    return celsius + (isInfrared ? infraredOffsetC : contactOffsetC)
}

/** Where in `means` the newest is. */
function newest(): number {
    return (complete - 1) % blocks
}

function endBlock(readings: number): void {
    complete++
    means[newest()] = sum / readings
    sum = count = 0
    isSettled = complete >= blocks && range() <= maxRange(readings)
}

function range(): number {
    let low = means[0]
    let high = low
    for (let i = 1; i < blocks; i++) {
        low = Math.min(low, means[i])
        high = Math.max(high, means[i])
    }
    return high - low
}

/** What the slowest sensor moves from the first block to the last when it is `settledC` from its end in the last. */
function maxRange(readings: number): number {
    const spanS = (blocks - 1) * readings * readingS
    return settledC * (Math.exp(spanS / timeConstantS) - 1)
}

async function setting(key: string, low: number, high: number, usual: number): Promise<number> {
    const value = await readSetting(key, usual)
    return typeof value === "number" && value >= low && value <= high ? value : usual
}
