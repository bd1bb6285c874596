// A mote without sensors. Reading n has the rate 60 + (n mod 1000) / 10; there is a fever while the setting `fever` says so.
import { millis, sleep } from "@devicescript/core"
import { readSetting } from "../../src/platform/flash"
import { isAlarmPending } from "../../src/alarms/alarms"
import { config } from "../../src/config/config"
import { startUplink, takeReading } from "../../src/uplink/uplink"
import { Reading } from "../../src/reading"

const everyMs = await readSetting("everyMs", 2000)
/** Alarms are told within some 30 ms of being kept. */
const lookMs = 15
const feverFrom = await readSetting("feverFrom", 0)
const feverTo = await readSetting("feverTo", 0)
await startUplink()
console.log(`start config ${config.version} ${config.hrHigh} pending ${isAlarmPending()}`)
let version = config.version
let wasPending = isAlarmPending()
const count = await readSetting("count", 1000000)
const ballast = Buffer.alloc(await readSetting("ballast", 0))
for (let n = 0; n < count; n++) {
    const reading = new Reading()
    reading.atMs = millis()
    reading.bpm = 60 + (n % 1000) / 10
    reading.quality = 0.75
    reading.motion = false
    reading.contact = true
    reading.hasThermometer = true
    reading.tempC = n >= feverFrom && n < feverTo ? 39.5 : 36.5
    takeReading(reading)
    const nextMs = reading.atMs + everyMs
    while (millis() < nextMs) {
        await sleep(lookMs)
        const isPending = isAlarmPending()
        if (isPending !== wasPending) console.log(isPending ? "alarm kept" : "alarm told")
        wasPending = isPending
        if (config.version !== version) console.log(`config ${config.version} ${config.hrHigh}`)
        version = config.version
    }
}
console.log("measured " + count + " beside " + ballast.length)
