import { readInt16, readRegister, SensorError, writeRegister } from "./registers"
import { sleep } from "../platform/sleep"

// Data sheet: Maxim 19-8505, MAX30205 Human Body Temperature Sensor.
const TEMPERATURE = 0x00
const CONFIGURATION = 0x01
const T_HYST = 0x02
const T_OS = 0x03

const ONE_SHOT = 0x80
const SHUTDOWN = 0x01

/** 75 and 80 °C, the power-on limits, which identify the chip: it has no identification register. */
const resetHysteresis = 0x4b00
const resetOvertemperature = 0x5000
const conversionMs = 50
const stepsPerDegree = 256

/*
 * Maxim MAX30205 human body temperature sensor, ±0.1 °C from 37 to 39 °C. It sleeps between readings at no more than 3.5 µA,
 * because continuous conversion would warm it. Its address is one of 0x40 to 0x5F: each of three pins is connected to
 * ground, supply, SCL or SDA.
 *
 *     if (await startMax30205(0x48)) celsius = await readMax30205(0x48)
 */

/** Puts the chip to sleep; see driver.ts. */
export async function startMax30205(chip: number): Promise<boolean> {
    if ((await readInt16(chip, T_HYST)) !== resetHysteresis || (await readInt16(chip, T_OS)) !== resetOvertemperature)
        return false
    await writeRegister(chip, CONFIGURATION, SHUTDOWN)
    await checkConfiguration(chip)
    return true
}

/** Makes one conversion; see driver.ts. @returns °C */
export async function readMax30205(chip: number): Promise<number> {
    // One-shot has an effect only in shutdown; a chip after a reset converts continuously.
    await checkConfiguration(chip)
    await writeRegister(chip, CONFIGURATION, ONE_SHOT | SHUTDOWN)
    await sleep(conversionMs + 5)
    const steps = await readInt16(chip, TEMPERATURE)
    await checkConfiguration(chip) // after a brown-out the register would read 0 °C
    return steps / stepsPerDegree
}

async function checkConfiguration(chip: number): Promise<void> {
    if ((await readRegister(chip, CONFIGURATION)) !== SHUTDOWN) throw new SensorError("MAX30205 lost power")
}
