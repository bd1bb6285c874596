import * as ds from "@devicescript/core"

type Runtime = typeof ds & {
    _i2cTransaction(chip: number, written: Buffer, read?: Buffer): Promise<number>
}

/**
 * A board's I2C bus, without the class of `@devicescript/i2c`, which alone takes more memory than all drivers together.
 */
export async function boardI2C(chip: number, written: Buffer, read?: Buffer): Promise<number> {
    return await (ds as Runtime)._i2cTransaction(chip, written, read)
}
