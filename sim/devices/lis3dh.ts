import type { Acceleration } from "../body/body.ts"
import { AccelerationSampler, outputBytes, toCounts, type AccelerometerOptions } from "./acceleration.ts"
import { RegisterChip } from "./register-chip.ts"

/** Register addresses and bits, named as in the data sheet (ST DocID17530). */
const WHO_AM_I = 0x0f
const CTRL_REG0 = 0x1e
const TEMP_CFG_REG = 0x1f
const CTRL_REG1 = 0x20
const CTRL_REG4 = 0x23
const CTRL_REG5 = 0x24
const CTRL_REG6 = 0x25
const REFERENCE = 0x26
const STATUS_REG = 0x27
const OUT_X_L = 0x28
const OUT_Z_H = 0x2d
const FIFO_CTRL_REG = 0x2e
const FIFO_SRC_REG = 0x2f

const AUTO_INCREMENT = 0x80
const LPEN = 0x08
const HR = 0x08
const BLE = 0x40
const FIFO_EN = 0x40
const ZYXOR = 0xf0
const ZYXDA = 0x0f
const WTM = 0x80
const OVRN_FIFO = 0x40
const EMPTY = 0x20
const BYPASS = 0
const FIFO = 1

const whoAmI = 0x33
const fifoDepth = 32
/** Resolution of samples in the FIFO, in any mode. */
const fifoBits = 10
const outputs = [0, 0, 0, 0, 0, 0]

const dataRates = [0, 1, 10, 25, 50, 100, 200, 400]
/** g per count of 16 bits, by full scale. Table 4: 1, 2, 4 and 12 mg per digit of 12 bits. */
const gPerCount = [1 / 16_000, 2 / 16_000, 4 / 16_000, 12 / 16_000]
/** Table 4: 220 µg/√Hz. */
const noiseDensityG = 220e-6

/** The bits of each register that can be written and read back. */
const writable = new Map([
    [CTRL_REG0, 0x80],
    [TEMP_CFG_REG, 0xc0],
    [CTRL_REG1, 0xff],
    [0x21, 0xff],
    [0x22, 0xfe],
    [CTRL_REG4, 0xff],
    [CTRL_REG5, 0x4f],
    [CTRL_REG6, 0xfa],
    [REFERENCE, 0xff],
    [FIFO_CTRL_REG, 0xff],
    [0x30, 0xff],
    [0x32, 0x7f],
    [0x33, 0x7f],
    [0x34, 0xff],
    [0x36, 0x7f],
    [0x37, 0x7f],
])

/** ST LIS3DH accelerometer: registers and FIFO of the real chip; no interrupts, no self-test. */
export class Lis3dh extends RegisterChip {
    readonly address: number
    private readonly sampler: AccelerationSampler
    private registers = new Uint8Array(64)
    private increments = false
    /** Output registers of each sample, oldest first. */
    private fifo: number[][] = []
    /** Output registers of the newest sample. */
    private output = outputs

    constructor(options: AccelerometerOptions) {
        super()
        this.address = options.address ?? 0x18
        this.sampler = new AccelerationSampler(options)
        this.powerUp()
    }

    /** Power-on reset: every register has its reset value, and nothing is measured. */
    powerUp(): void {
        this.registers = new Uint8Array(64)
        this.registers[WHO_AM_I] = whoAmI
        this.registers[CTRL_REG0] = 0x10
        this.registers[CTRL_REG1] = 0x07
        this.fifo = []
        this.output = outputs
    }

    /** Fills the FIFO, as if the host were late. */
    overflow(): void {
        this.advance()
        if (this.fifoMode() === BYPASS) return
        while (this.fifo.length < fifoDepth) this.fifo.push(this.output)
    }

    protected point(address: number): void {
        this.register = address & 0x3f
        this.increments = (address & AUTO_INCREMENT) !== 0
    }

