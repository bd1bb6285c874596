import { BasePeripheral, type RP2040 } from "rp2040js"

/** Synchronous Serial Interface to the flash (RP2040 data sheet 4.10.13). */
const SSIENR = 0x08
const TXFLR = 0x20
const RXFLR = 0x24
const SR = 0x28
const IDR = 0x58
const VERSION_ID = 0x5c
const DR0 = 0x60

const TFNF = 0x02
const TFE = 0x04
const RFNE = 0x08
const fifoDepth = 16

/** Commands of the flash (W25Q16JV data sheet, 8.1.2). */
const READ_STATUS_1 = 0x05
const READ_STATUS_2 = 0x35
const READ_UNIQUE_ID = 0x4b
const READ_JEDEC_ID = 0x9f
const jedecId = [0xef, 0x40, 0x15]
const quadEnable = 0x02
const dummyBytes = 4

/** IO_QSPI: whether a program holds the flash's chip select itself, OUTOVER in GPIO_QSPI_SS_CTRL. */
const SS_CTRL = 0x0c
const outputOverride = 0x300
const forcedLow = 0x200

/** The commands that go to the flash byte by byte: status and identifier. What writes are the boot ROM's functions. */
export class FlashInterface extends BasePeripheral {
    private readonly registers = new Map<number, number>()
    private readonly uniqueId: Uint8Array
    private received: number[] = []
    /** Bytes of the command that is under way. */
    private sent: number[] = []
    private isHeld = false

    constructor(chip: RP2040, uniqueId: Uint8Array) {
        super(chip, "SSI")
        this.uniqueId = uniqueId
    }

    override readUint32(offset: number): number {
        switch (offset) {
            case DR0: {
                const byte = this.received.shift() ?? 0
                if (!this.isHeld && !this.received.length) this.sent = []
                return byte
            }
            case SR:
                return TFE | TFNF | (this.received.length ? RFNE : 0)
            case TXFLR:
                return 0
            case RXFLR:
                return this.received.length
            case IDR:
                return 0x51535049
            case VERSION_ID:
                return 0x3430312a
        }
        return this.registers.get(offset) ?? 0
    }

    override writeUint32(offset: number, value: number): void {
        if (offset === DR0) {
            this.sent.push(value & 0xff)
            if (this.received.length < fifoDepth) this.received.push(this.answer())
        } else if (offset === SSIENR && !(value & 1)) this.endCommand()
        this.registers.set(offset, value)
    }

    /** A program takes hold of the chip select, or lets it go: a command begins, or ends. */
    hold(isHeld: boolean): void {
        this.isHeld = isHeld
        this.endCommand()
    }

    private endCommand(): void {
        this.sent = []
        this.received = []
    }

    private answer(): number {
        const [command] = this.sent
        const at = this.sent.length - 2
        if (at < 0) return 0xff
        switch (command) {
            case READ_STATUS_1:
                return 0
            case READ_STATUS_2:
                return quadEnable
            case READ_UNIQUE_ID:
                return this.uniqueId[at - dummyBytes] ?? 0xff
            case READ_JEDEC_ID:
                return jedecId[at % jedecId.length]!
        }
        return 0xff
    }
}

/** The pins to the flash: only the chip select matters. */
export class FlashPins extends BasePeripheral {
    private readonly registers = new Map<number, number>()
    private readonly flash: FlashInterface

    constructor(chip: RP2040, flash: FlashInterface) {
        super(chip, "IO_QSPI")
        this.flash = flash
    }

    override readUint32(offset: number): number {
        return this.registers.get(offset) ?? 0
    }

    override writeUint32(offset: number, value: number): void {
        this.registers.set(offset, value)
        if (offset === SS_CTRL) this.flash.hold((value & outputOverride) === forcedLow)
    }
}
