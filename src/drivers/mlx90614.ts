import { sleep } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { OtherChipError, Registers, SensorError } from "./registers"

// Data sheet: Melexis 3901090614, MLX90614 Infra Red Thermometer in TO-39.
export const mlx90614Address = 0x5a

const TA = 0x06
const TOBJ1 = 0x07
/** EEPROM, where the low byte is the chip's own address. */
const SMBUS_ADDRESS = 0x2e

const ERROR_FLAG = 0x8000
/** −70 °C: less is what the registers have until the first measurement. */
const minSteps = 0x27ad
const stepsPerKelvin = 50
const zeroCelsiusK = 273.15
/** From power-up to the first valid temperatures. */
const validMs = 250
/** Of the package, for the accuracy in the data sheet to hold. */
const minAmbientC = 0
const maxAmbientC = 50

/**
 * Melexis MLX90614, infrared thermometer, ±0.2 °C from 36 to 38 °C in its medical version. Speaks SMBus with a packet
 * error code at up to 100 kHz. It measures all the time with about 1 mA, and has no settings that a brown-out would lose.
 *
 *     const thermometer = new Mlx90614(i2c)
 *     await thermometer.start()
 *     const celsius = await thermometer.read()
 */
export class Mlx90614 {
    private registers: Registers
    /** A whole read transaction, as the packet error code sees it. */
    private packet = Buffer.from([mlx90614Address << 1, 0, (mlx90614Address << 1) | 1, 0, 0, 0])

    constructor(i2c: I2C) {
        this.registers = new Registers(i2c, mlx90614Address)
    }

    /** @throws I2CError; OtherChipError when it is something else; SensorError when it cannot measure */
    async start(): Promise<void> {
        if (((await this.readCell(SMBUS_ADDRESS)) & 0xff) !== mlx90614Address)
            throw new OtherChipError("no MLX90614")
        await sleep(validMs)
        await this.read()
    }

    /**
     * Nothing: the chip could be sent to sleep, but wakes only when the data line is low for 33 ms while the clock line
     * is high, which no I2C transaction does, and the bus belongs to other chips, too.
     * @devsWhenUsed
     */
    async stop(): Promise<void> {}

    /**
     * @returns °C of what the sensor looks at
     * @throws I2CError when the chip does not answer; SensorError when it says that it cannot measure, or bits got lost
     */
    async read(): Promise<number> {
        const ambient = await this.readTemperature(TA)
        if (ambient < minAmbientC || ambient > maxAmbientC)
            throw new SensorError("MLX90614 is too hot or too cold")
        return await this.readTemperature(TOBJ1)
    }

    private async readTemperature(cell: number): Promise<number> {
        const steps = await this.readCell(cell)
        if (steps < 0) throw new SensorError("MLX90614 packet error")
        if (steps & ERROR_FLAG || steps < minSteps) throw new SensorError("MLX90614 has no result")
        return steps / stepsPerKelvin - zeroCelsiusK
    }

    /** @returns 16 bits, unsigned; −1 when the packet error code is wrong */
    private async readCell(cell: number): Promise<number> {
        const answer = await this.registers.readBurst(cell, 3)
        const packet = this.packet
        packet[1] = cell
        packet.blitAt(3, answer, 0, 3)
        return packetErrorCode(packet) === 0 ? answer[0] | (answer[1] << 8) : -1
    }
}

/** CRC-8 with the polynomial x⁸ + x² + x + 1 (SMBus 2.0, 5.4); 0 over a packet together with its code. */
export function packetErrorCode(packet: Buffer): number {
    let crc = 0
    for (let i = 0; i < packet.length; i++) {
        crc ^= packet[i]
        for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1
    }
    return crc
}
