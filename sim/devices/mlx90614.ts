import type { Clock } from "../../host/clock.ts"
import { roomTemperatureC, type Body } from "../body/body.ts"
import { seededNormal } from "../time/random.ts"
import type { I2cChip } from "./sensor-bus.ts"

/** RAM and EEPROM cells and commands, named as in the data sheet (Melexis 3901090614). */
const TA = 0x06
const TOBJ1 = 0x07
const EEPROM = 0x20
const SLEEP = 0xff

/** EEPROM as delivered: emissivity 1, SMBus address 0x5A; the rest is calibration. */
const factory = new Map([
    [0x24, 0xffff],
    [0x25, 0x9fb4],
    [0x2e, 0xbe5a],
])
const ERROR_FLAG = 0x8000
const stepsPerKelvin = 50
const zeroCelsiusK = 273.15
const maxObject = 0x7fff
const minObject = 0x27ad
/** Time from power-up to the first valid temperatures. */
const validMs = 250
/** Settling time of the digital filter with factory settings. */
const refreshMs = 100

export interface Mlx90614Options {
    clock: Clock
    body: Body
    /** Clock time of the body's second 0. */
    startMs?: number
    /** Temperature of the package. */
    ambientC?: (seconds: number) => number
    /** Calibration error of this chip, at most ±0.2 from 36 to 38 °C in the medical version. */
    errorC?: number
    noiseC?: number
    seed?: number
}

/** Melexis MLX90614 infrared thermometer: SMBus with a packet error code, at most 100 kHz. */
export class Mlx90614 implements I2cChip {
    readonly address = 0x5a
    readonly maxKHz = 100
    private readonly clock: Clock
    private readonly body: Body
    private readonly startMs: number
    private readonly ambientC: (seconds: number) => number
    private readonly errorC: number
    private readonly noise: () => number
    private poweredMs = 0
    private asleep = false
    private command = 0
    private measuredMs = -Infinity
    private object = 0

    constructor(options: Mlx90614Options) {
        const { clock, body, startMs = clock.now(), ambientC = () => roomTemperatureC } = options
        const { errorC = 0, noiseC = 0.05, seed = 1 } = options
        this.clock = clock
        this.body = body
        this.startMs = startMs
        this.ambientC = ambientC
        this.errorC = errorC
        const normal = seededNormal(seed)
        this.noise = () => noiseC * normal()
        this.powerUp()
    }

    /** Power-on reset. The EEPROM keeps its content; a host cannot set anything else. */
    powerUp(atMs = this.clock.now()): void {
        this.poweredMs = atMs
        this.asleep = false
        this.command = 0
        this.measuredMs = -Infinity
    }

    /** In sleep mode it ignores the bus; only a data line that is low for 33 ms wakes it. */
    write(bytes: Uint8Array): boolean {
        if (this.asleep) return false
        const [command, ...data] = bytes
        if (command === undefined) return true
        this.command = command
        if (command === SLEEP && data[0] === packetErrorCode([this.address << 1, SLEEP])) this.asleep = true
        return true
    }

    /** Returns LSB, MSB and a packet error code over the whole transaction with its two address bytes. */
    read(size: number): Uint8Array {
        const value = this.value()
        const answer = [value & 255, value >> 8]
        const write = this.address << 1
        answer.push(packetErrorCode([write, this.command, write | 1, ...answer]))
        return Uint8Array.from({ length: size }, (_, i) => answer[i] ?? 0xff)
    }

    private value(): number {
        const { command } = this
        if ((command & 0xe0) === EEPROM) return factory.get(command) ?? 0
        if (this.clock.now() - this.poweredMs < validMs) return 0
        if (command === TA) return steps(this.ambientC(this.seconds()))
        return command === TOBJ1 ? this.objectTemperature() : 0
    }

    private seconds(): number {
        return (this.clock.now() - this.startMs) / 1000
    }

    /** Outside the range of linearization the error flag is set. */
    private objectTemperature(): number {
        const now = this.clock.now()
        if (now - this.measuredMs >= refreshMs) {
            const skin = this.body.skinTemperature(this.seconds())
            const object = steps(skin + this.errorC + this.noise())
            const isInRange = object >= minObject && object <= maxObject
            this.object = isInRange ? object : ERROR_FLAG | (object & maxObject)
            this.measuredMs = now
        }
        return this.object
    }
}

function steps(celsius: number): number {
    return Math.round((celsius + zeroCelsiusK) * stepsPerKelvin)
}

/** CRC-8 with the polynomial x⁸ + x² + x + 1 (SMBus 2.0, 5.4.1), from a table. */
function packetErrorCode(bytes: number[]): number {
    return bytes.reduce((crc, byte) => crcTable[crc ^ byte]!, 0)
}

const crcTable = Uint8Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = ((crc << 1) ^ (crc & 0x80 ? 0x07 : 0)) & 0xff
    return crc
})
