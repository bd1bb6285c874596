import { BasePeripheral, type RP2040 } from "rp2040js"
import { seededRandom } from "../../sim/time/random.ts"

/** Ring oscillator (RP2040 data sheet 2.17.8): the registers that a program looks at. */
const STATUS = 0x18
const RANDOMBIT = 0x1c
/** STABLE, DIV_RUNNING and ENABLED. */
const running = 0x80011000

/** Its random bit is where keys and salts come from: another seed gives other ones, the same the same. */
export class RingOscillator extends BasePeripheral {
    private readonly registers = new Map<number, number>()
    private readonly random: () => number

    constructor(chip: RP2040, seed: number) {
        super(chip, "ROSC")
        this.random = seededRandom(seed)
    }

    override readUint32(offset: number): number {
        if (offset === RANDOMBIT) return this.random() < 0.5 ? 0 : 1
        if (offset === STATUS) return running
        return this.registers.get(offset) ?? 0
    }

    override writeUint32(offset: number, value: number): void {
        this.registers.set(offset, value)
    }
}
