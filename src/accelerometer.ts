import { millis } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { Lis3dh } from "./drivers/lis3dh"
import { Lsm6dso } from "./drivers/lsm6dso"
import { SensorError } from "./drivers/registers"
import { Health } from "./health"

/** Of `fifo`, within 2.5 % for either chip: 0.25 and 0.244 mg a count at ±8 g. */
export const countsPerG = 4096
/** x, y and z of a sample in `fifo`, s16 little-endian each. */
export const accelerationBytes = 6

/** The mote's accelerometer. Nothing here throws: one that is absent or fails is just not running. */
export class Accelerometer {
    readonly health = new Health("accelerometer")
    /** What the last `read` brought, oldest first. */
    fifo: Buffer
    /** When the newest sample was taken, by the clock of `millis()`; counted in samples, so it has no jitter. */
    newestMs: number
    private i2c: I2C
    private chip: Lis3dh | Lsm6dso

    constructor(i2c: I2C) {
        this.i2c = i2c
    }

    /** Looks for an accelerometer at the addresses of those we know, and starts it. */
    async start(): Promise<void> {
        let reason: Error = new SensorError("none found")
        for (let i = 0; i < 4; i++) {
            const chip = i < 2 ? new Lis3dh(this.i2c, 0x18 + i) : new Lsm6dso(this.i2c, 0x68 + i)
            try {
                await chip.start()
                this.chip = chip
                this.newestMs = millis()
                this.health.isRunning = true
                return
            } catch (e) {
                if (e instanceof SensorError) reason = e as Error
            }
        }
        this.health.failed(reason)
    }

    /**
     * Reads what the chip has, into `fifo`, 25 or 26 samples a second.
     * @returns the number of samples; −1 where the signal has a gap and starts anew
     */
    async read(): Promise<number> {
        const { chip, health } = this
        try {
            const now = millis()
            const count = await chip.read()
            health.works()
            this.fifo = chip.fifo
            // The chip's oscillator is not ours, so the newest sample is in the last period at least.
            const { sampleMs } = chip
            const counted = count < 0 ? now : this.newestMs + count * sampleMs
            this.newestMs = Math.max(now - 2 * sampleMs, Math.min(now + sampleMs / 2, counted))
            return count
        } catch (e) {
            health.failed(e as Error)
            return -1
        }
    }
}
