import { sleep } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { OtherChipError, Registers, SensorError } from "./registers"

// Data sheet: Texas Instruments SNOSD82, TMP117 High-Accuracy, Low-Power, Digital Temperature Sensor.
const TEMP_RESULT = 0x00
const CONFIGURATION = 0x01
const DEVICE_ID = 0x0f

const DATA_READY = 0x2000
/** Mode, conversion cycle and averages; what else is in the register are flags and the alert pin. */
const MOD_CONV_AVG = 0x0fe0

const deviceId = 0x0117
/** The four top bits are the revision. */
const deviceIdMask = 0x0fff
/** Shutdown, mean of 8: after a reset the chip has 0x0220 and converts all the time. */
const shutdown = hex`04 20`
const shutdownMode = 0x0420
/** One-shot, mean of 8; the chip shuts down again by itself. */
const oneShot = hex`0c 20`
const conversionMs = 125
const pollMs = 5
/** Conversions may take 12.5 % longer. */
const polls = 8
const noResult = -0x8000
const stepsPerDegree = 128

/**
 * Texas Instruments TMP117, temperature sensor, ±0.1 °C from −20 to 50 °C. It sleeps between two readings, with less
 * than 1 µA, and warms itself no more than one conversion of 125 ms does.
 *
 *     const thermometer = new Tmp117(i2c, 0x48)
 *     await thermometer.start()
 *     const celsius = await thermometer.read()
 */
export class Tmp117 {
    private registers: Registers

    /** @param address 0x48 to 0x4B: pin ADD0 at ground, supply, SDA or SCL */
    constructor(i2c: I2C, address: number) {
        this.registers = new Registers(i2c, address)
    }

    /** @throws I2CError; OtherChipError when it is something else; SensorError when it does not start */
    async start(): Promise<void> {
        if (((await this.registers.readInt16(DEVICE_ID)) & deviceIdMask) !== deviceId)
            throw new OtherChipError("no TMP117")
        await this.stop()
        await this.checkConfiguration()
    }

    /** Back to the power-saving state that the chip is in between two readings. */
    async stop(): Promise<void> {
        await this.registers.writeBurst(CONFIGURATION, shutdown)
    }

    /**
     * Converts once.
     * @returns °C
     * @throws I2CError when the chip does not answer; SensorError when it was reset behind our back, or is not ready
     */
    async read(): Promise<number> {
        const registers = this.registers
        await this.checkConfiguration()
        await registers.writeBurst(CONFIGURATION, oneShot)
        await sleep(conversionMs)
        for (let i = 0; i < polls; i++) {
            // Reading takes the flag away, and a chip that was reset meanwhile has other settings.
            const configuration = await registers.readInt16(CONFIGURATION)
            if (configuration & DATA_READY) {
                if ((configuration & MOD_CONV_AVG) !== shutdownMode) break
                const steps = await registers.readInt16(TEMP_RESULT)
                if (steps === noResult) break
                return steps / stepsPerDegree
            }
            await sleep(pollMs)
        }
        throw new SensorError("TMP117 has no result")
    }

    private async checkConfiguration(): Promise<void> {
        const configuration = await this.registers.readInt16(CONFIGURATION)
        if ((configuration & MOD_CONV_AVG) !== shutdownMode)
            throw new SensorError("TMP117 lost power")
    }
}
