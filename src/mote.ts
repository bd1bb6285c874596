import { sleep } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { countBoot, readIdentity } from "./identity"
import { startSensing } from "./sensing"
import { Uplink } from "./uplink"

const flashRetryMs = 60000

/** The whole mote, on any board: senses over `i2c`, reports to its router. Does nothing without an identity. */
export async function startMote(i2c: I2C): Promise<void> {
    try {
        const uplink = await startUplink()
        if (uplink) await startSensing(i2c, async reading => uplink.push(reading))
    } catch (e) {
        console.log("mote: " + (e as Error).message)
    }
}

/** The mote's link alone, ready to take readings; undefined where the mote has no identity. */
export async function startUplink(): Promise<Uplink | undefined> {
    const identity = await readIdentity()
    if (!identity) return undefined
    console.log(`mote ${identity.eui}`)
    let boot = await countBoot()
    while (boot === undefined) {
        console.log("the flash does not keep the boot counter: nothing is sent")
        await sleep(flashRetryMs)
        boot = await countBoot()
    }
    const uplink = new Uplink(identity, boot)
    const run = async () => await uplink.run()
    run.start()
    return uplink
}
