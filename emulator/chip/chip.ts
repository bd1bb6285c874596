import { RP2040, type BasePeripheral } from "rp2040js"
import { BootRom, type RomHost } from "../bootrom/rom.ts"
import { PowerFailure, type FlashMemory } from "../flash.ts"
import { ChipClock } from "./clock.ts"
import { Core, ramBase, type Memory } from "./core.ts"
import { FlashInterface, FlashPins } from "./flash-interface.ts"
import { RingOscillator } from "./ring-oscillator.ts"

/** The system clock at power-up is the ring oscillator (RP2040 data sheet 2.17). */
const ringOscillatorHz = 6.5e6
/** Until the flash's second stage runs: the ROM looks at the pins, and reads and checks it. */
const bootMs = 1.5
const secondStageBytes = 256
const secondStageAt = 0x20041f00

const APPLICATION_INTERRUPT_AND_RESET = 0xe000ed0c
const resetRequest = 0x05fa0004
const CLEAR_PENDING = 0xe000e280
const SYSTEM_CONTROL = 0xe000ed10
/** The upper bits of both bridges to peripherals, 0x40000000 and 0x50000000. */
const bridges = 2
const privateBus = 0xe000e000
const SSI = 0x18000000
const IO_QSPI = 0x40018000
const ROSC = 0x40060000
const XIP_CONTROL = 0x14000000

/** What became of the chip beyond what a program can see. */
export type Reset = "program" | "watchdog" | "usb boot"

export interface ChipOptions {
    flash: FlashMemory
    /** Nanoseconds since power-up. */
    nanos?: number
    /** Of its ring oscillator. */
    seed?: number
    rom?: BootRom
    /** The chip asks for a reset; whoever owns it makes a new one. */
    onReset?: (reset: Reset) => void
    /** The power fails in a write to flash. */
    onPowerFailure?: () => void
    /** A line that rp2040js logs: what a program does that it does not know. */
    log?: (line: string) => void
}

/** One power-up or reset of an RP2040: rp2040js with a core, a boot ROM and a flash of ours. */
export class Chip extends RP2040 implements Memory, RomHost {
    readonly time: ChipClock
    readonly cpu: Core
    readonly memory: FlashMemory
    private readonly rom: BootRom
    private readonly options: ChipOptions
    private readonly byPage: (BasePeripheral | undefined)[] = []
    private isOver = false

    constructor(options: ChipOptions) {
        const time = new ChipClock(options.nanos ?? 0, ringOscillatorHz)
        super(time)
        this.time = time
        this.options = options
        this.memory = options.flash
        this.rom = options.rom ?? new BootRom()
        this.bootrom.set(this.rom.words)
        this.clkSys = ringOscillatorHz
        this.roscFreq = ringOscillatorHz
        const { contents } = this.memory
        Object.assign(this, {
            flash: contents,
            flash16: new Uint16Array(contents.buffer),
            flashView: new DataView(contents.buffer),
        })
        this.cpu = new Core(this, time)
        // Its peripherals see the fields that rp2040js' own core has.
        Object.assign(this, { core: this.cpu })
        this.addClockListener(hertz => time.setFrequency(hertz))
        const log = (_: string, message: string) => options.log?.(message)
        this.logger = { debug: () => {}, info: () => {}, warn: log, error: log }
        const ssi = new FlashInterface(this, this.memory.uniqueId)
        this.install(SSI, ssi)
        this.install(IO_QSPI, new FlashPins(this, ssi))
        this.install(ROSC, new RingOscillator(this, options.seed ?? 1))
        this.boot()
    }

    get registers(): Uint32Array {
        return this.cpu.registers
    }

    get ram(): Uint8Array {
        return this.sram
    }

    /** The chip is gone: by a reset, or with its power. */
    get ended(): boolean {
        return this.isOver
    }

