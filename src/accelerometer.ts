import { I2C } from "@devicescript/i2c"
import { Lis3dh } from "./drivers/lis3dh"
import { Lsm6dso } from "./drivers/lsm6dso"
import { SensorError } from "./drivers/registers"
import { Health } from "./health"

/** Of `fifo`, within 2.5 % for either chip: 0.25 and 0.244 mg a count at ±8 g. */
export const countsPerG = 4096
/** x, y and z of a sample in `fifo`, s16 little-endian each. */
export const accelerationBytes = 6

/** Of a LIS3DH, then of an LSM6DSO. */
const addresses = hex`18 19 6a 6b`

/** The mote's accelerometer. Nothing here throws: one that is absent or fails is just not running. */
export class Accelerometer {
    readonly health = new Health("accelerometer")
    /** What the last `read` brought, oldest first. */
    fifo: Buffer
    private i2c: I2C
    private chip: Lis3dh | Lsm6dso

    constructor(i2c: I2C) {
        this.i2c = i2c
    }

    /** Looks for an accelerometer at the addresses of those we know, and starts it. */
    async start(): Promise<void> {
        let reason: Error = new SensorError("none found")
        for (let i = 0; i < addresses.length; i++) {
            const Chip = i < 2 ? Lis3dh : Lsm6dso
            const chip = new Chip(this.i2c, addresses[i])
            try {
                await chip.start()
                this.chip = chip
                this.health.isRunning = true
                return
            } catch (e) {
                if (e instanceof SensorError) reason = e as Error
            }
        }
        this.health.failed(reason)
    }

    /** Switches the chip off, if it is there; `start` ends that. */
    async stop(): Promise<void> {
        try {
            if (this.health.isRunning) await this.chip.stop()
        } catch (e) {
            this.health.failed(e as Error)
        }
    }

    /**
     * Reads what the chip has, into `fifo`, 25 or 26 samples a second.
     * @returns the number of samples; −1 where the signal has a gap and starts anew
     */
    async read(): Promise<number> {
        const { chip, health } = this
        try {
            const count = await chip.read()
            health.works()
            this.fifo = chip.fifo
            return count
        } catch (e) {
            health.failed(e as Error)
            return -1
        }
    }
}
