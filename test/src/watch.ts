// Senses and prints the alarms of it, as packs in hex; test/firmware/watch.test.ts is the wearer, and breaks the chips.
import { alarmsReceipted, isAlarmPending, loadAlarms, packAlarms, watchReading } from "../../src/alarms/alarms"
import { countBoot } from "../../src/link/identity"
import { startPacks } from "../../src/link/pack"
import { startSensing } from "../../src/sensing/sensing"
import { Signal } from "../../src/platform/signal"
import { simulatedI2C } from "../../src/drivers/simulated-i2c"

const news = new Signal()
const kid = hex`0011223344556677`
startPacks(10)
await loadAlarms(kid, await countBoot(), () => news.raise())
await startSensing(simulatedI2C, async reading => watchReading(reading))
while (await news.wait())
    while (isAlarmPending()) {
        const pack = packAlarms()
        // A line has room for some 200 characters.
        for (let at = 0; at < pack.length; at += 64)
            console.log("part " + pack.slice(at, Math.min(at + 64, pack.length)).toString("hex"))
        console.log("pack")
        await alarmsReceipted()
    }
