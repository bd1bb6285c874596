import { I2C } from "@devicescript/i2c"
import { Max30205 } from "./drivers/max30205"
import { Health } from "./health"
import { BodyTemperature } from "./temperature"

/** The mote's thermometer. Nothing here throws: a chip that is absent or fails is looked for again. */
export class Thermometer {
    readonly health = new Health("thermometer")
    private chip: Max30205
    private body = new BodyTemperature()

    constructor(i2c: I2C) {
        this.chip = new Max30205(i2c)
    }

    /**
     * Measures; to be called every 2 s.
     * @param isWorn whether there is a wearer, as far as anybody knows
     * @returns °C, undefined until settled, when nobody wears the mote, and when the sensor does not answer
     */
    async read(isWorn: boolean): Promise<number | undefined> {
        const { body, chip, health } = this
        try {
            if (!health.isRunning) {
                body.reset()
                await chip.start()
            }
            const celsius = await chip.read()
            health.works()
            return isWorn ? body.next(celsius) : body.reset()
        } catch (e) {
            health.failed(e as Error)
            return undefined
        }
    }
}
