import { millis } from "@devicescript/core"
import { sleep } from "../platform/sleep"

/*
 * Registers of the chips on the mote's I2C bus, which has one. A chip is known by its address, 7 bits. All that talks to
 * one throws I2CError when it does not answer.
 *
 *     useBus(boardI2C)
 *     await writeRegister(0x57, 0x0c, 35)
 *     const led = await readRegister(0x57, 0x0c)
 *
 * Started by `sensing/sensing.ts` (`useBus`), which chooses the bus once; every driver reads it.
 */

/**
 * An I2C bus: writes to a chip, if `written` is not empty, then, after a repeated start, fills `read`, if it is there.
 * @returns 0, or why it did not work
 */
export type I2CTransfer = (chip: number, written: Buffer, read?: Buffer) => Promise<number>

/** The bus does not work, or nobody answers; see driver.ts. */
export class I2CError extends Error {
    readonly status: number

    constructor(chip: number, status: number) {
        super(`I2C error ${status} dev=${chip}`)
        this.status = status
    }
}

/** The chip is there, or answered once, but does not do what its data sheet says; see driver.ts. */
export class SensorError extends Error {}

const pollMs = 2

let bus: I2CTransfer

/** The bus of all chips. */
export function useBus(transfer: I2CTransfer): void {
    bus = transfer
}

async function transfer(chip: number, written: Buffer, read?: Buffer): Promise<void> {
    const status = await bus(chip, written, read)
    if (status !== 0) throw new I2CError(chip, status)
}

export async function readRegister(chip: number, register: number): Promise<number> {
    return (await readBurst(chip, register, 1))[0]
}

/** 16 bits, signed, big-endian. */
export async function readInt16(chip: number, register: number): Promise<number> {
    const bytes = await readBurst(chip, register, 2)
    return ((bytes[0] << 24) >> 16) | bytes[1]
}

/** A burst of `size` bytes, beginning at `register`. */
export async function readBurst(chip: number, register: number, size: number): Promise<Buffer> {
    const bytes = Buffer.alloc(size)
    await transfer(chip, Buffer.from([register]), bytes)
    return bytes
}

export async function writeRegister(chip: number, register: number, value: number): Promise<void> {
    await transfer(chip, Buffer.from([register, value]))
}

export async function writeBurst(chip: number, register: number, values: Buffer): Promise<void> {
    await transfer(chip, Buffer.concat(Buffer.from([register]), values))
}

/** Writes registers and reads them back. @throws SensorError when the chip did not take the values */
export async function configure(chip: number, register: number, values: Buffer): Promise<void> {
    await writeBurst(chip, register, values)
    const written = await readBurst(chip, register, values.length)
    for (let i = 0; i < values.length; i++)
        if (written[i] !== values[i]) throw new SensorError("chip refuses its configuration")
}

/** Writes a register and reads it back. @throws SensorError when the chip did not take the value */
export async function configureRegister(chip: number, register: number, value: number): Promise<void> {
    await configure(chip, register, Buffer.from([value]))
}

/** Sets the bit that resets the chip, and waits until it is down. @throws SensorError when it is not within `timeoutMs` */
export async function reset(chip: number, register: number, bit: number, timeoutMs: number): Promise<void> {
    await writeRegister(chip, register, bit)
    const deadline = millis() + timeoutMs
    while ((await readRegister(chip, register)) & bit) {
        if (millis() > deadline) throw new SensorError("timeout at register " + register)
        await sleep(pollMs)
    }
}
