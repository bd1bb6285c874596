// The whole mote with `ballast` bytes of unused heap; its queue is filled with generated readings.
import { millis, sleep } from "@devicescript/core"
import { readSetting } from "../../src/platform/flash"
import { config } from "../../src/config/config"
import { startUplink, takeReading } from "../../src/uplink/uplink"
import { Reading } from "../../src/reading"
import { startSensing } from "../../src/sensing/sensing"
import { showReading, startServers } from "../../src/cable/servers"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"

const size = await readSetting("ballast", 0)
// Forces a collection of the garbage from the start, or the ballast would lie behind it.
for (let i = 0; i < 3; i++) Buffer.alloc(20000)
const ballast = Buffer.alloc(size)
await startUplink()
// Every reading is kept.
config.sample = 0
startServers()
await startSensing(simulatedI2C, async reading => {
    showReading(reading)
    takeReading(reading)
    return false
})
const made = await readSetting("made", 0)
for (let i = 0; i < made; i++) {
    const reading = new Reading()
    reading.atMs = millis()
    reading.bpm = 60 + i / 16
    reading.quality = 0.5
    reading.motion = false
    reading.tempC = 36.5
    takeReading(reading)
    await sleep(10)
}
console.log("made " + ballast.length)
