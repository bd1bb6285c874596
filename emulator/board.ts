import type { I2cChip } from "../sim/devices/sensor-bus.ts"
import { virtualStartMs } from "../sim/time/clock.ts"
import { Activity } from "./activity.ts"
import { BoardClock } from "./board-clock.ts"
import { Chip, type Reset } from "./chip/chip.ts"
import type { Halt } from "./chip/core.ts"
import type { FlashMemory } from "./flash.ts"
import { BootRom } from "./bootrom/rom.ts"
import { I2cController, type I2cStatistics } from "./i2c.ts"
import { timeTransfers } from "./spi.ts"

const I2C0_IRQ = 23
const i2cBases = [0x40044000, 0x40048000]
/** Channel of the converter that GPIO 26 is on; the others follow. */
const firstAnalogPin = 26
/** 0 on GPIO 29 makes a Pico W of a Pico. */
const wirelessPin = 29
const fullScale = 0xfff

/** What the board's owner gets to know. */
export type BoardEvent =
    { kind: "reset"; reset: Reset } | { kind: "halt"; halt: Halt; nanos: number } | { kind: "power failure" }

export interface BoardOptions {
    flash: FlashMemory
    /** Of its entropy: where keys and salts come from. */
    seed?: number
    /** Unix time of power-up. */
    startMs?: number
    /** The chips on its I2C bus, whichever pins that has. */
    chips?: (clock: BoardClock) => I2cChip[]
    /** What an analogue pin (GPIO 26 to 28) measures as a share of the full scale. */
    analogPins?: Record<number, () => number>
    /** A line on its UART. */
    log?: (line: string) => void
    /** What rp2040js does not know. */
    emulatorLog?: (line: string) => void
    onEvent?: (event: BoardEvent) => void
    /** Connects what is around the chip: called at power-up and after each reset. */
    connect?: (chip: Chip) => void
}

/** A Raspberry Pi Pico W: its chip over all its resets, its flash, what is on its pins. */
export class Board {
    readonly clock: BoardClock
    readonly flash: FlashMemory
    readonly activity = new Activity()
    readonly i2c: I2cStatistics[] = []
    resets = 0
    /** Why it does not go on, without a reset. */
    halt: Halt | undefined
    private readonly options: BoardOptions
    private readonly rom = new BootRom()
    private readonly i2cChips: I2cChip[]
    private current: Chip | undefined
    private powerUps = 0
    private line = ""

    constructor(options: BoardOptions) {
        this.options = options
        this.flash = options.flash
        this.clock = new BoardClock(options.startMs ?? virtualStartMs)
        this.i2cChips = options.chips?.(this.clock) ?? []
    }

    get chip(): Chip | undefined {
        return this.current
    }

    get nanos(): number {
        return this.clock.nanos
    }

    powerUp(): void {
        if (this.current) return
        for (const chip of this.i2cChips) chip.powerUp?.(this.clock.now())
        this.start()
    }

    /** Cuts the power: what is in flash stays. */
    powerDown(): void {
        this.current?.cpu.stop()
        this.current = undefined
        this.clock.follow(undefined)
    }

    /** Starts the program anew, as a watchdog would. */
    reset(): void {
        this.current?.cpu.stop()
        this.restart()
    }

    /** Runs until a time since power-up. */
    run(untilNanos: number): void {
        while (this.current && !this.halt && this.nanos < untilNanos) {
            const chip = this.current
            chip.cpu.run(untilNanos)
            const { halt } = chip.cpu
            if (!halt) return
            if (halt.kind === "off") {
                if (this.current === chip) this.restart()
                continue
            }
            this.halt = halt
            this.options.onEvent?.({ kind: "halt", halt, nanos: this.nanos })
        }
        this.clock.pass(untilNanos)
    }

    private restart(): void {
        if (!this.current) return
        this.resets++
        this.start()
    }

    private start(): void {
        const { flash, seed = 1, emulatorLog } = this.options
        this.halt = undefined
        const chip = new Chip({
            flash,
            nanos: this.clock.nanos,
            // Each start has entropy of its own, as on a board.
            seed: seed + 7919 * this.powerUps++,
            rom: this.rom,
            log: emulatorLog,
            onReset: reset => this.options.onEvent?.({ kind: "reset", reset }),
            onPowerFailure: () => {
                this.powerDown()
                this.options.onEvent?.({ kind: "power failure" })
            },
        })
        this.current = chip
        this.clock.follow(chip)
        this.activity.follow(chip)
        i2cBases.forEach((base, i) => {
            const controller = new I2cController(chip, i, I2C0_IRQ + i, this.i2cChips)
            chip.install(base, controller)
            const before = this.i2c[i]
            if (before) Object.assign(controller.statistics, before)
            this.i2c[i] = controller.statistics
        })
        timeTransfers(chip)
        this.line = ""
        for (const uart of chip.uart) uart.onByte = byte => this.receiveLog(byte)
        chip.adc.onADCRead = channel => this.convert(chip, channel)
        this.options.connect?.(chip)
    }

    private receiveLog(byte: number): void {
        if (byte !== 0x0a) {
            if (byte !== 0x0d) this.line += String.fromCharCode(byte)
            return
        }
        this.options.log?.(this.line)
        this.line = ""
    }

    private convert(chip: Chip, channel: number): void {
        const pin = firstAnalogPin + channel
        const share = pin === wirelessPin ? 0 : (this.options.analogPins?.[pin]?.() ?? 0)
        const value = Math.round(fullScale * Math.max(0, Math.min(1, share)))
        const { adc } = chip
        chip.time.createAlarm(() => adc.completeADCRead(value, false)).schedule(1000 * adc.sampleTime)
    }
}
