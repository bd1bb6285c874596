import type { Clock } from "../../host/clock.ts"
import type { Body } from "../body/body.ts"
import { seededNormal } from "../time/random.ts"
import type { I2cChip } from "./sensor-bus.ts"

/** Register addresses and bits, named as in the data sheet (Maxim 19-8505). */
const TEMPERATURE = 0x00
const CONFIGURATION = 0x01
const THYST = 0x02
const TOS = 0x03

const ONE_SHOT = 0x80
const DATA_FORMAT = 0x20
const SHUTDOWN = 0x01

const conversionMs = 50
const stepsPerDegree = 256
const extendedFormatOffsetC = 64
const maxSteps = (extendedFormatOffsetC + 128) * stepsPerDegree - 1

export interface Max30205Options {
    clock: Clock
    body: Body
    /** One of 32 addresses from 0x40 to 0x5F, by three address pins. */
    address?: number
    /** Clock time of the body's second 0. */
    startMs?: number
    /** Calibration error of this chip, at most ±0.1 between 37 and 39 °C. */
    errorC?: number
    /** Standard deviation of a conversion; 0 makes it exact. */
    noiseC?: number
    seed?: number
}

/** Maxim MAX30205, human body temperature sensor. */
export class Max30205 implements I2cChip {
    readonly address: number
    private readonly clock: Clock
    private readonly body: Body
    private readonly startMs: number
    private readonly errorC: number
    private readonly noise: () => number
    private register = TEMPERATURE
    private configuration = 0
    private readonly limits = new Map<number, number>()
    /** Result of the last conversion in 1/256 °C, in either format. */
    private converted = 0
    private convertingSince: number | undefined

    constructor(options: Max30205Options) {
        const { clock, body, address = 0x48, startMs = clock.now() } = options
        const { errorC = 0, noiseC = 0.004, seed = 1 } = options
        if (address < 0x40 || address > 0x5f) throw new RangeError(`not a MAX30205 address: ${address}`)
        this.clock = clock
        this.body = body
        this.address = address
        this.startMs = startMs
        this.errorC = errorC
        const normal = seededNormal(seed)
        this.noise = () => noiseC * normal()
        this.powerUp()
    }

    /** Power-on reset: 0 °C until the first conversion is complete. */
    powerUp(atMs = this.clock.now()): void {
        this.register = TEMPERATURE
        this.configuration = 0
        this.limits.set(THYST, 0x4b00).set(TOS, 0x5000)
        this.converted = 0
        this.convertingSince = atMs
    }

    write(bytes: Uint8Array): boolean {
        this.advance()
        const [pointer, high, low] = bytes
        if (pointer === undefined) return true
        this.register = pointer & 3
        if (high === undefined) return true
        if (this.register === CONFIGURATION) this.configure(high)
        else if (this.register !== TEMPERATURE && low !== undefined)
            this.limits.set(this.register, ((high << 8) | low) & 0xff80)
        return true
    }

    read(size: number): Uint8Array {
        this.advance()
        const value = this.value()
        return Uint8Array.from({ length: size }, (_, i) => value[i % value.length]!)
    }

    private value(): number[] {
        if (this.register === CONFIGURATION) return [this.configuration]
        const word = this.register === TEMPERATURE ? this.temperature() : this.limits.get(this.register)!
        return [(word >> 8) & 255, word & 255]
    }

    private temperature(): number {
        const offset = this.configuration & DATA_FORMAT ? extendedFormatOffsetC * stepsPerDegree : 0
        return Math.max(-0x8000, Math.min(0x7fff, this.converted - offset))
    }

    /** One-shot reads as 0. It has an effect only in shutdown, to which the chip returns by itself. */
    private configure(value: number): void {
        const wasShutdown = (this.configuration & SHUTDOWN) !== 0
        const isShutdown = (value & SHUTDOWN) !== 0
        this.configuration = value & ~ONE_SHOT
        if (isShutdown && !wasShutdown) this.convertingSince = undefined
        const starts = isShutdown ? wasShutdown && (value & ONE_SHOT) !== 0 : wasShutdown
        if (starts) this.convertingSince = this.clock.now()
    }

    private advance(): void {
        if (this.convertingSince === undefined) return
        const conversions = Math.floor((this.clock.now() - this.convertingSince) / conversionMs)
        if (conversions < 1) return
        const at = this.convertingSince + conversions * conversionMs
        if (this.configuration & SHUTDOWN) {
            this.convert(this.convertingSince + conversionMs)
            this.convertingSince = undefined
        } else {
            this.convert(at)
            this.convertingSince = at
        }
    }

    private convert(atMs: number): void {
        const skin = this.body.skinTemperature((atMs - this.startMs) / 1000)
        const steps = Math.round((skin + this.errorC + this.noise()) * stepsPerDegree)
        this.converted = Math.min(maxSteps, steps)
    }
}
