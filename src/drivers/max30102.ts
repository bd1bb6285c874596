import { millis } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { Registers, SensorError } from "./registers"

// Data sheet: Maxim 19-7740, MAX30102 High-Sensitivity Pulse Oximeter and Heart-Rate Sensor for Wearable Health.
const ADDRESS = 0x57

const INTERRUPT_STATUS_1 = 0x00
const FIFO_WRITE_POINTER = 0x04
const FIFO_DATA = 0x07
const FIFO_CONFIGURATION = 0x08
const MODE_CONFIGURATION = 0x09
const PART_ID = 0xff

const PPG_RDY = 0x40
const PWR_RDY = 0x01
const SHDN = 0x80
const RESET = 0x40
const MODE_SPO2 = 0x03

const partId = 0x15
const resetTimeoutMs = 100
/** The sensor has stopped when so many samples are overdue. */
const overdueSamples = 50

/** 08–0D: mean of 4, no rollover; idle; 4,096 nA, 100 Hz, 411 µs (18 bits); red and infrared at 7 mA. */
const configuration = hex`40 00 27 00 23 23`

/** Samples are the mean of 4 conversions at 100 Hz. */
export const sampleMs = 40
/** Red, then infrared, 3 bytes each, big-endian, 18 bits. */
export const sampleBytes = 6
const fifoDepth = 32

/**
 * Maxim MAX30102, optical heart-rate sensor.
 *
 *     const optical = new Max30102(i2c)
 *     await optical.start()
 *     const count = await optical.read() // samples in optical.fifo, the newest taken at optical.newestMs
 */
export class Max30102 {
    /** What the last `read` brought, `sampleBytes` each, oldest first. */
    fifo: Buffer
    /** When the newest sample was complete, by the clock of `millis()`; counted in samples, so it has no jitter. */
    newestMs: number
    private registers: Registers
    /** The last time that the FIFO was known to be empty. */
    private emptyMs: number

    constructor(i2c: I2C) {
        this.registers = new Registers(i2c, ADDRESS)
    }

    /** Resets, configures and starts the chip. @throws I2CError, SensorError when it is absent or something else */
    async start(): Promise<void> {
        const registers = this.registers
        if ((await registers.read(PART_ID)) !== partId) throw new SensorError("no MAX30102")
        await registers.write(MODE_CONFIGURATION, RESET)
        await registers.waitFor(MODE_CONFIGURATION, RESET, 0, resetTimeoutMs)
        await registers.write(FIFO_WRITE_POINTER, 0)
        await registers.write(FIFO_WRITE_POINTER + 1, 0)
        await registers.write(FIFO_WRITE_POINTER + 2, 0)
        await registers.writeBurst(FIFO_CONFIGURATION, configuration)
        const written = await registers.readBurst(FIFO_CONFIGURATION, configuration.length)
        for (let i = 0; i < configuration.length; i++)
            if (written[i] !== configuration[i]) throw new SensorError("MAX30102 refuses setup")
        await registers.read(INTERRUPT_STATUS_1) // clears the power-ready flag
        await registers.write(MODE_CONFIGURATION, MODE_SPO2)
        this.newestMs = this.emptyMs = millis()
    }

    /** No light, no samples, less than 1 µA; `start` ends it. */
    async stop(): Promise<void> {
        await this.registers.write(MODE_CONFIGURATION, SHDN)
    }

    /**
     * Empties the FIFO into `fifo`; to be called every second at least.
     * @returns the number of samples, at most 32; −1 when some were lost: the signal has a gap and starts anew
     * @throws I2CError when the chip does not answer; SensorError when it was reset behind our back or has stopped
     */
    async read(): Promise<number> {
        const registers = this.registers
        const now = millis()
        const status = await registers.readBurst(INTERRUPT_STATUS_1, 7)
        if (status[0] & PWR_RDY) throw new SensorError("MAX30102 lost power")
        if (status[FIFO_WRITE_POINTER + 1]) return await this.flush()
        let count = (status[FIFO_WRITE_POINTER] - status[FIFO_WRITE_POINTER + 2]) & (fifoDepth - 1)
        if (count === 0) {
            const elapsed = now - this.emptyMs
            // Equal pointers, nothing lost: either no sample has come yet or exactly 32 have.
            if (elapsed > (fifoDepth / 2) * sampleMs && status[0] & PPG_RDY) count = fifoDepth
            else if (elapsed > overdueSamples * sampleMs)
                throw new SensorError("MAX30102 has stopped")
            else return 0
        }
        this.fifo = await registers.readBurst(FIFO_DATA, count * sampleBytes)
        this.emptyMs = now
        this.count(count, now)
        return count
    }

    /** Throws away what is in the FIFO. */
    private async flush(): Promise<number> {
        const registers = this.registers
        await registers.write(FIFO_WRITE_POINTER, 0)
        await registers.write(FIFO_WRITE_POINTER + 1, 0)
        await registers.write(FIFO_WRITE_POINTER + 2, 0)
        this.newestMs = this.emptyMs = millis()
        return -1
    }

    /** Moves the time of the newest sample on; the chip's oscillator is not ours, so it must stay in the last period. */
    private count(samples: number, now: number): void {
        const newestMs = this.newestMs + samples * sampleMs
        this.newestMs = Math.max(now - 2 * sampleMs, Math.min(now + sampleMs / 2, newestMs))
    }
}

/** Counts of infrared of the sample at byte `at` of `fifo`. */
export function infrared(fifo: Buffer, at: number): number {
    return ((fifo[at + 3] & 3) << 16) | (fifo[at + 4] << 8) | fifo[at + 5]
}
