// Between two sleeps: a loop of `loops` iterations, then the `work`. The VM panics if that takes more than 131,072
// steps.
import { sleep } from "@devicescript/core"
import { readSetting } from "../../src/platform/flash"
import { loadAlarms, watchReading } from "../../src/alarms/alarms"
import { clearQueue, groupReadings, queueReading, startQueue, takeLost } from "../../src/link/queue"
import { Reading } from "../../src/reading"
import { deriveKeys, openReceipt, seal, startSealing } from "../../src/link/seal"
import { startPacks, writePack } from "../../src/link/pack"

const maxReadings = 30
const shiftTicks = 28275609600

const loops = await readSetting("loops", 0)
const work = await readSetting("work", "nothing")
const readings = await readSetting("readings", 1)
/** The last reading has a saturation, as every fourth has. */
const spo2 = await readSetting("spo2", 0)

const summaries = 40
/** The queue is full to the last byte. */
const isFull = work === "push, full" || work === "summaries"
await loadAlarms(Buffer.alloc(8), 1, () => {})
if (isFull) startQueue(2 * groupReadings, summaries, groupReadings)
else startQueue(maxReadings, 1, maxReadings)
startPacks(maxReadings)
startSealing(await deriveKeys(Buffer.alloc(32), Buffer.alloc(8)), 1)
const receipt = Buffer.from(await readSetting("receipt", ""), "hex")
const nonce = Buffer.alloc(13)
const reading = new Reading()
reading.quality = 0.9
reading.motion = false

function fill(): void {
    clearQueue()
    takeLost()
    for (let i = 0; i < readings; i++) {
        reading.atMs = 10000 + 2000 * i
        reading.bpm = 71.2 + i / 10
        reading.tempC = 36.6 + i / 100
        reading.spo2 = spo2 > 0 && i === readings - 1 ? spo2 : undefined
        queueReading(reading)
    }
}

async function fillUp(): Promise<void> {
    for (let i = 0; i < (2 + summaries) * groupReadings; i++) {
        reading.atMs += 2000
        queueReading(reading)
        if (i % groupReadings === 0) await sleep(0)
    }
    reading.atMs += 2000
}

function perform(): void {
    if (work === "push" || work === "push, full") queueReading(reading)
    else if (work === "watch") watchReading(reading)
    else if (work === "summaries") writePack(10, shiftTicks, 0)
    else if (work === "pack") writePack(readings, shiftTicks, 0)
    else if (work === "seal") seal(writePack(readings, shiftTicks, 0))
    else if (work === "receipt") openReceipt(receipt, nonce)
}

fill()
console.log("bytes " + seal(writePack(readings, shiftTicks, 0)).bytes.length)
fill()
if (work === "receipt" && !openReceipt(receipt, nonce)) throw new Error("not a receipt")
reading.contact = reading.hasThermometer = true
reading.spo2 = 97
if (isFull) {
    clearQueue()
    await fillUp()
}
await sleep(10)
let turns = 0
while (turns < loops) turns++
perform()
await sleep(10)
console.log("done")
