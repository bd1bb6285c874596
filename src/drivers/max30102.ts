import { millis } from "@devicescript/core"
import { configure, configureRegister, readBurst, readRegister, reset, SensorError, writeBurst } from "./registers"
import { sleep } from "../platform/sleep"

// Data sheet: Maxim 19-7740, MAX30102 High-Sensitivity Pulse Oximeter and Heart-Rate Sensor for Wearable Health.

/*
 * Maxim MAX30102, optical heart-rate sensor.
 *
 *     if (await startMax30102(35, 35)) samples = await readMax30102() // the newest is from newestMs
 *
 * The chip has no proximity function since revision 1 of the data sheet, so `restMax30102` and `glanceMax30102` replace it.
 * LED currents are in steps of 0.2 mA.
 *
 * Started, read and stopped by `sensing/optical.ts`; only this module writes its state, `sensing/` and `heart/` read it.
 */

const ADDRESS = 0x57

const INTERRUPT_STATUS_1 = 0x00
const FIFO_WRITE_POINTER = 0x04
const OVERFLOW_COUNTER = 0x05
const FIFO_READ_POINTER = 0x06
const FIFO_DATA = 0x07
const FIFO_CONFIGURATION = 0x08
const MODE_CONFIGURATION = 0x09
const LED1_PULSE_AMPLITUDE = 0x0c
const PART_ID = 0xff

const PPG_RDY = 0x40
const ALC_OVF = 0x20
const PWR_RDY = 0x01
const SHDN = 0x80
const RESET = 0x40
const MODE_SPO2 = 0x03
/** FIFO configuration: average of 4 or none; no FIFO rollover. */
const SMP_AVE_4 = 0x40
const SMP_AVE_1 = 0x00
/** SpO2 configuration: range 4,096 nA, 100 Hz, pulses of 411 µs (18 bits). */
const RANGE_RATE_WIDTH = 0x27

const partId = 0x15
const resetTimeoutMs = 100
/** After this number of missing samples the sensor has stopped. */
const overdueSamples = 25
/** Time for two samples without averaging. */
const glanceMs = 25

/** Each sample is the mean of 4 conversions at 100 Hz. */
export const sampleMs = 40
/** Red, then infrared: 3 bytes each, big-endian, 18 bits. */
export const sampleBytes = 6
/** Counts at 4,096 nA, the converter's full scale. */
export const fullScaleCounts = 0x3ffff
/** LED current steps of 0.2 mA; the maximum is 255. */
export const stepsPerMilliamp = 5
const fifoDepth = 32

/** Completion of the newest sample in ms of `millis()`; derived from the sample count, so it has no jitter. */
export let newestMs: number
/** Ambient light has exceeded the chip's cancellation range (200 µA) since the last read: the samples are invalid. */
export let isDazzled = false
/** Time at which the FIFO was last known to be empty. */
let emptyMs: number

/** Resets, configures and starts the chip; see driver.ts. */
export async function startMax30102(red: number, infrared: number): Promise<boolean> {
    if ((await readRegister(ADDRESS, PART_ID)) !== partId) return false
    await reset(ADDRESS, MODE_CONFIGURATION, RESET, resetTimeoutMs)
    const settings = Buffer.from([SMP_AVE_4, 0, RANGE_RATE_WIDTH, 0, red, infrared])
    await configure(ADDRESS, FIFO_CONFIGURATION, settings)
    await readRegister(ADDRESS, INTERRUPT_STATUS_1) // clears the power-ready flag
    await flush()
    await setMode(MODE_SPO2)
    newestMs = emptyMs = millis()
    return true
}

/** Shuts the chip down to less than 1 µA, without light or samples, until `startMax30102`. */
export async function stopMax30102(): Promise<void> {
    await setMode(SHDN)
}

/** Sets the LED currents. The FIFO may still hold samples of the old currents and one of both. */
export async function setCurrents(red: number, infrared: number): Promise<void> {
    await configure(ADDRESS, LED1_PULSE_AMPLITUDE, Buffer.from([red, infrared]))
}

/**
 * Reads the whole FIFO; see driver.ts. Must be called at least once a second.
 * @returns at most 32 samples of `sampleBytes`
 */
export async function readMax30102(): Promise<Buffer | undefined> {
    const now = millis()
    const status = await readStatus()
    if (status[OVERFLOW_COUNTER]) {
        await flush()
        newestMs = emptyMs = now
        return undefined
    }
    let count = waiting(status)
    if (count === 0) {
        const elapsed = now - emptyMs
        // Equal pointers and nothing lost: there is either no sample or exactly 32.
        if (elapsed > (fifoDepth / 2) * sampleMs && status[0] & PPG_RDY) count = fifoDepth
        else if (elapsed > overdueSamples * sampleMs) throw new SensorError("MAX30102 has stopped")
        else return hex``
    }
    const samples = await readBurst(ADDRESS, FIFO_DATA, count * sampleBytes)
    emptyMs = now
    // The chip has its own oscillator, so the newest sample's time is kept within the last period.
    newestMs += count * sampleMs
    newestMs = Math.max(now - 2 * sampleMs, Math.min(now + sampleMs / 2, newestMs))
    return samples
}

/** Shuts the chip down to less than 1 µA, until `startMax30102`. The LED currents are for `glanceMax30102`. */
export async function restMax30102(red: number, infrared: number): Promise<void> {
    await setMode(SHDN | MODE_SPO2)
    await configureRegister(ADDRESS, FIFO_CONFIGURATION, SMP_AVE_1)
    await setCurrents(red, infrared)
}

/**
 * Takes two samples without averaging while the chip rests.
 * @throws SensorError if the chip has lost power or takes no samples
 */
export async function glanceMax30102(): Promise<Buffer> {
    await flush()
    await setMode(MODE_SPO2)
    await sleep(glanceMs)
    const status = await readStatus() // shutdown clears its flags
    const count = waiting(status)
    if (count === 0) throw new SensorError("MAX30102 has stopped")
    const samples = await readBurst(ADDRESS, FIFO_DATA, count * sampleBytes)
    await setMode(SHDN | MODE_SPO2)
    return samples
}

async function setMode(mode: number): Promise<void> {
    await configureRegister(ADDRESS, MODE_CONFIGURATION, mode)
}

/** Registers 00 to 06: the flags, which are cleared by reading, and the FIFO pointers. */
async function readStatus(): Promise<Buffer> {
    const status = await readBurst(ADDRESS, INTERRUPT_STATUS_1, FIFO_DATA)
    if (status[0] & PWR_RDY) throw new SensorError("MAX30102 lost power")
    isDazzled = (status[0] & ALC_OVF) !== 0
    return status
}

/** Discards the FIFO. */
async function flush(): Promise<void> {
    await writeBurst(ADDRESS, FIFO_WRITE_POINTER, hex`00 00 00`)
}

/** Number of samples in the FIFO by its pointers; a full FIFO looks empty. */
function waiting(status: Buffer): number {
    return (status[FIFO_WRITE_POINTER] - status[FIFO_READ_POINTER]) & (fifoDepth - 1)
}
