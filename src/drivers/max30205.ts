import { sleep } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { OtherChipError, Registers, SensorError } from "./registers"

// Data sheet: Maxim 19-8505, MAX30205 Human Body Temperature Sensor.
const TEMPERATURE = 0x00
const CONFIGURATION = 0x01
const T_HYST = 0x02
const T_OS = 0x03

const ONE_SHOT = 0x80
const SHUTDOWN = 0x01

/** 75 and 80 °C, the limits after power-up: there is no register that says what chip this is. */
const resetHysteresis = 0x4b00
const resetOvertemperature = 0x5000
const conversionMs = 50
const stepsPerDegree = 256

/**
 * Maxim MAX30205, human body temperature sensor, ±0.1 °C from 37 to 39 °C. It sleeps between two readings, with 3.5 µA
 * at most: a sensor that always converts warms itself.
 *
 *     const thermometer = new Max30205(i2c, 0x48)
 *     await thermometer.start()
 *     const celsius = await thermometer.read()
 */
export class Max30205 {
    private registers: Registers

    /** @param address any from 0x40 to 0x5F: each of three pins is at ground, supply, SCL or SDA */
    constructor(i2c: I2C, address: number) {
        this.registers = new Registers(i2c, address)
    }

    /** @throws I2CError; OtherChipError when it is something else; SensorError when it does not start */
    async start(): Promise<void> {
        const registers = this.registers
        if (
            (await registers.readInt16(T_HYST)) !== resetHysteresis ||
            (await registers.readInt16(T_OS)) !== resetOvertemperature
        )
            throw new OtherChipError("no MAX30205")
        await registers.write(CONFIGURATION, SHUTDOWN)
        await this.checkConfiguration()
    }

    /**
     * Back to the power-saving state that the chip is in between two readings.
     * @devsWhenUsed
     */
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
        const steps = await this.registers.readInt16(TEMPERATURE)
        await this.checkConfiguration() // after a brown-out the register would say 0 °C
        return steps / stepsPerDegree
    }

    private async checkConfiguration(): Promise<void> {
        if ((await this.registers.read(CONFIGURATION)) !== SHUTDOWN)
            throw new SensorError("MAX30205 lost power")
    }
}
