// Between two sleeps: a loop of `loops` turns, then the `work`. The VM panics where that takes more than 131,072 steps.
import { sleep } from "@devicescript/core"
import { readSetting } from "@devicescript/settings"
import { ReadingQueue } from "../../src/link/queue"
import { Reading } from "../../src/reading"
import { MoteKeys, ReceiptOpener, Sealer } from "../../src/link/seal"
import { PackWriter } from "../../src/link/senml"

const maxReadings = 30
const shiftTicks = 28275609600

const loops = await readSetting("loops", 0)
const work = await readSetting("work", "nothing")
const readings = await readSetting("readings", 1)
/** The last reading has a saturation, as every fourth does. */
const spo2 = await readSetting("spo2", 0)

const keys = new MoteKeys(Buffer.alloc(32), Buffer.alloc(8))
const queue = new ReadingQueue(maxReadings, 1, maxReadings)
const writer = new PackWriter("0000000000000000", maxReadings)
const sealer = new Sealer(keys, 1)
const opener = new ReceiptOpener(keys)
const receipt = Buffer.from(await readSetting("receipt", ""), "hex")
const nonce = receipt.slice(21, 34)
const reading = new Reading()
reading.quality = 0.9
reading.motion = false

function fill(): void {
    queue.clear()
    queue.lost = 0
    for (let i = 0; i < readings; i++) {
        reading.atMs = 10000 + 2000 * i
        reading.bpm = 71.2 + i / 10
        reading.tempC = 36.6 + i / 100
        reading.spo2 = spo2 > 0 && i === readings - 1 ? spo2 : undefined
        queue.push(reading)
    }
}

function perform(): void {
    if (work === "push") queue.push(reading)
    else if (work === "pack") writer.write(queue, readings, shiftTicks, 0)
    else if (work === "seal") sealer.seal(writer.write(queue, readings, shiftTicks, 0))
    else if (work === "receipt") opener.open(receipt, nonce)
}

fill()
console.log("bytes " + sealer.seal(writer.write(queue, readings, shiftTicks, 0)).bytes.length)
fill()
if (work === "receipt" && !opener.open(receipt, nonce)) throw new Error("not a receipt")
await sleep(10)
let turns = 0
while (turns < loops) turns++
perform()
await sleep(10)
console.log("done")