    /** Puts a peripheral in the place of rp2040js'. */
    install(base: number, peripheral: BasePeripheral): void {
        this.peripherals[base >>> 12] = peripheral
        this.byPage.length = 0
    }

    override writeUint32(address: number, value: number): void {
        if (address >>> 29 === bridges) {
            const peripheral = this.peripheralAt(address)
            if (peripheral) return peripheral.writeUint32Atomic(address & 0xfff, value, (address >> 12) & 3)
        }
        if (address >>> 12 === privateBus >>> 12) {
            if (address === APPLICATION_INTERRUPT_AND_RESET) {
                if (value === resetRequest) this.end("program")
                return
            }
            if (address === CLEAR_PENDING) {
                this.cpu.pendingInterrupts &= ~value
                return
            }
            if (address === SYSTEM_CONTROL) return
        }
        if (address >>> 12 === XIP_CONTROL >>> 12) return
        super.writeUint32(address, value)
    }

    override readUint32(address: number): number {
        if (address >>> 29 === bridges) {
            const peripheral = this.peripheralAt(address)
            if (peripheral) return peripheral.readUint32(address & 0x3fff)
        }
        if (address === APPLICATION_INTERRUPT_AND_RESET || address === SYSTEM_CONTROL) return 0
        if (address >>> 12 === XIP_CONTROL >>> 12) return 0b11 // ready
        return super.readUint32(address)
    }

    override setInterrupt(irq: number, value: boolean): void {
        this.cpu?.setInterrupt(irq, value)
    }

    /** A debugger writes into flash, too. */
    patchFlash(offset: number, bytes: Uint8Array): void {
        this.memory.contents.set(bytes, offset)
        this.cpu.forget(offset, bytes.length)
    }

    // What the boot ROM works on.

    callRom(address: number): boolean {
        let cycles: number | undefined
        try {
            cycles = this.rom.call(address & ~1, this)
        } catch (error) {
            if (!(error instanceof PowerFailure)) throw error
            this.end()
            this.options.onPowerFailure?.()
            return true
        }
        if (cycles === undefined) return false
        this.time.counters[0]! += cycles
        this.cpu.returnFromCall()
        return true
    }

    setOrder(order: number): void {
        // As after CMP: N and Z by the order, C where it is not lower, no overflow.
        this.cpu.APSR = (order < 0 ? 0x80000000 : 0) | (order === 0 ? 0x40000000 : 0) | (order >= 0 ? 0x20000000 : 0)
    }

    eraseFlash(offset: number, length: number): void {
        this.wait(this.memory.erase(offset, length))
        this.cpu.forget(offset, length)
    }

    programFlash(offset: number, bytes: Uint8Array): void {
        this.wait(this.memory.program(offset, bytes))
        this.cpu.forget(offset, bytes.length)
    }

    flashCommand(): void {}

    bootToUsb(): void {
        this.end("usb boot")
    }

    /** As rp2040js', which looks in a table with gaps at each access. */
    private peripheralAt(address: number): BasePeripheral | undefined {
        const page = ((address >>> 14) & 0xff) | ((address >>> 20) & 0x100)
        return (this.byPage[page] ??= this.findPeripheral(address) as BasePeripheral | undefined)
    }

    /** The core waits for the flash. */
    private wait(ms: number): void {
        this.time.skipTo(this.time.nanos + ms * 1e6)
    }

    private end(reset?: Reset): void {
        if (this.isOver) return
        this.isOver = true
        this.cpu.stop()
        if (reset) this.options.onReset?.(reset)
    }

    /** The boot ROM's way into flash (RP2040 data sheet 2.8.1): its second stage is copied into RAM and run there. */
    private boot(): void {
        this.sram.set(this.memory.contents.subarray(0, secondStageBytes), secondStageAt - ramBase)
        this.wait(bootMs)
        this.cpu.VTOR = 0
        this.cpu.SP = secondStageAt
        this.cpu.LR = 0
        this.cpu.PC = secondStageAt
    }
}
