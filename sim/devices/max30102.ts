import type { Clock } from "../../host/clock.ts"
import type { Body, Led } from "../body/body.ts"
import { seededNormal } from "../time/random.ts"
import { RegisterChip } from "./register-chip.ts"

/** Register addresses, named as in the data sheet (Maxim 19-7740). */
const INTERRUPT_STATUS_1 = 0x00
const INTERRUPT_STATUS_2 = 0x01
const FIFO_WRITE_POINTER = 0x04
const OVERFLOW_COUNTER = 0x05
const FIFO_READ_POINTER = 0x06
const FIFO_DATA = 0x07
const FIFO_CONFIGURATION = 0x08
const MODE_CONFIGURATION = 0x09
const SPO2_CONFIGURATION = 0x0a
const LED1_PULSE_AMPLITUDE = 0x0c
const LED2_PULSE_AMPLITUDE = 0x0d
const MULTI_LED_SLOTS_1 = 0x11
const MULTI_LED_SLOTS_2 = 0x12
const DIE_TEMP_INTEGER = 0x1f
const DIE_TEMP_FRACTION = 0x20
const DIE_TEMP_CONFIG = 0x21
const REVISION_ID = 0xfe
const PART_ID = 0xff

const A_FULL = 0x80
const PPG_RDY = 0x40
const ALC_OVF = 0x20
const PWR_RDY = 0x01
const DIE_TEMP_RDY = 0x02
const SHDN = 0x80
const RESET = 0x40
const FIFO_ROLLOVER_EN = 0x10
const TEMP_EN = 0x01

const partId = 0x15
const fifoDepth = 32
const maxOverflow = 31
const maxCount = 0x3ffff
const resetMs = 1
const dieConversionMs = 29
const ledStepMa = 0.2
const noiseCounts = 12
/** Maximum ambient light that the cancellation removes. */
const cancelledNa = 200_000

const averaging = [1, 2, 4, 8, 16, 32, 32, 32]
const sampleRates = [50, 100, 200, 400, 800, 1000, 1600, 3200]
const fullScaleNa = [2048, 4096, 8192, 16384]
const resolutionBits = [15, 16, 17, 18]
const pulseWidthsUs = [69, 118, 215, 411]
/** Time from the end of one LED's pulse to the start of the other's. */
const slotGapUs = 287
/** The highest sample-rate code that leaves time for pulses of each width (tables 11 and 12). */
const maxRateCodeOneLed = [7, 6, 6, 5]
const maxRateCodeTwoLeds = [6, 5, 4, 3]

/** The bits of each register that can be written and read back. */
const writable = new Map([
    [0x02, 0xe0],
    [0x03, 0x02],
    [FIFO_WRITE_POINTER, 0x1f],
    [OVERFLOW_COUNTER, 0x1f],
    [FIFO_READ_POINTER, 0x1f],
    [FIFO_CONFIGURATION, 0xff],
    [MODE_CONFIGURATION, 0xc7],
    [SPO2_CONFIGURATION, 0x7f],
    [LED1_PULSE_AMPLITUDE, 0xff],
    [LED2_PULSE_AMPLITUDE, 0xff],
    [MULTI_LED_SLOTS_1, 0x77],
    [MULTI_LED_SLOTS_2, 0x77],
    [DIE_TEMP_CONFIG, 0x01],
])

export interface Max30102Options {
    clock: Clock
    body: Body
    /** Seed of the converter noise. */
    seed?: number
    /** Clock time of the body's second 0. */
    startMs?: number
    /** Relative error of this chip's oscillator; positive is fast. */
    oscillatorError?: number
}

/** Maxim MAX30102, pulse oximeter and heart-rate sensor: registers, FIFO and light of the real chip. */
export class Max30102 extends RegisterChip {
    readonly address = 0x57
    private readonly clock: Clock
    private readonly body: Body
    private readonly startMs: number
    private readonly normal: () => number
    private readonly rate: number
    private readonly failed = new Set<Led>()
    private chargeMaS = 0
    private registers = new Uint8Array(256)
    /** Samples by FIFO address, each with the counts of its channels. */
    private fifo: number[][] = []
    private stored = 0
    /** Remaining bytes of the sample that the read pointer has passed. */
    private popped: number[] = []
    private samplingSince = 0
    private samplesTaken = 0
    private resetDone = 0
    private dieTempDone: number | undefined

    constructor(options: Max30102Options) {
        super()
        const { clock, body, seed = 1, startMs = clock.now(), oscillatorError = 0 } = options
        this.clock = clock
        this.body = body
        this.startMs = startMs
        this.normal = seededNormal(seed)
        this.rate = 1 + oscillatorError
        this.powerUp()
    }

    /** Power-on reset: every register has its reset value, and the power-ready flag is set. */
    powerUp(): void {
        this.reset()
        this.registers[INTERRUPT_STATUS_1] = PWR_RDY
    }

