// A mote without sensors: makes `count` readings, one every `everyMs`, numbered by their heart rate.
import { millis, sleep } from "@devicescript/core"
import { readSetting } from "@devicescript/settings"
import { config } from "../../src/config/config"
import { startUplink } from "../../src/link/uplink"
import { Reading } from "../../src/reading"

const count = await readSetting("count", 10)
const everyMs = await readSetting("everyMs", 2000)
const uplink = await startUplink()
// Each reading is sent at once, and no alarm raised.
config.sample = config.report = 0
config.delay = await readSetting("delay", 1000000)
for (let i = 0; uplink && i < count; i++) {
    const reading = new Reading()
    reading.atMs = millis()
    reading.bpm = 30 + i / 16
    reading.quality = 0.75
    reading.motion = false
    reading.tempC = 36.5
    // Nothing is wrong with the sensors.
    reading.contact = reading.hasThermometer = true
    uplink.push(reading)
    await sleep(everyMs)
}
