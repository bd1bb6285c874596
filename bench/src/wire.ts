// Sends `messages` envelopes of `readings` readings each to the router, over the transport in its address.
import { sleep } from "@devicescript/core"
import { readSetting } from "../../src/platform/flash"
import { readIdentity } from "../../src/link/identity"
import { queueReading, startQueue } from "../../src/link/queue"
import { Reading } from "../../src/reading"
import { openReceipt, seal, startSealing } from "../../src/link/seal"
import { startPacks, writePack } from "../../src/link/pack"
import { Purpose } from "../../src/link/transport"
import { transportFor } from "../../src/uplink/transports"

const maxReadings = 30
const shiftTicks = 28275609600
const receiptMs = 10000

const readings = await readSetting("readings", 1)
const messages = await readSetting("messages", 1)
const identity = await readIdentity()
startQueue(maxReadings, 1, maxReadings)
startPacks(maxReadings)
startSealing(identity.keys, 1)
const transport = transportFor(identity.router.protocol, identity, async () => undefined)
const reading = new Reading()
reading.quality = 0.9
reading.motion = false

async function send(): Promise<void> {
    for (let i = 0; i < readings; i++) {
        reading.atMs = 10000 + 2000 * i
        reading.bpm = 71.2 + i / 10
        reading.tempC = 36.6 + i / 100
        queueReading(reading)
    }
    const { bytes, nonce } = seal(writePack(readings, shiftTicks, 0))
    const accept = (receipt: Buffer) => openReceipt(receipt, nonce) !== undefined
    const { code } = await transport.post(Purpose.vitals, bytes, receiptMs, accept)
    console.log(code === 0x44 ? `sent ${bytes.length}` : `no receipt: ${code}`)
}

await transport.open(identity.router)
console.log(transport.isOpen() ? "open" : "not open")
// Anything that is sent only once is over by then.
await sleep(1000)
console.log("begin")
for (let i = 0; i < messages; i++) await send()
await sleep(1000)
console.log("end")
