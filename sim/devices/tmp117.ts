import type { Clock } from "../../host/clock.ts"
import type { Body } from "../body/body.ts"
import { seededNormal } from "../time/random.ts"
import type { I2cChip } from "./sensor-bus.ts"

/** Register addresses and bits, named as in the data sheet (TI SNOSD82). */
const TEMP_RESULT = 0x00
const CONFIGURATION = 0x01
const THIGH_LIMIT = 0x02
const TLOW_LIMIT = 0x03
const TEMP_OFFSET = 0x07
const DEVICE_ID = 0x0f

const DATA_READY = 0x2000
const MOD = 0x0c00
const SHUTDOWN = 0x0400
const ONE_SHOT = 0x0c00
const SOFT_RESET = 0x0002
const writable = 0x0ffc

const resetValues = new Map([
    [TEMP_RESULT, 0x8000],
    [CONFIGURATION, 0x0220],
    [THIGH_LIMIT, 0x6000],
    [TLOW_LIMIT, 0x8000],
    [0x04, 0],
    [0x05, 0],
    [0x06, 0],
    [TEMP_OFFSET, 0],
    [0x08, 0],
    [DEVICE_ID, 0x0117],
])
const conversionMs = 15.5
const averages = [1, 8, 32, 64]
/** Conversion cycle in ms by CONV, unless the averaged conversions take longer. */
const cycles = [15.5, 125, 250, 500, 1000, 4000, 8000, 16000]
const stepsPerDegree = 128
/** Standard deviation of one conversion; the mean of 8 then varies by half a step. */
const conversionNoiseC = 0.011

export interface Tmp117Options {
    clock: Clock
    body: Body
    /** 0x48 to 0x4B, by the connection of pin ADD0. */
    address?: number
    /** Clock time of the body's second 0. */
    startMs?: number
    /** Calibration error of this chip, at most ±0.1 from −20 to 50 °C. */
    errorC?: number
    seed?: number
}

/** Texas Instruments TMP117 high-accuracy temperature sensor. */
export class Tmp117 implements I2cChip {
    readonly address: number
    private readonly clock: Clock
    private readonly body: Body
    private readonly startMs: number
    private readonly errorC: number
    private readonly normal: () => number
    private registers = new Map<number, number>()
    private register = TEMP_RESULT
    /** Start of the current conversions. */
    private convertingSince: number | undefined

    constructor(options: Tmp117Options) {
        const { clock, body, address = 0x48, startMs = clock.now(), errorC = 0, seed = 1 } = options
        if (address < 0x48 || address > 0x4b) throw new RangeError(`not a TMP117 address: ${address}`)
        this.clock = clock
        this.body = body
        this.address = address
        this.startMs = startMs
        this.errorC = errorC
        this.normal = seededNormal(seed)
        this.powerUp()
    }

    /** Power-on reset: −256 °C until the first conversions are complete. */
    powerUp(atMs = this.clock.now()): void {
        this.registers = new Map(resetValues)
        this.register = TEMP_RESULT
        this.convertingSince = atMs
    }

    write(bytes: Uint8Array): boolean {
        this.advance()
        const [pointer, high, low] = bytes
        if (pointer === undefined) return true
        this.register = pointer & 0x0f
        if (low === undefined) return true // a register accepts either both bytes or none
        const value = (high! << 8) | low
        if (this.register === CONFIGURATION) this.configure(value)
        else if ([THIGH_LIMIT, TLOW_LIMIT, TEMP_OFFSET].includes(this.register))
            this.registers.set(this.register, value)
        return true
    }

    read(size: number): Uint8Array {
        this.advance()
        const value = this.registers.get(this.register) ?? 0
        if (this.register === CONFIGURATION || this.register === TEMP_RESULT)
            this.setConfiguration(this.configuration() & ~DATA_READY)
        return Uint8Array.from({ length: size }, (_, i) => (i % 2 ? value : value >> 8))
    }

    private configuration(): number {
        return this.registers.get(CONFIGURATION)!
    }

    private setConfiguration(value: number): void {
        this.registers.set(CONFIGURATION, value)
    }

    private configure(value: number): void {
        if (value & SOFT_RESET) return this.powerUp()
        this.setConfiguration((this.configuration() & ~writable) | (value & writable))
        this.convertingSince = (value & MOD) === SHUTDOWN ? undefined : this.clock.now()
    }

    private advance(): void {
        if (this.convertingSince === undefined) return
        const configuration = this.configuration()
        const count = averages[(configuration >> 5) & 3]!
        const activeMs = count * conversionMs
        const now = this.clock.now()
        if ((configuration & MOD) === ONE_SHOT) {
            if (now < this.convertingSince + activeMs) return
            this.setConfiguration((configuration & ~MOD) | SHUTDOWN)
            this.convert(this.convertingSince + activeMs, count)
            this.convertingSince = undefined
            return
        }
        const cycleMs = Math.max(activeMs, cycles[(configuration >> 7) & 7]!)
        const elapsed = now - this.convertingSince
        if (elapsed < activeMs) return
        const done = Math.floor((elapsed - activeMs) / cycleMs)
        this.convert(this.convertingSince + done * cycleMs + activeMs, count)
        this.convertingSince += (done + 1) * cycleMs
    }

    private convert(atMs: number, count: number): void {
        const skin = this.body.skinTemperature((atMs - this.startMs) / 1000)
        const noise = (conversionNoiseC / Math.sqrt(count)) * this.normal()
        const steps = Math.round((skin + this.errorC + noise) * stepsPerDegree)
        this.registers.set(TEMP_RESULT, Math.max(-0x7fff, Math.min(0x7fff, steps)) & 0xffff)
        this.setConfiguration(this.configuration() | DATA_READY)
    }
}
