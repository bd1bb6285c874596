import { readBurst, SensorError } from "./registers"
import { sleep } from "../platform/sleep"

// Data sheet: Melexis 3901090614, MLX90614 Infra Red Thermometer in TO-39.
export const mlx90614Address = 0x5a

const TA = 0x06
const TOBJ1 = 0x07
/** EEPROM cell whose low byte is the chip's own address. */
const SMBUS_ADDRESS = 0x2e

const ERROR_FLAG = 0x8000
/** −70 °C: the registers hold less until the first measurement. */
const minSteps = 0x27ad
const stepsPerKelvin = 50
const zeroCelsiusK = 273.15
/** Time from power-up to the first valid temperatures. */
const validMs = 250
/** Temperature range of the package in which the data sheet's accuracy holds. */
const minAmbientC = 0
const maxAmbientC = 50

/*
 * Melexis MLX90614 infrared thermometer, ±0.2 °C from 36 to 38 °C in its medical version. It uses SMBus with a packet error
 * code at up to 100 kHz. It measures continuously at about 1 mA, and has no settings that a brown-out could erase. Its sleep
 * mode is not used: it wakes only when the data line is low for 33 ms while the clock line is high, which no I2C transaction
 * does, and the bus is shared with other chips.
 *
 *     if (await startMlx90614()) celsius = await readMlx90614()
 */

/** Waits for the first temperature; see driver.ts. */
export async function startMlx90614(): Promise<boolean> {
    if (((await readCell(SMBUS_ADDRESS)) & 0xff) !== mlx90614Address) return false
    await sleep(validMs)
    await readMlx90614()
    return true
}

/** The object temperature; see driver.ts. @returns °C */
export async function readMlx90614(): Promise<number> {
    const ambient = await readTemperature(TA)
    if (ambient < minAmbientC || ambient > maxAmbientC) throw new SensorError("MLX90614 is too hot or too cold")
    return await readTemperature(TOBJ1)
}

async function readTemperature(cell: number): Promise<number> {
    const steps = await readCell(cell)
    if (steps < 0) throw new SensorError("MLX90614 packet error")
    if (steps & ERROR_FLAG || steps < minSteps) throw new SensorError("MLX90614 has no result")
    return steps / stepsPerKelvin - zeroCelsiusK
}

/** @returns 16 bits, unsigned; −1 if the packet error code is wrong */
async function readCell(cell: number): Promise<number> {
    const answer = await readBurst(mlx90614Address, cell, 3)
    // The code covers the whole transaction.
    const asked = [mlx90614Address << 1, cell, (mlx90614Address << 1) | 1]
    const packet = Buffer.concat(Buffer.from(asked), answer)
    return packetErrorCode(packet) === 0 ? answer[0] | (answer[1] << 8) : -1
}

/** CRC-8 with the polynomial x⁸ + x² + x + 1 (SMBus 2.0, 5.4); 0 over a packet with its code. */
export function packetErrorCode(packet: Buffer): number {
    let crc = 0
    for (let i = 0; i < packet.length; i++) {
        crc ^= packet[i]
        for (let bit = 0; bit < 8; bit++) crc = crc & 0x80 ? ((crc << 1) ^ 0x07) & 0xff : crc << 1
    }
    return crc
}
