import { millis } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { Registers, SensorError } from "./registers"

// Data sheet: ST DS12140, LSM6DSO iNEMO inertial module; its gyroscope stays off.
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
/** Words in a burst at most; the FIFO holds 512, but the light of so long ago is lost, too. */
const maxWords = 32
/** A tag that says which sensor, then x, y and z, 2 bytes each. */
const wordBytes = 7
const sampleBytes = 6
/** The chip has stopped, or was reset, when eight samples are overdue. */
const overdueMs = 310

/** CTRL3_C to 6_C: samples that belong together, bursts that go on to the next register; low power: 26 µA at 52 Hz, not 170. */
const modes = hex`44 00 00 10`
/** CTRL1_XL: 26 Hz, ±8 g. */
const rateAndScale = hex`2c`
/** FIFO_CTRL3: the accelerometer at 26 Hz, nothing else. */
const batching = hex`02`

/**
 * ST LSM6DSO, of which only the accelerometer is used.
 *
 *     const accelerometer = new Lsm6dso(i2c, 0x6a)
 *     await accelerometer.start()
 *     const count = await accelerometer.read() // samples in accelerometer.fifo
 */
export class Lsm6dso {
    /** What the last `read` brought, oldest first: x, y and z, s16 little-endian, of which the full range is ±8 g. */
    fifo: Buffer
    private registers: Registers
    /** The last time that there were samples. */
    private sampledMs: number

    /** @param address 0x6A, or 0x6B where pin SA0 is high */
    constructor(i2c: I2C, address: number) {
        this.registers = new Registers(i2c, address)
    }

    /** Resets, configures and starts the chip. @throws I2CError, SensorError when it is absent or something else */
    async start(): Promise<void> {
        const registers = this.registers
        if ((await registers.read(WHO_AM_I)) !== whoAmI) throw new SensorError("no LSM6DSO")
        await registers.write(CTRL3_C, SW_RESET)
        await registers.waitFor(CTRL3_C, SW_RESET, 0, resetTimeoutMs)
        await registers.configure(CTRL3_C, modes)
        await registers.configure(FIFO_CTRL3, batching)
        await registers.configure(CTRL1_XL, rateAndScale)
        await this.flush()
    }

    /** 3 µA; `start` ends it. */
    async stop(): Promise<void> {
        await this.registers.write(CTRL1_XL, POWER_DOWN)
    }

    /**
     * Empties the FIFO into `fifo`; to be called every second at least.
     * @returns the number of samples, at most 32; −1 when there were more and they were thrown away: a gap
     * @throws I2CError when the chip does not answer; SensorError when it was reset behind our back or has stopped
     */
    async read(): Promise<number> {
        const registers = this.registers
        const now = millis()
        const status = await registers.readBurst(FIFO_STATUS1, 2)
        const count = ((status[1] & DIFF_FIFO_HIGH) << 8) | status[0]
        if (count > maxWords) return await this.flush()
        if (count) {
            const words = await registers.readBurst(FIFO_DATA_OUT_TAG, count * wordBytes)
            this.fifo = Buffer.alloc(count * sampleBytes)
            for (let i = 0; i < count; i++)
                this.fifo.blitAt(i * sampleBytes, words, i * wordBytes + 1, sampleBytes)
            this.sampledMs = now
        } else if (now - this.sampledMs > overdueMs) throw new SensorError("LSM6DSO has stopped")
        return count
    }

    /** Throws away what is in the FIFO. */
    private async flush(): Promise<number> {
        await this.registers.write(FIFO_CTRL4, BYPASS_MODE)
        await this.registers.write(FIFO_CTRL4, CONTINUOUS_MODE)
        this.sampledMs = millis()
        return -1
    }
}