    /** Breaks an LED: it stays dark from now on, whatever its current. */
    failLed(led: Led): void {
        this.advance()
        this.failed.add(led)
    }

    /** Charge through the LEDs so far, in mA·s. */
    ledCharge(): number {
        this.advance()
        return this.chargeMaS
    }

    protected point(address: number): void {
        this.register = address
        this.popped = []
    }

    /** The register address stays at the FIFO during a burst. */
    protected next(): void {
        if (this.register !== FIFO_DATA) this.register = (this.register + 1) & 0xff
    }

    private reset(): void {
        this.registers = new Uint8Array(256)
        this.registers[REVISION_ID] = 0x03
        this.registers[PART_ID] = partId
        this.fifo = Array.from({ length: fifoDepth }, () => [0, 0])
        this.stored = 0
        this.popped = []
        this.dieTempDone = undefined
    }

    protected readRegister(register: number): number {
        if (register === FIFO_DATA) return this.readFifo()
        const value = this.registers[register]!
        if (register === INTERRUPT_STATUS_1 || register === INTERRUPT_STATUS_2) this.registers[register] = 0
        if (register === DIE_TEMP_FRACTION) this.registers[INTERRUPT_STATUS_2] = 0
        return value
    }

    protected writeRegister(register: number, value: number): void {
        const mask = writable.get(register)
        if (mask === undefined || this.isResetting()) return
        this.registers[register] = value & mask
        switch (register) {
            case FIFO_WRITE_POINTER:
            case FIFO_READ_POINTER:
                this.stored =
                    (this.registers[FIFO_WRITE_POINTER]! - this.registers[FIFO_READ_POINTER]! + fifoDepth) % fifoDepth
                break
            case MODE_CONFIGURATION:
                if (value & RESET) {
                    this.reset()
                    this.registers[MODE_CONFIGURATION] = RESET
                    this.resetDone = this.clock.now() + resetMs
                } else if (value & SHDN) this.registers.fill(0, 0, 2)
                this.restartSampling()
                break
            case FIFO_CONFIGURATION:
            case SPO2_CONFIGURATION:
                this.restartSampling()
                break
            case DIE_TEMP_CONFIG:
                if (value & TEMP_EN) this.dieTempDone = this.clock.now() + dieConversionMs
        }
    }

    private isResetting(): boolean {
        return (this.registers[MODE_CONFIGURATION]! & RESET) !== 0
    }

    /** The first byte of a sample advances the read pointer. An empty FIFO returns the newest sample again. */
    private readFifo(): number {
        if (!this.popped.length) {
            const pointer = this.registers[FIFO_READ_POINTER]!
            const empty = this.stored === 0
            const sample = this.fifo[empty ? (pointer + fifoDepth - 1) % fifoDepth : pointer]!
            for (const counts of sample) this.popped.push(counts >> 16, (counts >> 8) & 255, counts & 255)
            if (!empty) {
                this.registers[FIFO_READ_POINTER] = (pointer + 1) % fifoDepth
                this.registers[OVERFLOW_COUNTER] = 0
                this.stored--
            }
            this.registers[INTERRUPT_STATUS_1]! &= ~PPG_RDY
        }
        return this.popped.shift() ?? 0
    }

    private restartSampling(): void {
        this.samplingSince = this.clock.now()
        this.samplesTaken = 0
    }

    /** Computes everything that was due since the last access. */
    protected advance(): void {
        const now = this.clock.now()
        if (this.isResetting() && now >= this.resetDone) this.registers[MODE_CONFIGURATION] = 0
        if (this.dieTempDone !== undefined && now >= this.dieTempDone) this.finishDieTemperature()
        const slots = this.slots()
        if (!slots.length) return
        const { sampleMs } = this.timing(slots.length)
        const due = Math.floor((now - this.samplingSince) / sampleMs + 1e-6)
        const rollover = this.registers[FIFO_CONFIGURATION]! & FIFO_ROLLOVER_EN
        while (this.samplesTaken < due) {
            const full = this.stored === fifoDepth
            if (full && !rollover) {
                this.overflow(due - this.samplesTaken)
                this.samplesTaken = due
                break
            }
            // For samples that later ones overwrite, only the count matters.
            const kept = !rollover || due - this.samplesTaken <= fifoDepth
            this.push(kept ? this.sample(slots) : slots.map(() => 0))
            this.samplesTaken++
        }
    }

    private push(sample: number[]): void {
        const registers = this.registers
        const pointer = registers[FIFO_WRITE_POINTER]!
        this.fifo[pointer] = sample
        registers[FIFO_WRITE_POINTER] = (pointer + 1) % fifoDepth
        if (this.stored === fifoDepth) {
            registers[FIFO_READ_POINTER] = registers[FIFO_WRITE_POINTER]!
            this.overflow(1)
        } else this.stored++
        registers[INTERRUPT_STATUS_1]! |= PPG_RDY
        if (fifoDepth - this.stored === (registers[FIFO_CONFIGURATION]! & 0x0f))
            registers[INTERRUPT_STATUS_1]! |= A_FULL
    }

