import type { I2cChip } from "../../sim/devices/sensor-bus.ts"

/** A chip that a test can take off the bus: then nobody answers to its address. */
export class Removable implements I2cChip {
    present = true
    private readonly chip: I2cChip

    constructor(chip: I2cChip) {
        this.chip = chip
    }

    get address(): number {
        return this.present ? this.chip.address : -1
    }

    write(bytes: Uint8Array): boolean {
        return this.chip.write(bytes)
    }

    read(size: number): Uint8Array {
        return this.chip.read(size)
    }
}
