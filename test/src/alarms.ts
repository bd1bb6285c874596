// Does what test/firmware/alarms.test.ts asks for, in JSON, and answers with the pack of alarms that is pending, or 0.
import { millis, sleep } from "@devicescript/core"
import { readSetting } from "../../src/platform/flash"
import { alarmsReceipted, isAlarmPending, loadAlarms, packAlarms, watchReading } from "../../src/alarms/alarms"
import { config } from "../../src/config/config"
import { clockReceipt } from "../../src/link/clock"
import { startPacks } from "../../src/link/pack"
import { openSocket, useSocket, writeSocketNow } from "../../src/link/socket"
import { status } from "../../src/link/status"
import { Reading } from "../../src/reading"
import { Signal } from "../../src/platform/signal"
import { countBoot } from "../../src/link/identity"

const kid = Buffer.from(await readSetting("kid", "0011223344556677"), "hex")
startPacks(10)
const reading = new Reading()

function push(made: any): void {
    const [atMs, values] = made
    reading.atMs = atMs < 0 ? millis() : atMs
    reading.quality = 0.9
    reading.motion = false
    reading.bpm = values.bpm
    reading.tempC = values.tempC
    reading.spo2 = values.spo2
    reading.contact = values.optical === false ? undefined : values.contact !== false
    reading.hasThermometer = values.thermometer !== false
    status.battery = values.battery
    watchReading(reading)
}

async function answer(question: any): Promise<void> {
    if (question.delay !== undefined) config.delay = question.delay
    if (question.hrHigh !== undefined) config.hrHigh = question.hrHigh
    if (question.receipt !== undefined) clockReceipt(question.receipt, millis(), millis())
    if (question.readings) for (const made of question.readings) push(made)
    if (question.receipted) await alarmsReceipted()
    // The journal is written meanwhile.
    await sleep(50)
    writeSocketNow(question.pack && isAlarmPending() ? packAlarms() : hex`00`)
}

useSocket(new Signal(), question => {
    const parsed = JSON.parse(question.toString())
    const run = async () => await answer(parsed)
    run.start()
})
await loadAlarms(kid, await countBoot(), () => console.log("alarm"))
await openSocket("test.invalid", 1, 1000)
