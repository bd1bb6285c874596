import { millis } from "@devicescript/core"
import { configure, configureRegister, readBurst, readRegister, SensorError, writeRegister } from "./registers"

// Data sheet: ST DocID17530, LIS3DH MEMS digital output motion sensor.

/*
 * ST LIS3DH accelerometer; its address is 0x18, or 0x19 if pin SA0 is high.
 *
 *     await startLis3dh(0x18)
 *     const samples = await readLis3dh(0x18)
 *
 * Started, read and stopped by `sensing/accelerometer.ts`; its state is private.
 */

const WHO_AM_I = 0x0f
const CTRL_REG1 = 0x20
const OUT_X_L = 0x28
const FIFO_CTRL_REG = 0x2e
const FIFO_SRC_REG = 0x2f

/** Address bit for bursts: the address advances, and wraps from the last output register to the first. */
const AUTO_INCREMENT = 0x80
const POWER_DOWN = 0x00
const BYPASS_MODE = 0x00
const STREAM_MODE = 0x80
const OVRN_FIFO = 0x40
const FSS = 0x1f

const whoAmI = 0x33
/** x, y and z, 2 bytes each. */
const sampleBytes = 6
/** After eight missing samples the chip has stopped or was reset. */
const overdueMs = 320

/**
 * CTRL_REG1 to 6: 25 Hz, all axes; no filter; no interrupt; ±8 g, normal mode, block data update; FIFO. Normal mode has
 * the 10 bits that the FIFO stores and a bandwidth of 12.5 Hz. High resolution would limit it to 2.8 Hz; low power
 * would save 2 of 6 µA and have steps of 64 mg (tables 4, 10 and 12).
 */
const configuration = hex`37 00 00 a0 40 00`

/** Time of the last samples. */
let sampledMs: number

/** Configures and starts the chip; see driver.ts. */
export async function startLis3dh(chip: number): Promise<boolean> {
    if ((await readRegister(chip, WHO_AM_I)) !== whoAmI) return false
    await configure(chip, CTRL_REG1 | AUTO_INCREMENT, configuration)
    await flush(chip)
    return true
}

/** Powers the chip down to less than 1 µA, until `startLis3dh`. */
export async function stopLis3dh(chip: number): Promise<void> {
    await configureRegister(chip, CTRL_REG1, POWER_DOWN)
}

/**
 * Reads the whole FIFO; see driver.ts. Must be called at least once a second.
 * @returns at most 31 samples in the format of acceleration.ts
 */
export async function readLis3dh(chip: number): Promise<Buffer | undefined> {
    const now = millis()
    const source = await readRegister(chip, FIFO_SRC_REG)
    if (source & OVRN_FIFO) {
        await flush(chip)
        return undefined
    }
    const count = source & FSS
    if (count === 0) {
        if (now - sampledMs > overdueMs) throw new SensorError("LIS3DH has stopped")
        return hex``
    }
    const samples = await readBurst(chip, OUT_X_L | AUTO_INCREMENT, count * sampleBytes)
    sampledMs = now
    return samples
}

/** Discards the FIFO; bypass mode resets it (5.1.1). */
async function flush(chip: number): Promise<void> {
    await writeRegister(chip, FIFO_CTRL_REG, BYPASS_MODE)
    await configureRegister(chip, FIFO_CTRL_REG, STREAM_MODE)
    sampledMs = millis()
}
