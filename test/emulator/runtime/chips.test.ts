// Every chip on the real runtime; only where VITALMOTE_RUNTIME names one.
import assert from "node:assert/strict"
import { test } from "node:test"
import { accelerometers, thermometers } from "../../../sim/devices/chips.ts"
import { World } from "../../proof/world.ts"
import { live, thrives } from "./silicon.ts"

for (const [i, thermometer] of thermometers.entries()) {
    const accelerometer = accelerometers[i % accelerometers.length]!
    test(`a wearable with MAX30102, ${thermometer} and ${accelerometer} measures`, async t => {
        const world = new World(7)
        t.after(() => world.close())
        const life = await live(world, { thermometer, accelerometer })
        await thrives(world, life)
        const measurements = world.arrived().flatMap(arrived => arrived.measurements)
        for (const name of ["hr", "spo2", "temp"])
            assert.ok(
                measurements.some(measurement => measurement.name === name && typeof measurement.value === "number"),
                name,
            )
    })
}
