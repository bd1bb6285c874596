// Between two sleeps: a loop of `loops` turns, then the `work`. The VM panics where that takes more than 131,072 steps.
import { sleep } from "@devicescript/core"
import { readSetting } from "@devicescript/settings"
import { Alarms } from "../../src/alarms/alarms"
import { Clock } from "../../src/link/clock"
import { groupReadings, ReadingQueue } from "../../src/link/queue"
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

const summaries = 40
/** Filled up to the last byte. */
const fullQueue = new ReadingQueue(2 * groupReadings, summaries, groupReadings)
const alarms = new Alarms(Buffer.alloc(8), 1, new Clock(), () => {})
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

async function fillUp(): Promise<void> {
    for (let i = 0; i < (2 + summaries) * groupReadings; i++) {
        reading.atMs += 2000
        fullQueue.push(reading)
        if (i % groupReadings === 0) await sleep(0)
    }
    reading.atMs += 2000
}

function perform(): void {
    if (work === "push") queue.push(reading)
    else if (work === "push, full") fullQueue.push(reading)
    else if (work === "watch") alarms.push(reading)
    else if (work === "summaries") writer.write(fullQueue, 2, shiftTicks, 0)
    else if (work === "pack") writer.write(queue, readings, shiftTicks, 0)
    else if (work === "seal") sealer.seal(writer.write(queue, readings, shiftTicks, 0))
    else if (work === "receipt") opener.open(receipt, nonce)
}

fill()
console.log("bytes " + sealer.seal(writer.write(queue, readings, shiftTicks, 0)).bytes.length)
fill()
if (work === "receipt" && !opener.open(receipt, nonce)) throw new Error("not a receipt")
reading.contact = reading.hasThermometer = true
reading.spo2 = 97
await fillUp()
await sleep(10)
let turns = 0
while (turns < loops) turns++
perform()
await sleep(10)
console.log("done")
