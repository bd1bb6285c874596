import type { SpiSlave } from "./spi-program.ts"

/**
 * The gSPI bus of a CYW43439 (Infineon, "CYW43439" data sheet 4.2): a command word, then data either way. Function 0 is the bus
 * itself, 1 the chip's backplane, 2 the packets of its WiFi.
 */
const SPI_BUS_CONTROL = 0x00
const SPI_INTERRUPT = 0x04
const SPI_STATUS = 0x08
const SPI_TEST = 0x14
const testPattern = 0xfeedbead
const PACKET_AVAILABLE = 0x20
const STATUS_F2_READY = 0x20
const STATUS_PACKET = 0x100
const statusLengthAt = 9
/** A read of the backplane begins with a word that means nothing. */
const backplanePaddingBytes = 4

const BACKPLANE_WINDOW = 0x1000a
const CHIP_CLOCK = 0x1000e
const SLEEP_CONTROL = 0x1001f
const clocksAvailable = 0xc0
const keepOn = 0x01
const isOn = 0x03
const windowMask = 0x7fff
const firstChipRegister = 0x18000000
const RESET_CONTROL = 0x800

/** Function 2: the packets to the WiFi, and those that wait for the host. */
export interface PacketPort {
    send(packet: Uint8Array): void
    /** The packet that waits longest; stays until `taken`. */
    waiting(): Uint8Array | undefined
    taken(): void
}

interface Command {
    isWrite: boolean
    fn: number
    address: number
    size: number
    bytes: number[]
    position: number
}

export class GspiSlave implements SpiSlave {
    /** Whether the host's interrupt line is up: a packet waits. */
    onInterrupt?: (isUp: boolean) => void
    private readonly packets: PacketPort
    private readonly bus = new Uint8Array(0x20)
    private readonly registers = new Map<number, number>()
    private readonly backplane = new Map<number, number>()
    /** Until the bus is configured, the halves of a word have their bytes swapped. */
    private isConfigured = false
    private command: Command | undefined

    constructor(packets: PacketPort) {
        this.packets = packets
    }

    /** Power-up, as by the line WL_REG_ON. */
    reset(): void {
        this.bus.fill(0)
        this.registers.clear()
        this.backplane.clear()
        this.isConfigured = false
        this.command = undefined
    }

    /** The select line: a transfer begins, or ends. */
    select(isSelected: boolean): void {
        const { command } = this
        if (!isSelected && command) this.end(command)
        this.command = undefined
        if (!isSelected) this.onInterrupt?.(this.packets.waiting() !== undefined)
    }

    write(word: number): void {
        const value = this.order(word)
        const { command } = this
        if (command) {
            command.bytes.push(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24)
            return
        }
        this.command = {
            isWrite: value >>> 31 === 1,
            fn: (value >>> 28) & 3,
            address: (value >>> 11) & 0x1ffff,
            size: value & 0x7ff,
            bytes: [],
            position: 0,
        }
        if (!this.command.isWrite) this.command.bytes = this.answer(this.command)
    }

    read(): number {
        const { command } = this
        if (!command) return 0
        let value = 0
        for (let i = 0; i < 4; i++) value |= (command.bytes[command.position++] ?? 0) << (8 * i)
        return this.order(value)
    }

    /** What is on the wire, as the host's memory has it, and back: both directions are the same. */
    private order(word: number): number {
        const bytes = [word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255] as const
        const [a, b, c, d] = this.isConfigured ? bytes : [bytes[1], bytes[0], bytes[3], bytes[2]]
        return (a | (b << 8) | (c << 16) | (d << 24)) >>> 0
    }

    private answer({ fn, address, size }: Command): number[] {
        if (fn === 0) return this.readBus(address, size)
        if (fn === 1) {
            const padding = Array<number>(backplanePaddingBytes).fill(0)
            const length = Math.max(0, size - backplanePaddingBytes)
            return [...padding, ...Array.from({ length }, (_, i) => this.readBackplane(address + i))]
        }
        const packet = this.packets.waiting()
        return packet ? [...packet] : []
    }

    private end({ isWrite, fn, address, size, bytes, position }: Command): void {
        if (!isWrite) {
            // A packet is taken once all of it was read.
            if (fn === 2 && position >= size && position > 0) this.packets.taken()
            return
        }
        const data = bytes.slice(0, size)
        if (fn === 0) this.writeBus(address, data)
        else if (fn === 1) data.forEach((byte, i) => this.writeBackplane(address + i, byte))
        else if (fn === 2) this.packets.send(Uint8Array.from(data))
    }

    private readBus(address: number, size: number): number[] {
        const packet = this.packets.waiting()
        const word = (value: number) => [value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24]
        switch (address) {
            case SPI_TEST:
                return word(testPattern)
            case SPI_INTERRUPT:
                return word(packet ? PACKET_AVAILABLE : 0)
            case SPI_STATUS:
                return word(STATUS_F2_READY | (packet ? STATUS_PACKET | (packet.length << statusLengthAt) : 0))
        }
        return Array.from({ length: size }, (_, i) => this.bus[address + i] ?? 0)
    }

    private writeBus(address: number, data: number[]): void {
        data.forEach((byte, i) => {
            if (address + i < this.bus.length) this.bus[address + i] = byte
        })
        if (address === SPI_BUS_CONTROL) this.isConfigured = true
    }

    private readBackplane(address: number): number {
        if (address >= 0x10000) {
            const value = this.registers.get(address) ?? 0
            if (address === CHIP_CLOCK) return value | clocksAvailable
            if (address === SLEEP_CONTROL) return value & keepOn ? isOn : 0
            return value
        }
        const at = this.window() + (address & windowMask)
        const isResetControl = (at & 0xfff) === RESET_CONTROL && at >= firstChipRegister
        return this.backplane.get(at) ?? (isResetControl ? 1 : 0)
    }

    private writeBackplane(address: number, byte: number): void {
        if (address >= 0x10000) {
            this.registers.set(address, byte)
            return
        }
        const at = this.window() + (address & windowMask)
        // The WiFi's own firmware goes into its memory; nobody runs it here.
        if (at >= firstChipRegister) this.backplane.set(at, byte)
    }

    private window(): number {
        const part = (i: number) => (this.registers.get(BACKPLANE_WINDOW + i) ?? 0) << (8 * (i + 1))
        return (part(0) | part(1) | part(2)) >>> 0
    }
}
