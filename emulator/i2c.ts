import { BasePeripheral, type RP2040 } from "rp2040js"
import type { I2cChip } from "../sim/devices/sensor-bus.ts"

/** I2C controller (RP2040 data sheet 4.3.17). */
const CON = 0x00
const TAR = 0x04
const DATA_CMD = 0x10
const SS_SCL_HCNT = 0x14
const SS_SCL_LCNT = 0x18
const FS_SCL_HCNT = 0x1c
const FS_SCL_LCNT = 0x20
const INTR_STAT = 0x2c
const INTR_MASK = 0x30
const RAW_INTR_STAT = 0x34
const RX_TL = 0x38
const TX_TL = 0x3c
const CLR_INTR = 0x40
const CLR_TX_ABRT = 0x54
const ENABLE = 0x6c
const STATUS = 0x70
const TXFLR = 0x74
const RXFLR = 0x78
const TX_ABRT_SOURCE = 0x80
const ENABLE_STATUS = 0x9c
const COMP_PARAM_1 = 0xf4
const COMP_VERSION = 0xf8
const COMP_TYPE = 0xfc

/** Registers whose reading clears one bit of RAW_INTR_STAT. */
const clearing: Record<number, number> = {
    0x44: 1 << 0,
    0x48: 1 << 1,
    0x4c: 1 << 3,
    0x50: 1 << 5,
    0x54: 1 << 6,
    0x58: 1 << 7,
    0x5c: 1 << 8,
    0x60: 1 << 9,
    0x64: 1 << 10,
    0x68: 1 << 11,
}
const RX_FULL = 1 << 2
const TX_OVER = 1 << 3
const TX_EMPTY = 1 << 4
const TX_ABRT = 1 << 6
const ACTIVITY = 1 << 8
const STOP_DET = 1 << 9
const START_DET = 1 << 10
/** Bits that show a state; nothing clears them but the end of it. */
const states = RX_FULL | TX_EMPTY

const READ = 1 << 8
const STOP = 1 << 9
const RESTART = 1 << 10

const NO_ADDRESS_ACK = 1 << 0
const NO_DATA_ACK = 1 << 3
const ARBITRATION_LOST = 1 << 12

const fastMode = 2
const fifoDepth = 16
const bitsPerByte = 9
/** How often a master that has lost the bus looks whether the line is free again. */
const lineCheckNanos = 1e5
/** As much as a chip that begins anew with each read may have. */
const readAheadBytes = 64

/** What the bus did, for reports. */
export interface I2cStatistics {
    transfers: number
    bytes: number
    busyNanos: number
    /** Transfers that ended because nobody acknowledged. */
    refused: number
}

/**
 * An I2C master that takes the time its bits take, in the place of rp2040js', which takes none. At the other end are the chips of a
 * wearable (`sim/devices`).
 */
export class I2cController extends BasePeripheral {
    readonly statistics: I2cStatistics = { transfers: 0, bytes: 0, busyNanos: 0, refused: 0 }
    /** Called with the kHz of a transfer's bus when a chip cannot follow it, and so does not answer. */
    private readonly chips: readonly I2cChip[]
    private readonly irq: number
    private readonly registers = new Map<number, number>([[CON, 0x7f]])
    private readonly sent: { set(nanos: number): void; cancel(): void }
    private raw = 0
    private abortSource = 0
    private commands: number[] = []
    private received: number[] = []
    /** The chip that is talked to, and in which direction; undefined where the bus is free. */
    private transfer: { chip: I2cChip; isRead: boolean; written: number[]; ahead: number[] } | undefined
    private isBusy = false
    private afterDelay: () => void = () => {}

    constructor(chip: RP2040, index: number, irq: number, chips: readonly I2cChip[]) {
        super(chip, `I2C${index}`)
        this.irq = irq
        this.chips = chips
        const alarm = chip.clock.createAlarm(() => this.afterDelay())
        this.sent = { set: nanos => alarm.schedule(nanos), cancel: () => alarm.cancel() }
    }

    override readUint32(offset: number): number {
        switch (offset) {
            case DATA_CMD: {
                const byte = this.received.shift() ?? 0
                this.update()
                return byte
            }
            case RAW_INTR_STAT:
                return this.rawStatus()
            case INTR_STAT:
                return this.rawStatus() & this.register(INTR_MASK)
            case CLR_INTR:
                this.abortSource = 0
                return this.clear(0x7f & ~states)
            case TX_ABRT_SOURCE:
                return this.abortSource
            case STATUS:
                return (
                    (this.isBusy || this.transfer ? 0x21 : 0) |
                    (this.commands.length < fifoDepth ? 0x02 : 0) |
                    (this.commands.length ? 0 : 0x04) |
                    (this.received.length ? 0x08 : 0) |
                    (this.received.length === fifoDepth ? 0x10 : 0)
                )
            case TXFLR:
                return this.commands.length
            case RXFLR:
                return this.received.length
            case ENABLE_STATUS:
                return this.register(ENABLE) & 1
            case COMP_PARAM_1:
                return 0
            case COMP_VERSION:
                return 0x3230312a
            case COMP_TYPE:
                return 0x44570140
        }
        const bit = clearing[offset]
        if (bit === undefined) return this.register(offset)
        if (offset === CLR_TX_ABRT) this.abortSource = 0
        return this.clear(bit)
    }

    override writeUint32(offset: number, value: number): void {
        if (offset === DATA_CMD) return this.command(value)
        this.registers.set(offset, value)
        if (offset === ENABLE && !(value & 1)) this.disable()
        this.update()
    }

