// Every chip on the real runtime; only where VITALMOTE_RUNTIME names one.
import assert from "node:assert/strict"
import { test } from "node:test"
import { accelerometers, thermometers } from "../../../sim/devices/chips.ts"
import { World } from "../../proof/world.ts"
import { live, thrives } from "./silicon.ts"

/** An infrared thermometer takes two minutes to settle, others take 40 s. */
const settleS = 150

for (const [i, thermometer] of thermometers.entries()) {
    const accelerometer = accelerometers[i % accelerometers.length]!
    test(`a wearable with MAX30102, ${thermometer} and ${accelerometer} measures`, async t => {
        const world = new World(7)
        t.after(() => world.close())
        const life = await live(world, { thermometer, accelerometer })
        const missing = () => {
            const names = world.arrived().flatMap(arrived => arrived.measurements.map(({ name }) => name))
            return ["hr", "spo2", "temp"].filter(name => !names.includes(name))
        }
        await life.run(settleS, () => world.clinic.stored.length > 3 && !missing().length)
        assert.deepEqual(missing(), [])
        await thrives(world, life)
    })
}
