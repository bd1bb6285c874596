import { I2C } from "@devicescript/i2c"
import { Max30102 } from "./drivers/max30102"
import { Health } from "./health"

/** The mote's optical sensor. Nothing here throws: a chip that is absent or fails is just not running. */
export class OpticalSensor {
    readonly chip: Max30102
    readonly health = new Health("optical sensor")

    constructor(i2c: I2C) {
        this.chip = new Max30102(i2c)
    }

    /** Starts the chip, if it is there. */
    async start(): Promise<void> {
        try {
            await this.chip.start()
            this.health.isRunning = true
        } catch (e) {
            this.health.failed(e as Error)
        }
    }

    /**
     * Reads what the chip has, into `chip.fifo`.
     * @returns the number of samples; −1 where the signal has a gap and starts anew
     */
    async read(): Promise<number> {
        try {
            const count = await this.chip.read()
            this.health.works()
            return count
        } catch (e) {
            this.health.failed(e as Error)
            return -1
        }
    }
}
