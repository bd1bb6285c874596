import type { Clock } from "../../host/clock.ts"
import type { Acceleration } from "../body/body.ts"
import { AccelerationSampler, outputBytes, toCounts, type AccelerometerOptions } from "./acceleration.ts"
import { RegisterChip } from "./register-chip.ts"

/** Register addresses and bits, named as in the data sheet (ST DS12140). */
const PIN_CTRL = 0x02
const FIFO_CTRL1 = 0x07
const FIFO_CTRL2 = 0x08
const FIFO_CTRL3 = 0x09
const FIFO_CTRL4 = 0x0a
const WHO_AM_I = 0x0f
const CTRL1_XL = 0x10
const CTRL3_C = 0x12
const CTRL6_C = 0x15
const CTRL9_XL = 0x18
const CTRL10_C = 0x19
const STATUS_REG = 0x1e
const OUTX_L_A = 0x28
const OUTZ_H_A = 0x2d
const FIFO_STATUS1 = 0x3a
const FIFO_STATUS2 = 0x3b
const FIFO_DATA_OUT_TAG = 0x78
const FIFO_DATA_OUT_Z_H = 0x7e

const STOP_ON_WTM = 0x80
const WTM8 = 0x01
const IF_INC = 0x04
const SW_RESET = 0x01
const XL_HM_MODE = 0x10
const XLDA = 0x01
const FIFO_WTM_IA = 0x80
const FIFO_OVR_IA = 0x40
const FIFO_FULL_IA = 0x20
const FIFO_OVR_LATCHED = 0x08
const BYPASS = 0
const FIFO = 1

const whoAmI = 0x6c
const fifoDepth = 512
const resetMs = 0.05
const accelerometerTag = 0x02
const noWord = [0, 0, 0, 0, 0, 0, 0]

/** Hz by ODR_XL and, except the last, by BDR_XL. */
const dataRates = [0, 12.5, 26, 52, 104, 208, 417, 833, 1667, 3333, 6667, 1.6]
/** g per count, by the code of the full scale: ±2, ±16, ±4, ±8 g (table 2). */
const gPerCount = [0.061e-3, 0.488e-3, 0.122e-3, 0.244e-3]
/** Table 2: root mean square in low-power and normal mode, density in high-performance mode. */
const lowPowerNoiseG = [1.8e-3, 3e-3, 2e-3, 2.4e-3]
const noiseDensityG = [70e-6, 110e-6, 75e-6, 80e-6]

/** ST LSM6DSO: accelerometer and FIFO; no gyroscope, no embedded functions. */
export class Lsm6dso extends RegisterChip {
    readonly address: number
    private readonly clock: Clock
    private readonly sampler: AccelerationSampler
    private registers = new Uint8Array(128)
    /** Words of a tag and 6 bytes, oldest first. */
    private fifo: number[][] = []
    private words = 0
    private isOverrun = false
    private wasOverrun = false
    private resetDone = 0

    constructor(options: AccelerometerOptions) {
        super()
        this.address = options.address ?? 0x6a
        this.clock = options.clock
        this.sampler = new AccelerationSampler(options)
        this.powerUp()
    }

    /** Power-on reset: every register has its reset value, and nothing is measured. */
    powerUp(): void {
        this.registers = new Uint8Array(128)
        this.registers[PIN_CTRL] = 0x3f
        this.registers[WHO_AM_I] = whoAmI
        this.registers[CTRL3_C] = IF_INC
        this.registers[CTRL9_XL] = 0xe0
        this.emptyFifo()
        this.words = 0
    }

    /** Fills the FIFO, as if the host were late. */
    overflow(): void {
        this.advance()
        const newest = [...this.registers.subarray(OUTX_L_A, OUTZ_H_A + 1)]
        for (let i = 0; i <= fifoDepth; i++) this.batch(newest)
    }

    protected point(address: number): void {
        this.register = address & 0x7f
    }

    /** The address wraps from the last byte of a FIFO word to the tag of the next. */
    protected next(): void {
        if (!(this.registers[CTRL3_C]! & IF_INC)) return
        this.register = this.register === FIFO_DATA_OUT_Z_H ? FIFO_DATA_OUT_TAG : (this.register + 1) & 0x7f
    }

