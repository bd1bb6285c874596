import { sleep } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { Registers, SensorError } from "./registers"

// Data sheet: Maxim 19-8505, MAX30205 Human Body Temperature Sensor.
const ADDRESS = 0x48

const TEMPERATURE = 0x00
const CONFIGURATION = 0x01

const ONE_SHOT = 0x80
const SHUTDOWN = 0x01

const conversionMs = 50
const stepsPerDegree = 256

/**
 * Maxim MAX30205, human body temperature sensor, ±0.1 °C from 37 to 39 °C. It sleeps between two readings: a sensor
 * that always converts warms itself.
 *
 *     const thermometer = new Max30205(i2c)
 *     await thermometer.start()
 *     const celsius = await thermometer.read()
 */
export class Max30205 {
    private registers: Registers

    constructor(i2c: I2C) {
        this.registers = new Registers(i2c, ADDRESS)
    }

    /** @throws I2CError, SensorError when the chip is absent or something else */
    async start(): Promise<void> {
        await this.registers.write(CONFIGURATION, SHUTDOWN)
        await this.checkConfiguration()
    }

    /** Back to the power-saving state that the chip is in between two readings. */
    async stop(): Promise<void> {
        await this.registers.write(CONFIGURATION, SHUTDOWN)
    }

    /**
     * Converts once.
     * @returns °C
     * @throws I2CError when the chip does not answer; SensorError when it was reset behind our back
     */
    async read(): Promise<number> {
        // One-shot means something only in shutdown: a chip that was reset converts all the time.
        await this.checkConfiguration()
        await this.registers.write(CONFIGURATION, ONE_SHOT | SHUTDOWN)
        await sleep(conversionMs + 5)
        const bytes = await this.registers.readBurst(TEMPERATURE, 2)
        await this.checkConfiguration() // after a brown-out the register would say 0 °C
        const steps = (bytes[0] << 8) | bytes[1]
        return (steps >= 0x8000 ? steps - 0x10000 : steps) / stepsPerDegree
    }

    private async checkConfiguration(): Promise<void> {
        if ((await this.registers.read(CONFIGURATION)) !== SHUTDOWN)
            throw new SensorError("MAX30205 lost power")
    }
}
