// A mote without sensors: makes `count` readings, one every `everyMs`, numbered by their heart rate.
import { millis, sleep } from "@devicescript/core"
import { readSetting } from "../../src/platform/flash"
import { config } from "../../src/config/config"
import { flush, startUplink, takeReading } from "../../src/uplink/uplink"
import { Reading } from "../../src/reading"

const count = await readSetting("count", 10)
const everyMs = await readSetting("everyMs", 2000)
/** Not 0: after `count` readings the mote leaves, within so long, and says how that went; then come as many again. */
const flushMs = await readSetting("flushMs", 0)
const isLinked = await startUplink()
// Each reading is sent at once, and no alarm raised.
config.sample = config.report = 0
config.delay = await readSetting("delay", 1000000)
/** Whether it says when it makes a reading. */
const isLoud = await readSetting("loud", false)

async function measure(from: number): Promise<void> {
    for (let i = from; i < from + count; i++) {
        const reading = new Reading()
        reading.atMs = millis()
        reading.bpm = 30 + i / 10
        reading.quality = 0.75
        reading.motion = false
        reading.tempC = 36.5
        // Nothing is wrong with the sensors.
        reading.contact = reading.hasThermometer = true
        takeReading(reading)
        if (isLoud) console.log("reading " + i)
        if (!flushMs || i + 1 < from + count) await sleep(everyMs)
    }
}

if (isLinked) {
    await measure(0)
    if (flushMs) {
        console.log((await flush(flushMs)) ? "all sent" : "not all sent")
        await sleep(100000)
        await measure(count)
    }
}
