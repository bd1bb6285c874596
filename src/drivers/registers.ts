import { millis, sleep } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"

/** The chip is there, or answered once, but does not do what its data sheet says. */
export class SensorError extends Error {}

/** Somebody answers, but it is not this chip. It has only been asked, and nothing about it has changed. */
export class OtherChipError extends SensorError {}

const pollMs = 2

/**
 * The registers of one chip on an I2C bus. Everything that talks to the chip throws I2CError when it does not answer.
 *
 *     const registers = new Registers(i2c, 0x57)
 *     await registers.write(0x09, 0x40)
 *     await registers.waitFor(0x09, 0x40, 0, 100)
 */
export class Registers {
    readonly i2c: I2C
    /** 7 bits. */
    readonly address: number

    constructor(i2c: I2C, address: number) {
        this.i2c = i2c
        this.address = address
    }

    async read(register: number): Promise<number> {
        return (await this.readBurst(register, 1))[0]
    }

    /** 16 bits, signed, big-endian. */
    async readInt16(register: number): Promise<number> {
        const bytes = await this.readBurst(register, 2)
        return ((bytes[0] << 24) >> 16) | bytes[1]
    }

    /** A burst of `size` bytes, beginning at `register`. */
    async readBurst(register: number, size: number): Promise<Buffer> {
        const bytes = await this.i2c.xfer(this.address, Buffer.from([register]), size)
        if (bytes.length !== size) throw new SensorError("short read")
        return bytes
    }

    async write(register: number, value: number): Promise<void> {
        await this.i2c.xfer(this.address, Buffer.from([register, value]))
    }

    async writeBurst(register: number, values: Buffer): Promise<void> {
        await this.i2c.xfer(this.address, Buffer.concat(Buffer.from([register]), values))
    }

    /** Writes a burst and reads it back. @throws SensorError when the chip did not take it */
    async configure(register: number, values: Buffer): Promise<void> {
        await this.writeBurst(register, values)
        const written = await this.readBurst(register, values.length)
        for (let i = 0; i < values.length; i++)
            if (written[i] !== values[i]) throw new SensorError("chip refuses its configuration")
    }

    /** Waits until the bits of `mask` are `value`. @throws SensorError when they are not within `timeoutMs` */
    async waitFor(register: number, mask: number, value: number, timeoutMs: number): Promise<void> {
        const deadline = millis() + timeoutMs
        while (((await this.read(register)) & mask) !== value) {
            if (millis() > deadline) throw new SensorError("timeout at register " + register)
            await sleep(pollMs)
        }
    }
}
