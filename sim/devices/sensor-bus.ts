import type { Clock } from "../../host/clock.ts"
import type { Service } from "../jacdac/device.ts"
import { maxPayloadBytes, type Packet } from "../jacdac/frame.ts"

/** The model of a chip on an I2C bus, as seen by the bus master. */
export interface I2cChip {
    /** Its 7-bit address. */
    readonly address: number
    /** Its maximum bus speed; on a faster bus it does not respond. */
    readonly maxKHz?: number
    /** Whether a read continues where the last one ended, so that several reads return what one longer read does. */
    readonly pointerMoves?: boolean
    /** The master writes. @returns whether every byte was acknowledged */
    write(bytes: Uint8Array): boolean
    /** The master reads, from where the last write or read ended. */
    read(size: number): Uint8Array
    /** Whether the chip holds the data line low, which makes the bus unusable. */
    holdsDataLine?(): boolean
    /** Power-on reset, at a time of the chip's clock or now: registers have their reset values. */
    powerUp?(atMs?: number): void
    /** The FIFO loses samples, as if the host were late. */
    overflow?(): void
}

/** Outcome of a transaction (services/sensor-bus.md). */
const transferOk = 0
const transferNack = 1
const transferStuck = 2

const transferCommand = 0x80
const bitsPerByte = 9

/** The I2C bus of a simulated mote, as the Jacdac service of services/sensor-bus.md. */
export class SensorBus implements Service {
    readonly serviceClass = 0x1a7e5c92
    private readonly clock: Clock
    private readonly chips: I2cChip[]
    private readonly kHz: number

    /** @param kHz bus speed; a transaction takes as long as its bits */
    constructor(clock: Clock, chips: I2cChip[], kHz = 100) {
        this.clock = clock
        this.chips = chips
        this.kHz = kHz
    }

    handle(command: Packet, report: (command: number, payload: Uint8Array) => void): void {
        if (command.command !== transferCommand || command.payload.length < 3) return
        const [transaction, address, readSize] = command.payload as Uint8Array & [number, number, number]
        const [status, data] = this.transfer(address, command.payload.slice(3), readSize)
        const bits = bitsPerByte * (1 + command.payload.length - 3 + (readSize ? 1 + readSize : 0))
        this.clock.setTimeout(
            () => report(transferCommand, Uint8Array.of(transaction, status, ...data)),
            bits / this.kHz,
        )
    }

    private transfer(address: number, data: Uint8Array, readSize: number): [number, Uint8Array] {
        const nothing = new Uint8Array(0)
        if (this.chips.some(chip => chip.holdsDataLine?.())) return [transferStuck, nothing]
        const chip = this.chips.find(({ address: own, maxKHz = Infinity }) => own === address && this.kHz <= maxKHz)
        if (!chip || readSize > maxPayloadBytes - 2) return [transferNack, nothing]
        if (data.length && !chip.write(data)) return [transferNack, nothing]
        return [transferOk, readSize ? chip.read(readSize) : nothing]
    }
}