    /** Counts lost samples, as if the host were late. */
    overflow(lost = 1): void {
        const counter = this.registers[OVERFLOW_COUNTER]!
        this.registers[OVERFLOW_COUNTER] = Math.min(maxOverflow, counter + lost)
    }

    /** The LEDs of one sample in order; empty while the chip does not measure. */
    private slots(): Led[] {
        const mode = this.registers[MODE_CONFIGURATION]!
        if (mode & (SHDN | RESET)) return []
        switch (mode & 7) {
            case 2:
                return ["red"]
            case 3:
                return ["red", "infrared"]
            case 7:
                return this.multiLedSlots()
            default:
                return []
        }
    }

    private multiLedSlots(): Led[] {
        const [first, second] = [MULTI_LED_SLOTS_1, MULTI_LED_SLOTS_2].map(register => this.registers[register]!) as [
            number,
            number,
        ]
        const slots: Led[] = []
        for (const slot of [first & 7, first >> 4, second & 7, second >> 4]) {
            if (slot !== 1 && slot !== 2) break
            slots.push(slot === 1 ? "red" : "infrared")
        }
        return slots
    }

    private timing(leds: number): { rawMs: number; average: number; sampleMs: number } {
        const spo2 = this.registers[SPO2_CONFIGURATION]!
        const limits = leds > 1 ? maxRateCodeTwoLeds : maxRateCodeOneLed
        const rateCode = Math.min((spo2 >> 2) & 7, limits[spo2 & 3]!)
        const rawMs = 1000 / sampleRates[rateCode]! / this.rate
        const average = averaging[this.registers[FIFO_CONFIGURATION]! >> 5]!
        return { rawMs, average, sampleMs: rawMs * average }
    }

    /** The next sample: the mean of the conversions that are averaged. */
    private sample(slots: Led[]): number[] {
        const { rawMs, average, sampleMs } = this.timing(slots.length)
        const sums = slots.map(() => 0)
        for (let i = 1; i <= average; i++) {
            const at = this.samplingSince + this.samplesTaken * sampleMs + i * rawMs
            slots.forEach((led, slot) => (sums[slot]! += this.convert(led, slot, at)))
        }
        return sums.map(sum => Math.floor(sum / average))
    }

    /** Converts light to counts: saturates at full scale; bits below the resolution of the pulse width are zero. */
    private convert(led: Led, slot: number, atMs: number): number {
        const seconds = (atMs - this.startMs) / 1000
        const spo2 = this.registers[SPO2_CONFIGURATION]!
        const pulseUs = pulseWidthsUs[spo2 & 3]!
        const ledMa = this.failed.has(led) ? 0 : this.ledMa(led)
        this.chargeMaS += (ledMa * pulseUs) / 1e6
        const slotS = (slot * (pulseUs + slotGapUs)) / 1e6
        const currentNa =
            ledMa * this.body.reflectance(led, seconds) + this.ambientResidue(seconds + slotS, pulseUs / 1e6)
        const counts = (currentNa / fullScaleNa[spo2 >> 5]!) * (maxCount + 1)
        const noisy = Math.round(counts + noiseCounts * this.normal())
        const clipped = Math.max(0, Math.min(maxCount, noisy))
        return clipped & (maxCount << (18 - resolutionBits[spo2 & 3]!))
    }

    private ledMa(led: Led): number {
        const register = led === "red" ? LED1_PULSE_AMPLITUDE : LED2_PULSE_AMPLITUDE
        return this.registers[register]! * ledStepMa
    }

    /**
     * Ambient light in nA that remains after cancellation. The chip subtracts the level before the LED's pulse, up to
     * its limit; changes during the pulse remain, and so does everything beyond the limit.
     */
    private ambientResidue(seconds: number, pulseS: number): number {
        const { body } = this
        if (!body.ambientLight) return 0
        const before = body.ambientLight(seconds)
        if (before > cancelledNa) this.registers[INTERRUPT_STATUS_1]! |= ALC_OVF
        const during = body.ambientLight(seconds + pulseS / 2)
        return during - Math.min(before, cancelledNa)
    }

    private finishDieTemperature(): void {
        const skin = this.body.skinTemperature((this.dieTempDone! - this.startMs) / 1000)
        const sixteenths = Math.round(skin * 16)
        this.registers[DIE_TEMP_INTEGER] = sixteenths >> 4
        this.registers[DIE_TEMP_FRACTION] = sixteenths & 15
        this.registers[DIE_TEMP_CONFIG] = 0
        this.registers[INTERRUPT_STATUS_2]! |= DIE_TEMP_RDY
        this.dieTempDone = undefined
    }
}