    /**
     * With the FIFO on, the address wraps from the last output register to the first, so that one burst reads it all.
     */
    protected next(): void {
        if (!this.increments) return
        const wraps = this.register === OUT_Z_H && this.fifoMode() !== BYPASS
        this.register = wraps ? OUT_X_L : (this.register + 1) & 0x3f
    }

    protected writeRegister(register: number, value: number): void {
        const mask = writable.get(register)
        if (mask === undefined) return
        const before = this.registers[register]!
        this.registers[register] = (before & ~mask) | (value & mask)
        if (register === CTRL_REG1 && value !== before) this.sampler.restart()
        if (this.fifoMode() === BYPASS) this.fifo = []
    }

    protected readRegister(register: number): number {
        if (register >= OUT_X_L && register <= OUT_Z_H) return this.readOutput(register)
        if (register === FIFO_SRC_REG) return this.fifoSource()
        return this.registers[register]!
    }

    /** Reads the oldest sample and removes it after its last byte. An empty FIFO returns the newest sample again. */
    private readOutput(register: number): number {
        const [oldest = this.output] = this.fifo
        const byte = oldest[register - OUT_X_L]!
        if (register === OUT_Z_H) {
            this.fifo.shift()
            this.registers[STATUS_REG] = 0
        }
        return byte
    }

    private fifoSource(): number {
        const stored = this.fifo.length
        const threshold = this.registers[FIFO_CTRL_REG]! & 0x1f
        return (
            (stored > threshold ? WTM : 0) |
            (stored === fifoDepth ? OVRN_FIFO : 0) |
            (stored === 0 ? EMPTY : 0) |
            Math.min(stored, fifoDepth - 1)
        )
    }

    private fifoMode(): number {
        return this.registers[CTRL_REG5]! & FIFO_EN ? this.registers[FIFO_CTRL_REG]! >> 6 : BYPASS
    }

    private isLowPower(): boolean {
        return (this.registers[CTRL_REG1]! & LPEN) !== 0
    }

    private isHighResolution(): boolean {
        return (this.registers[CTRL_REG4]! & HR) !== 0
    }

    /** Output data rate in Hz (table 31). */
    private dataRate(): number {
        const code = this.registers[CTRL_REG1]! >> 4
        if (code === 8) return this.isLowPower() ? 1600 : 0
        if (code === 9) return this.isLowPower() ? 5376 : 1344
        return dataRates[code] ?? 0
    }

    protected advance(): void {
        const hz = this.dataRate()
        const bandwidth = this.isHighResolution() ? hz / 9 : hz / 2
        this.sampler.advance(hz, noiseDensityG * Math.sqrt(bandwidth), sample => this.push(sample))
    }

    private push(sample: Acceleration): void {
        this.output = this.convert(sample)
        const status = this.registers[STATUS_REG]!
        this.registers[STATUS_REG] = status ? ZYXOR | ZYXDA : ZYXDA
        const mode = this.fifoMode()
        if (mode === BYPASS) return
        if (this.fifo.length === fifoDepth) {
            if (mode === FIFO) return
            this.fifo.shift()
        }
        this.fifo.push(this.output)
    }

    /** Table 4 and section 3.2.1: 8, 10 or 12 bits; a disabled axis stays at 0. */
    private convert(sample: Acceleration): number[] {
        const modeBits = this.isLowPower() ? 8 : this.isHighResolution() ? 12 : 10
        const bits = this.fifoMode() === BYPASS ? modeBits : Math.min(modeBits, fifoBits)
        const scale = gPerCount[(this.registers[CTRL_REG4]! >> 4) & 3]!
        const enabled = this.registers[CTRL_REG1]! & 7
        const bytes = outputBytes(sample.map((g, axis) => (enabled & (1 << axis) ? toCounts(g, scale, bits) : 0)))
        if (!(this.registers[CTRL_REG4]! & BLE)) return bytes
        return bytes.map((_, i) => bytes[i ^ 1]!)
    }
}
