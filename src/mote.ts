import { I2C } from "@devicescript/i2c"
import { startSensing } from "./sensing"
import { startUplink } from "./uplink"

/** The whole mote, on any board: senses over `i2c`, reports to its router. Does nothing without an identity. */
export async function startMote(i2c: I2C): Promise<void> {
    try {
        const uplink = await startUplink()
        if (uplink) await startSensing(i2c, async reading => uplink.push(reading))
    } catch (e) {
        console.log("mote: " + (e as Error).message)
    }
}
