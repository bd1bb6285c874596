import { millis, sleep } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { Registers, SensorError } from "./registers"

// Data sheet: Maxim 19-7740, MAX30102 High-Sensitivity Pulse Oximeter and Heart-Rate Sensor for Wearable Health.
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
/** FIFO configuration: mean of 4, and no mean; the FIFO does not roll over. */
const SMP_AVE_4 = 0x40
const SMP_AVE_1 = 0x00
/** SpO2 configuration: range 4,096 nA, 100 Hz, pulses of 411 µs (18 bits). */
const RANGE_RATE_WIDTH = 0x27

const partId = 0x15
const resetTimeoutMs = 100
/** The sensor has stopped when so many samples are overdue. */
const overdueSamples = 25
/** Time for two samples without mean. */
const glanceMs = 25

/** Samples are the mean of 4 conversions at 100 Hz. */
export const sampleMs = 40
/** Red, then infrared, 3 bytes each, big-endian, 18 bits. */
export const sampleBytes = 6
/** Counts of 4,096 nA, the converter's full scale. */
export const fullScaleCounts = 0x3ffff
/** Steps of the LED current, 0.2 mA each; 255 are the most. */
export const stepsPerMilliamp = 5
const fifoDepth = 32

/**
 * Maxim MAX30102, optical heart-rate sensor.
 *
 *     const optical = new Max30102(i2c)
 *     await optical.start(35, 35)
 *     const count = await optical.read() // samples in optical.fifo, the newest taken at optical.newestMs
 *
 * The chip's own proximity function is gone since revision 1 of the data sheet; `rest` and `glance` do without.
 * LED currents are in steps of 0.2 mA. All that talks to the chip throws I2CError when it does not answer.
 */
export class Max30102 {
    /** What the last `read` or `glance` brought, `sampleBytes` each, oldest first. */
    fifo: Buffer
    /** When the newest sample was complete, by the clock of `millis()`; counted in samples, so it has no jitter. */
    newestMs: number
    /** There was more light around than the chip can cancel (200 µA) since the last look: the samples mean nothing. */
    isDazzled = false
    private registers: Registers
    /** The last time that the FIFO was known to be empty. */
    private emptyMs: number

    constructor(i2c: I2C) {
        this.registers = new Registers(i2c, ADDRESS)
    }

    /** Resets, configures and starts the chip, out of any state. @throws SensorError when it is something else */
    async start(red: number, infrared: number): Promise<void> {
        const registers = this.registers
        if ((await registers.read(PART_ID)) !== partId) throw new SensorError("no MAX30102")
        await registers.write(MODE_CONFIGURATION, RESET)
        await registers.waitFor(MODE_CONFIGURATION, RESET, 0, resetTimeoutMs)
        const settings = Buffer.from([SMP_AVE_4, 0, RANGE_RATE_WIDTH, 0, red, infrared])
        await registers.configure(FIFO_CONFIGURATION, settings)
        await registers.read(INTERRUPT_STATUS_1) // clears the power-ready flag
        await this.flush()
        await registers.write(MODE_CONFIGURATION, MODE_SPO2)
        this.newestMs = this.emptyMs = millis()
    }

    /** No light, no samples, less than 1 µA; `start` ends it. */
    async stop(): Promise<void> {
        await this.registers.write(MODE_CONFIGURATION, SHDN)
    }

    /** Sets the LED currents; samples of before and one of both come first. */
    async setCurrents(red: number, infrared: number): Promise<void> {
        await this.registers.writeBurst(LED1_PULSE_AMPLITUDE, Buffer.from([red, infrared]))
    }

    /**
     * Empties the FIFO into `fifo`; to be called every second at least.
     * @returns the number of samples, at most 32; −1 when some were lost: the signal has a gap and starts anew
     * @throws SensorError when the chip was reset behind our back or has stopped
     */
    async read(): Promise<number> {
        const now = millis()
        const status = await this.readStatus()
        if (status[OVERFLOW_COUNTER]) {
            await this.flush()
            this.newestMs = this.emptyMs = now
            return -1
        }
        let count = waiting(status)
        if (count === 0) {
            const elapsed = now - this.emptyMs
            // Equal pointers, nothing lost: either no sample has come yet or exactly 32 have.
            if (elapsed > (fifoDepth / 2) * sampleMs && status[0] & PPG_RDY) count = fifoDepth
            else if (elapsed > overdueSamples * sampleMs)
                throw new SensorError("MAX30102 has stopped")
            else return 0
        }
        this.fifo = await this.registers.readBurst(FIFO_DATA, count * sampleBytes)
        this.emptyMs = now
        this.count(count, now)
        return count
    }

    /** Shuts down, less than 1 µA; `glance` looks with these LED currents, `start` ends it. */
    async rest(red: number, infrared: number): Promise<void> {
        const registers = this.registers
        await registers.write(MODE_CONFIGURATION, SHDN | MODE_SPO2)
        await registers.write(FIFO_CONFIGURATION, SMP_AVE_1)
        await this.setCurrents(red, infrared)
    }

    /**
     * While it rests: takes two samples, without mean, into `fifo`.
     * @returns their number
     * @throws SensorError when the chip was reset behind our back or takes no samples
     */
    async glance(): Promise<number> {
        const registers = this.registers
        await this.flush()
        await registers.write(MODE_CONFIGURATION, MODE_SPO2)
        await sleep(glanceMs)
        const status = await this.readStatus() // shutting down clears its flags
        const count = waiting(status)
        if (count === 0) throw new SensorError("MAX30102 has stopped")
        this.fifo = await registers.readBurst(FIFO_DATA, count * sampleBytes)
        await registers.write(MODE_CONFIGURATION, SHDN | MODE_SPO2)
        return count
    }

    /** Registers 00 to 06: the flags, which are down then, and the pointers of the FIFO. */
    private async readStatus(): Promise<Buffer> {
        const status = await this.registers.readBurst(INTERRUPT_STATUS_1, FIFO_DATA)
        if (status[0] & PWR_RDY) throw new SensorError("MAX30102 lost power")
        this.isDazzled = (status[0] & ALC_OVF) !== 0
        return status
    }

    /** Throws away what is in the FIFO. */
    private async flush(): Promise<void> {
        await this.registers.writeBurst(FIFO_WRITE_POINTER, hex`00 00 00`)
    }

    /** Moves the time of the newest sample on; the chip's oscillator is not ours, so it must stay in the last period. */
    private count(samples: number, now: number): void {
        const newestMs = this.newestMs + samples * sampleMs
        this.newestMs = Math.max(now - 2 * sampleMs, Math.min(now + sampleMs / 2, newestMs))
    }
}

/** Samples in the FIFO by its pointers; a full one looks empty. */
function waiting(status: Buffer): number {
    return (status[FIFO_WRITE_POINTER] - status[FIFO_READ_POINTER]) & (fifoDepth - 1)
}
