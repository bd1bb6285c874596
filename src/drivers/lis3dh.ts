import { millis } from "@devicescript/core"
import { configure, configureRegister, readBurst, readRegister, SensorError, writeRegister } from "./registers"

// Data sheet: ST DocID17530, LIS3DH MEMS digital output motion sensor.

/*
 * ST LIS3DH, accelerometer; its address is 0x18, or 0x19 where pin SA0 is high.
 *
 *     await startLis3dh(0x18)
 *     const samples = await readLis3dh(0x18)
 *
 * Started, read and stopped by `sensing/accelerometer.ts`; nobody else writes or reads its state.
 */

const WHO_AM_I = 0x0f
const CTRL_REG1 = 0x20
const OUT_X_L = 0x28
const FIFO_CTRL_REG = 0x2e
const FIFO_SRC_REG = 0x2f

/** In a register address: the burst goes on to the next register, and from the last output back to the first. */
const AUTO_INCREMENT = 0x80
const POWER_DOWN = 0x00
const BYPASS_MODE = 0x00
const STREAM_MODE = 0x80
const OVRN_FIFO = 0x40
const FSS = 0x1f

const whoAmI = 0x33
/** x, y and z, 2 bytes each. */
const sampleBytes = 6
/** The chip has stopped, or was reset, when eight samples are overdue. */
const overdueMs = 320

/**
 * CTRL_REG1 to 6: 25 Hz, all axes; no filter; no interrupt; ±8 g, normal mode, samples that belong together; FIFO.
 * Normal mode has the 10 bits that the FIFO keeps and a bandwidth of 12.5 Hz. High resolution would end at 2.8 Hz; low
 * power would save 2 of 6 µA and have steps of 64 mg (tables 4, 10 and 12).
 */
const configuration = hex`37 00 00 a0 40 00`

/** The last time that there were samples. */
let sampledMs: number

/** Configures and starts the chip, as driver.ts has it. */
export async function startLis3dh(chip: number): Promise<boolean> {
    if ((await readRegister(chip, WHO_AM_I)) !== whoAmI) return false
    await configure(chip, CTRL_REG1 | AUTO_INCREMENT, configuration)
    await flush(chip)
    return true
}

/** Less than 1 µA; `startLis3dh` ends it. */
export async function stopLis3dh(chip: number): Promise<void> {
    await configureRegister(chip, CTRL_REG1, POWER_DOWN)
}

/**
 * Empties the FIFO, as driver.ts has it; to be called every second at least.
 * @returns at most 31 samples in the form of acceleration.ts
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

/** Throws away what is in the FIFO: bypass mode is how it is reset (5.1.1). */
async function flush(chip: number): Promise<void> {
    await writeRegister(chip, FIFO_CTRL_REG, BYPASS_MODE)
    await configureRegister(chip, FIFO_CTRL_REG, STREAM_MODE)
    sampledMs = millis()
}