    /** Duration of one bit; 0 counts as what the program asked for last. */
    private bitNanos(): number {
        const isFast = ((this.register(CON) >> 1) & 3) >= fastMode
        const [high, low] = isFast ? [FS_SCL_HCNT, FS_SCL_LCNT] : [SS_SCL_HCNT, SS_SCL_LCNT]
        const counts = this.register(high) + this.register(low)
        return (1e9 * (counts || 1)) / this.rp2040.clkSys
    }

    private command(value: number): void {
        if (!(this.register(ENABLE) & 1)) return
        if (this.commands.length >= fifoDepth) this.raw |= TX_OVER
        else this.commands.push(value)
        this.advance()
        this.update()
    }

    /** Does the next command, unless one is under way. */
    private advance(): void {
        if (this.isBusy) return
        const command = this.commands[0]
        if (command === undefined) return
        const isRead = (command & READ) !== 0
        const isStart = !this.transfer || this.transfer.isRead !== isRead || (command & RESTART) !== 0
        this.isBusy = true
        if (!isStart) return this.after(bitsPerByte, () => this.byte())
        if (this.transfer && !this.endWrite()) return this.abort(NO_DATA_ACK)
        if (!this.transfer) this.statistics.transfers++
        this.raw |= START_DET | ACTIVITY
        this.after(1 + bitsPerByte, () => this.address(isRead))
    }

    private address(isRead: boolean): void {
        if (this.chips.some(chip => chip.holdsDataLine?.())) return this.loseBus()
        const kHz = 1e6 / this.bitNanos()
        const target = this.register(TAR) & 0x7f
        const chip = this.chips.find(({ address, maxKHz = Infinity }) => address === target && kHz <= maxKHz * 1.05)
        // A chip that sleeps does not hear its address.
        if (!chip?.write(new Uint8Array(0))) return this.abort(NO_ADDRESS_ACK)
        this.transfer = { chip, isRead, written: [], ahead: [] }
        this.after(bitsPerByte, () => this.byte())
    }

    /** A byte has gone over the bus. */
    private byte(): void {
        const { transfer } = this
        const command = this.commands.shift()
        if (!transfer || command === undefined) return
        this.statistics.bytes++
        if (transfer.isRead) this.received.push(this.readByte())
        else transfer.written.push(command & 0xff)
        if (!(command & STOP)) return this.free()
        if (!this.endWrite()) return this.abort(NO_DATA_ACK)
        // TX_EMPTY comes with the end of the byte, STOP_DET with that of the transfer.
        this.transfer = undefined
        this.update()
        this.after(1, () => {
            this.raw |= STOP_DET
            this.raw &= ~ACTIVITY
            this.free()
        })
    }

    /** The next byte of a read; chips whose pointer does not move on begin anew with each one. */
    private readByte(): number {
        const { chip, ahead } = this.transfer!
        if (chip.pointerMoves) return chip.read(1)[0]!
        if (!ahead.length) ahead.push(...chip.read(readAheadBytes))
        return ahead.shift()!
    }

    /** What was written reaches the chip as one, with the stop or the start that follows. */
    private endWrite(): boolean {
        const { chip, isRead, written } = this.transfer!
        return isRead || !written.length || chip.write(Uint8Array.from(written))
    }

    private free(): void {
        this.isBusy = false
        this.update()
        this.advance()
    }

    /** Nobody acknowledged: the master gives up and ends the transfer by itself. */
    private abort(source: number): void {
        this.statistics.refused++
        this.giveUp(source)
        this.after(1, () => {
            this.raw |= STOP_DET
            this.free()
        })
    }

    /** Somebody keeps the data line low. Only its release, which looks like a stop, ends that. */
    private loseBus(): void {
        this.giveUp(ARBITRATION_LOST)
        const wait = () => {
            if (this.chips.some(chip => chip.holdsDataLine?.())) return this.delay(lineCheckNanos, wait)
            this.raw |= STOP_DET
            this.free()
        }
        this.delay(lineCheckNanos, wait)
    }

    private giveUp(source: number): void {
        this.abortSource |= source
        this.raw = (this.raw | TX_ABRT) & ~ACTIVITY
        this.commands = []
        this.received = []
        this.transfer = undefined
        this.update()
    }

    private disable(): void {
        this.sent.cancel()
        this.commands = []
        this.received = []
        this.isBusy = false
        this.raw = 0
        // A transfer without a stop goes on once the controller is enabled again, as the SDK expects.
    }

    private after(bits: number, fn: () => void): void {
        const nanos = bits * this.bitNanos()
        this.statistics.busyNanos += nanos
        this.delay(nanos, fn)
    }

    private delay(nanos: number, fn: () => void): void {
        this.afterDelay = fn
        this.sent.set(nanos)
    }

    private register(offset: number): number {
        return this.registers.get(offset) ?? 0
    }

    private clear(bits: number): number {
        const were = this.raw & bits ? 1 : 0
        this.raw &= ~bits
        this.update()
        return were
    }

    private rawStatus(): number {
        if (!(this.register(ENABLE) & 1)) return this.raw
        const isSending = this.isBusy && this.transfer !== undefined
        const isEmpty = this.commands.length <= this.register(TX_TL) && !isSending
        const isFull = this.received.length > this.register(RX_TL)
        return this.raw | (isEmpty ? TX_EMPTY : 0) | (isFull ? RX_FULL : 0)
    }

    private update(): void {
        this.rp2040.setInterrupt(this.irq, (this.rawStatus() & this.register(INTR_MASK)) !== 0)
    }
}
