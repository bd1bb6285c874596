import { readInt16, SensorError, writeBurst } from "./registers"
import { sleep } from "../platform/sleep"

// Data sheet: Texas Instruments SNOSD82, TMP117 High-Accuracy, Low-Power, Digital Temperature Sensor.
const TEMP_RESULT = 0x00
const CONFIGURATION = 0x01
const DEVICE_ID = 0x0f

const DATA_READY = 0x2000
/** Mode, conversion cycle and averaging; the other bits are flags and the alert pin. */
const MOD_CONV_AVG = 0x0fe0

const deviceId = 0x0117
/** The four highest bits are the revision. */
const deviceIdMask = 0x0fff
/** Shutdown, average of 8. After a reset the register is 0x0220 and the chip converts continuously. */
const shutdown = hex`04 20`
const shutdownMode = 0x0420
/** One-shot, average of 8; the chip then shuts down by itself. */
const oneShot = hex`0c 20`
const conversionMs = 125
const pollMs = 5
/** A conversion may take 12.5 % longer. */
const polls = 8
const noResult = -0x8000
const stepsPerDegree = 128

/*
 * Texas Instruments TMP117 temperature sensor, ±0.1 °C from −20 to 50 °C. It sleeps between readings at less than 1 µA, and
 * warms itself only during one conversion of 125 ms. Its address is 0x48 to 0x4B: pin ADD0 is connected to
 * ground, supply, SDA or SCL.
 *
 *     if (await startTmp117(0x48)) celsius = await readTmp117(0x48)
 */

/** Puts the chip to sleep; see driver.ts. */
export async function startTmp117(chip: number): Promise<boolean> {
    if (((await readInt16(chip, DEVICE_ID)) & deviceIdMask) !== deviceId) return false
    await writeBurst(chip, CONFIGURATION, shutdown)
    await checkConfiguration(chip)
    return true
}

/** Makes one conversion; see driver.ts. @returns °C */
export async function readTmp117(chip: number): Promise<number> {
    await checkConfiguration(chip)
    await writeBurst(chip, CONFIGURATION, oneShot)
    await sleep(conversionMs)
    for (let i = 0; i < polls; i++) {
        // Reading clears the flag, and a chip that was reset meanwhile has other settings.
        const configuration = await readInt16(chip, CONFIGURATION)
        if (configuration & DATA_READY) {
            if ((configuration & MOD_CONV_AVG) !== shutdownMode) break
            const steps = await readInt16(chip, TEMP_RESULT)
            if (steps === noResult) break
            return steps / stepsPerDegree
        }
        await sleep(pollMs)
    }
    throw new SensorError("TMP117 has no result")
}

async function checkConfiguration(chip: number): Promise<void> {
    if (((await readInt16(chip, CONFIGURATION)) & MOD_CONV_AVG) !== shutdownMode)
        throw new SensorError("TMP117 lost power")
}
