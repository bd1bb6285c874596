// Fills a queue with the readings of test/firmware/queue.test.ts, `reading(n)` there, and answers with one pack after the other.
import { sleep } from "@devicescript/core"
import { makeRefusal, RefusalCode } from "../../src/link/refusal"
import { lost, queued, queueReading, startQueue } from "../../src/link/queue"
import { startPacks, writePack } from "../../src/link/pack"
import { openSocket, useSocket, writeSocketNow } from "../../src/link/socket"
import { status } from "../../src/link/status"
import { Reading } from "../../src/reading"
import { Signal } from "../../src/platform/signal"

/** As in the firmware. */
const batchReadings = 30
const shiftTicks = 16 * 1767225600
startPacks(batchReadings)
/** Code, setting and range: no refusal says more. */
const longest = makeRefusal(RefusalCode.outOfRange, [12, 60, 3600])
const reading = new Reading()
let made = 0
let atMs = 0

/** Some readings, without what is absent in them, and some pauses. */
function make(seed: number, stepMs: number, pause: number): void {
    const dice = (made * 7919 + seed * 104729) % 1009
    atMs += dice % 61 === 0 ? 40 * stepMs : dice % 67 === 0 ? pause * stepMs : stepMs
    reading.atMs = atMs
    reading.quality = (dice % 101) / 100
    reading.motion = dice % 13 === 0
    reading.bpm = dice % 11 === 0 ? undefined : 40 + dice / 10
    reading.tempC = dice % 17 === 0 ? undefined : 35 + (dice % 500) / 100
    reading.spo2 = dice % 4 === 0 ? 80 + (dice % 20) : undefined
    queueReading(reading)
    made++
}

async function answer(question: any): Promise<void> {
    if (question.readings) {
        startQueue(question.readings, question.summaries, batchReadings)
        made = atMs = 0
    }
    status.battery = question.battery
    for (let i = 0; i < question.push; i++) {
        make(question.seed, question.stepMs, question.pause)
        if (i % 16 === 0) await sleep(0)
    }
    const hasPack = question.max > 0 && (queued > 0 || lost > 0)
    const note = question.hasNote ? { version: 4294967295, refused: 4294967295, refusal: longest } : undefined
    const now = Math.ceil(atMs / 62.5)
    const shift = question.isUnset ? undefined : shiftTicks
    if (hasPack) writeSocketNow(writePack(question.max, shift, now, note))
    else {
        const counts = Buffer.alloc(8)
        counts.setAt(0, "u32", queued)
        counts.setAt(4, "u32", lost)
        writeSocketNow(counts)
    }
}

useSocket(new Signal(), question => {
    const parsed = JSON.parse(question.toString())
    const run = async () => await answer(parsed)
    run.start()
})
await openSocket("test.invalid", 1, 1000)
