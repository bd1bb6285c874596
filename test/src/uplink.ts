// A mote without sensors: makes `count` readings, one every `everyMs`, numbered by their heart rate.
import { millis, sleep } from "@devicescript/core"
import { readSetting } from "@devicescript/settings"
import { startUplink } from "../../src/link/uplink"
import { Reading } from "../../src/reading"

const count = await readSetting("count", 10)
const everyMs = await readSetting("everyMs", 2000)
const uplink = await startUplink(1)
for (let i = 0; uplink && i < count; i++) {
    const reading = new Reading()
    reading.atMs = millis()
    reading.bpm = 30 + i / 16
    reading.quality = 0.75
    reading.motion = false
    reading.tempC = 36.5
    uplink.push(reading)
    await sleep(everyMs)
}
