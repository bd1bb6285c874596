import { millis } from "@devicescript/core"
import { sleep } from "../platform/sleep"

/*
 * Register access on the mote's only I2C bus. A chip is identified by its 7-bit address. Every access throws I2CError if the
 * chip does not respond.
 *
 *     useBus(boardI2C)
 *     await writeRegister(0x57, 0x0c, 35)
 *     const led = await readRegister(0x57, 0x0c)
 *
 * Started by `sensing/sensing.ts` (`useBus`), which selects the bus once; every driver reads it, and all in one fiber.
 */

/**
 * An I2C bus. A transfer writes `written` to a chip, unless it is empty, and then fills `read`, if present, after a
 * repeated start.
 * @returns 0 or an error status
 */
export type I2CTransfer = (chip: number, written: Buffer, read?: Buffer) => Promise<number>

/** The bus does not work, or no chip responds; see driver.ts. */
export class I2CError extends Error {
    readonly status: number

    constructor(chip: number, status: number) {
        super(`I2C error ${status} dev=${chip}`)
        this.status = status
    }
}

/** The chip is there, or has responded before, but does not behave as in its data sheet; see driver.ts. */
export class SensorError extends Error {}

const pollMs = 2

let bus: I2CTransfer
/** The register that is read: an array and a buffer for each transfer would take longer than the rest of it. */
const selected = Buffer.alloc(1)

/** Sets the bus of all chips. */
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

/** Reads 16 bits, signed, big-endian. */
export async function readInt16(chip: number, register: number): Promise<number> {
    const bytes = await readBurst(chip, register, 2)
    return ((bytes[0] << 24) >> 16) | bytes[1]
}

/** Reads a burst of `size` bytes starting at `register`. */
export async function readBurst(chip: number, register: number, size: number): Promise<Buffer> {
    const bytes = Buffer.alloc(size)
    selected[0] = register
    await transfer(chip, selected, bytes)
    return bytes
}

export async function writeRegister(chip: number, register: number, value: number): Promise<void> {
    await transfer(chip, Buffer.from([register, value]))
}

export async function writeBurst(chip: number, register: number, values: Buffer): Promise<void> {
    await transfer(chip, Buffer.concat(Buffer.from([register]), values))
}

/** Writes registers and reads them back. @throws SensorError if the chip did not accept the values */
export async function configure(chip: number, register: number, values: Buffer): Promise<void> {
    await writeBurst(chip, register, values)
    const written = await readBurst(chip, register, values.length)
    for (let i = 0; i < values.length; i++)
        if (written[i] !== values[i]) throw new SensorError("chip refuses its configuration")
}

/** Writes a register and reads it back. @throws SensorError if the chip did not accept the value */
export async function configureRegister(chip: number, register: number, value: number): Promise<void> {
    await configure(chip, register, Buffer.from([value]))
}

/** Sets the reset bit and waits until the chip clears it. @throws SensorError if that takes longer than `timeoutMs` */
export async function reset(chip: number, register: number, bit: number, timeoutMs: number): Promise<void> {
    await writeRegister(chip, register, bit)
    const deadline = millis() + timeoutMs
    while ((await readRegister(chip, register)) & bit) {
        if (millis() > deadline) throw new SensorError("timeout at register " + register)
        await sleep(pollMs)
    }
}
