import { readSetting } from "../platform/flash"
import { zeros } from "../platform/zeros"

/*
 * Body temperature from the sensor's temperature. After it is put on, a sensor needs minutes to reach that of the skin;
 * until then it is too low, or too high if it comes from a warm hand. The remaining difference decays as exp(−t / time
 * constant). For a time constant no longer than the slowest sensor's, the change between the first and the last block
 * limits that difference. The value is the temperature of the skin under the sensor, plus an offset.
 *
 * Started by `sensing.ts` (`configureTemperature`); `thermometer.ts` passes on the readings and resets it.
 */

/** With skin at 43 °C, this stays within the 45 °C that the mote declares as its maximum. */
const maxOffsetC = 2
const minTimeConstantS = 5
const maxTimeConstantS = 600

/** Maximum difference between a value and the temperature at which the sensor will settle. */
const settledC = 0.2
/** Range of skin under a worn sensor; anything else is a room or a fault. */
const minSkinC = 30
const maxSkinC = 43

const readingS = 2
/** Number of consecutive blocks whose means are compared. */
const blocks = 4
/** Readings per block: enough for the means to vary less than a slow sensor drifts. */
const contactReadings = 5
/** An infrared thermometer is ten times as noisy. */
const infraredReadings = 15

/** Offsets for a sensor in contact with the skin and for an infrared one; a clinic may want some. */
let contactOffsetC = 0
let infraredOffsetC = 0
/** Time constant with which the slowest sensor warms up on the skin. */
let timeConstantS = 180

const means = zeros(blocks)
let sum = 0
/** Readings in `sum`. */
let count = 0
/** Blocks since it was put on. */
let complete = 0
let isSettled = false

/**
 * Reads the settings `skinOffsetC`, `irOffsetC` and `sensorTauS`; the default replaces one that is absent or out of
 * range.
 */
export async function configureTemperature(): Promise<void> {
    contactOffsetC = await setting("skinOffsetC", -maxOffsetC, maxOffsetC, 0)
    infraredOffsetC = await setting("irOffsetC", -maxOffsetC, maxOffsetC, 0)
    timeConstantS = await setting("sensorTauS", minTimeConstantS, maxTimeConstantS, timeConstantS)
}

/** The sensor was started or taken off, and must settle again. */
export function resetTemperature(): undefined {
    sum = count = complete = 0
    isSettled = false
    return undefined
}

/**
 * Takes the reading, every 2 s.
 * @param celsius of the sensor
 * @param isInfrared whether it measures without contact
 * @returns °C; undefined until settled
 */
export function nextTemperature(celsius: number, isInfrared: boolean): number | undefined {
    if (!(celsius >= minSkinC && celsius <= maxSkinC)) return resetTemperature()
    // Between the ends of two blocks only a sensor that comes off changes this much.
    if (complete > 0 && Math.abs(celsius - means[newest()]) > settledC) resetTemperature()
    sum += celsius
    count++
    const readings = isInfrared ? infraredReadings : contactReadings
    if (count >= readings) endBlock(readings)
    if (!isSettled) return undefined
    return celsius + (isInfrared ? infraredOffsetC : contactOffsetC)
}

/** Index of the newest in `means`. */
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

/** Change of the slowest sensor from the first block to the last, if it is `settledC` from its end in the last. */
function maxRange(readings: number): number {
    const spanS = (blocks - 1) * readings * readingS
    return settledC * (Math.exp(spanS / timeConstantS) - 1)
}

async function setting(key: string, low: number, high: number, usual: number): Promise<number> {
    const value = await readSetting(key, usual)
    return typeof value === "number" && value >= low && value <= high ? value : usual
}