    protected writeRegister(register: number, value: number): void {
        const isControl =
            (register >= FIFO_CTRL1 && register <= 0x0e) ||
            (register >= CTRL1_XL && register <= CTRL10_C) ||
            register === PIN_CTRL
        if (!isControl || this.isResetting()) return
        const before = this.registers[register]!
        this.registers[register] = value
        if (register === CTRL1_XL && value !== before) this.sampler.restart()
        if (register === FIFO_CTRL4 && this.fifoMode() === BYPASS) this.emptyFifo()
        if (register === CTRL3_C && value & SW_RESET) this.resetDone = this.clock.now() + resetMs
    }

    protected readRegister(register: number): number {
        if (register >= FIFO_DATA_OUT_TAG && register <= FIFO_DATA_OUT_Z_H) return this.readFifo(register)
        const diff = this.fifo.length
        if (register === FIFO_STATUS1) return diff & 255
        if (register === FIFO_STATUS2) return this.fifoStatus() | (diff >> 8)
        const value = this.registers[register]!
        if (register === OUTZ_H_A) this.registers[STATUS_REG]! &= ~XLDA
        return value
    }

    /** Reads the oldest word and removes it after its last byte. */
    private readFifo(register: number): number {
        const [word = noWord] = this.fifo
        const byte = word[register - FIFO_DATA_OUT_TAG]!
        if (register === FIFO_DATA_OUT_Z_H) {
            this.fifo.shift()
            this.isOverrun = false
        }
        return byte
    }

    private fifoStatus(): number {
        const latched = this.wasOverrun
        this.wasOverrun = this.isOverrun
        const watermark = this.watermark()
        return (
            (watermark > 0 && this.fifo.length >= watermark ? FIFO_WTM_IA : 0) |
            (this.isOverrun ? FIFO_OVR_IA : 0) |
            (this.fifo.length >= this.depth() - 1 ? FIFO_FULL_IA : 0) |
            (latched ? FIFO_OVR_LATCHED : 0)
        )
    }

    private watermark(): number {
        return ((this.registers[FIFO_CTRL2]! & WTM8) << 8) | this.registers[FIFO_CTRL1]!
    }

    private depth(): number {
        const stops = this.registers[FIFO_CTRL2]! & STOP_ON_WTM
        return stops && this.watermark() ? this.watermark() : fifoDepth
    }

    private fifoMode(): number {
        return this.registers[FIFO_CTRL4]! & 7
    }

    private emptyFifo(): void {
        this.fifo = []
        this.isOverrun = this.wasOverrun = false
    }

    private isResetting(): boolean {
        return (this.registers[CTRL3_C]! & SW_RESET) !== 0
    }

    protected advance(): void {
        if (this.isResetting() && this.clock.now() >= this.resetDone) this.powerUp()
        const hz = dataRates[this.registers[CTRL1_XL]! >> 4] ?? 0
        const scale = (this.registers[CTRL1_XL]! >> 2) & 3
        const isLowPower = this.registers[CTRL6_C]! & XL_HM_MODE
        const noiseG = isLowPower ? lowPowerNoiseG[scale]! : noiseDensityG[scale]! * Math.sqrt(hz / 2)
        const batchHz = dataRates[this.registers[FIFO_CTRL3]! & 15] ?? 0
        const every = batchHz ? Math.max(1, Math.round(hz / batchHz)) : Infinity
        this.sampler.advance(hz, noiseG, (sample, n) => {
            const bytes = convert(sample, gPerCount[scale]!)
            this.registers.set(bytes, OUTX_L_A)
            this.registers[STATUS_REG]! |= XLDA
            if (n % every === 0) this.batch(bytes)
        })
    }

    private batch(bytes: number[]): void {
        const mode = this.fifoMode()
        if (mode === BYPASS) return
        if (this.fifo.length >= this.depth()) {
            this.isOverrun = this.wasOverrun = true
            if (mode === FIFO) return
            this.fifo.shift()
        }
        this.fifo.push([tag(this.words++), ...bytes])
    }
}

function convert(sample: Acceleration, gPerCount: number): number[] {
    return outputBytes(sample.map(g => toCounts(g, gPerCount, 16)))
}

/** TAG_SENSOR, TAG_CNT and the parity bit for an even number of ones. */
function tag(count: number): number {
    const bits = (accelerometerTag << 3) | ((count & 3) << 1)
    const ones = bits.toString(2).replaceAll("0", "").length
    return bits | (ones & 1)
}
