// A mote without sensors, whose heart rate is `high` from second `fromS` of each start to `toS`, and
// again from `againS`; 70 otherwise.
import { millis, sleep } from "@devicescript/core"
import { readSetting } from "../../src/platform/flash"
import { startUplink, takeReading } from "../../src/uplink/uplink"
import { Reading } from "../../src/reading"

const fromMs = 1000 * (await readSetting("fromS", 0))
const toMs = 1000 * (await readSetting("toS", 0))
const againMs = 1000 * (await readSetting("againS", 1e6))
const high = await readSetting("high", 150)
await startUplink()
for (;;) {
    const reading = new Reading()
    reading.atMs = millis()
    const isHigh = (reading.atMs >= fromMs && reading.atMs < toMs) || reading.atMs >= againMs
    reading.bpm = isHigh ? high : 70
    reading.quality = 0.75
    reading.motion = false
    reading.tempC = 36.5
    reading.contact = reading.hasThermometer = true
    takeReading(reading)
    await sleep(2000)
}
