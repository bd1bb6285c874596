// Senses and prints the alarms of it, as packs in hex; test/firmware/watch.test.ts is the wearer, and breaks the chips.
import { Alarms } from "../../src/alarms/alarms"
import { Clock } from "../../src/link/clock"
import { countBoot } from "../../src/link/identity"
import { PackWriter } from "../../src/link/senml"
import { startSensing } from "../../src/sensing"
import { Signal } from "../../src/signal"
import { SimulatedI2C } from "../../src/simulated-i2c"

const news = new Signal()
const kid = hex`0011223344556677`
const writer = new PackWriter(kid.toString("hex"), 10)
const alarms = new Alarms(kid, await countBoot(), new Clock(), () => news.raise())
await alarms.load()
await startSensing(new SimulatedI2C(), async reading => alarms.push(reading))
while (await news.wait())
    while (alarms.isPending()) {
        const pack = alarms.pack(writer)
        // A line has room for some 200 characters.
        for (let at = 0; at < pack.length; at += 64)
            console.log("part " + pack.slice(at, Math.min(at + 64, pack.length)).toString("hex"))
        console.log("pack")
        await alarms.receipted()
    }
