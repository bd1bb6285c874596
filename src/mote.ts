import { sleep } from "@devicescript/core"
import { I2C } from "@devicescript/i2c"
import { countBoot, readIdentity } from "./identity"
import { Uplink } from "./uplink"

const flashRetryMs = 60000

/** The whole mote, on any board: senses over `i2c` and reports to its router. */
export async function startMote(_i2c: I2C): Promise<void> {
    await startUplink()
}

/** The mote's link, ready to take readings; undefined where the mote has no identity. */
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
