import { millis } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { Registers, SensorError } from "./registers"

// Data sheet: ST DocID17530, LIS3DH MEMS digital output motion sensor.
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

/**
 * ST LIS3DH, accelerometer.
 *
 *     const accelerometer = new Lis3dh(i2c, 0x18)
 *     await accelerometer.start()
 *     const count = await accelerometer.read() // samples in accelerometer.fifo
 */
export class Lis3dh {
    /** What the last `read` brought, oldest first: x, y and z, s16 little-endian, of which the full range is ±8 g. */
    fifo: Buffer
    private registers: Registers
    /** The last time that there were samples. */
    private sampledMs: number

    /** @param address 0x18, or 0x19 where pin SA0 is high */
    constructor(i2c: I2C, address: number) {
        this.registers = new Registers(i2c, address)
    }

    /** Configures and starts the chip. @throws I2CError, SensorError when it is absent or something else */
    async start(): Promise<void> {
        const registers = this.registers
        if ((await registers.read(WHO_AM_I)) !== whoAmI) throw new SensorError("no LIS3DH")
        await registers.configure(CTRL_REG1 | AUTO_INCREMENT, configuration)
        await this.flush()
    }

    /** Less than 1 µA; `start` ends it. */
    async stop(): Promise<void> {
        await this.registers.write(CTRL_REG1, POWER_DOWN)
    }

    /**
     * Empties the FIFO into `fifo`; to be called every second at least.
     * @returns the number of samples, at most 31; −1 when some may have been lost: the signal has a gap
     * @throws I2CError when the chip does not answer; SensorError when it was reset behind our back or has stopped
     */
    async read(): Promise<number> {
        const registers = this.registers
        const now = millis()
        const source = await registers.read(FIFO_SRC_REG)
        if (source & OVRN_FIFO) return await this.flush()
        const count = source & FSS
        if (count) {
            this.fifo = await registers.readBurst(OUT_X_L | AUTO_INCREMENT, count * sampleBytes)
            this.sampledMs = now
        } else if (now - this.sampledMs > overdueMs) throw new SensorError("LIS3DH has stopped")
        return count
    }

    /** Throws away what is in the FIFO: bypass mode is how it is reset (5.1.1). */
    private async flush(): Promise<number> {
        await this.registers.write(FIFO_CTRL_REG, BYPASS_MODE)
        await this.registers.write(FIFO_CTRL_REG, STREAM_MODE)
        this.sampledMs = millis()
        return -1
    }
}
