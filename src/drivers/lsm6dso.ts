import { millis } from "@devicescript/core"
import { configure, configureRegister, readBurst, readRegister, reset, SensorError, writeRegister } from "./registers"

// Data sheet: ST DS12140, LSM6DSO iNEMO inertial module; its gyroscope stays off.

/*
 * ST LSM6DSO, of which only the accelerometer is used; its address is 0x6A, or 0x6B if pin SA0 is high.
 *
 *     await startLsm6dso(0x6a)
 *     const samples = await readLsm6dso(0x6a)
 *
 * Started, read and stopped by `sensing/accelerometer.ts`; its state is private.
 */

const FIFO_CTRL3 = 0x09
const FIFO_CTRL4 = 0x0a
const WHO_AM_I = 0x0f
const CTRL1_XL = 0x10
const CTRL3_C = 0x12
const FIFO_STATUS1 = 0x3a
const FIFO_DATA_OUT_TAG = 0x78

const SW_RESET = 0x01
const POWER_DOWN = 0x00
const BYPASS_MODE = 0x00
const CONTINUOUS_MODE = 0x06
const DIFF_FIFO_HIGH = 0x03

const whoAmI = 0x6c
const resetTimeoutMs = 50
/** Maximum number of words in a burst. The FIFO holds 512, but the light from so long ago is lost as well. */
const maxWords = 32
/** A tag for the sensor, then x, y and z, 2 bytes each. */
const wordBytes = 7
const sampleBytes = 6
/** After eight missing samples the chip has stopped or was reset. */
const overdueMs = 310

/** CTRL3_C to 6_C: block data update, address increment; low power: 26 µA at 52 Hz instead of 170. */
const modes = hex`44 00 00 10`
/** CTRL1_XL: 26 Hz, ±8 g. */
const rateAndScale = hex`2c`
/** FIFO_CTRL3: accelerometer at 26 Hz only. */
const batching = hex`02`

/** Time of the last samples. */
let sampledMs: number

/** Resets, configures and starts the chip; see driver.ts. */
export async function startLsm6dso(chip: number): Promise<boolean> {
    if ((await readRegister(chip, WHO_AM_I)) !== whoAmI) return false
    await reset(chip, CTRL3_C, SW_RESET, resetTimeoutMs)
    await configure(chip, CTRL3_C, modes)
    await configure(chip, FIFO_CTRL3, batching)
    await configure(chip, CTRL1_XL, rateAndScale)
    await flush(chip)
    return true
}

/** Powers the chip down to 3 µA, until `startLsm6dso`. */
export async function stopLsm6dso(chip: number): Promise<void> {
    await configureRegister(chip, CTRL1_XL, POWER_DOWN)
}

/**
 * Reads the whole FIFO; see driver.ts. Must be called at least once a second; more than 32 samples are a gap.
 * @returns at most 32 samples in the format of acceleration.ts
 */
export async function readLsm6dso(chip: number): Promise<Buffer | undefined> {
    const now = millis()
    const status = await readBurst(chip, FIFO_STATUS1, 2)
    const count = ((status[1] & DIFF_FIFO_HIGH) << 8) | status[0]
    if (count > maxWords) {
        await flush(chip)
        return undefined
    }
    if (count === 0) {
        if (now - sampledMs > overdueMs) throw new SensorError("LSM6DSO has stopped")
        return hex``
    }
    const words = await readBurst(chip, FIFO_DATA_OUT_TAG, count * wordBytes)
    const samples = Buffer.alloc(count * sampleBytes)
    for (let i = 0; i < count; i++) samples.blitAt(i * sampleBytes, words, i * wordBytes + 1, sampleBytes)
    sampledMs = now
    return samples
}

/** Discards the FIFO. */
async function flush(chip: number): Promise<void> {
    await writeRegister(chip, FIFO_CTRL4, BYPASS_MODE)
    await configureRegister(chip, FIFO_CTRL4, CONTINUOUS_MODE)
    sampledMs = millis()
}
