// Every fault of a chip on the real runtime; only where VITALMOTE_RUNTIME names one.
import assert from "node:assert/strict"
import { test } from "node:test"
import { faultKinds, faultyChips, type Fault } from "../../../sim/devices/faults.ts"
import { isLong } from "../../support/long.ts"
import { World } from "../../proof/world.ts"
import { live, thrives } from "./silicon.ts"

const faults = faultyChips.flatMap(chip => faultKinds[chip].map((kind): Fault => ({ chip, kind, fromS: 12, toS: 22 })))
const sample: string[] = ["nack", "stuck"]

for (const fault of isLong ? faults : faults.filter(({ kind }) => sample.includes(kind)))
    test(`${fault.chip} ${fault.kind} for 10 s: the mote goes on, and measures again`, async t => {
        const world = new World(8)
        t.after(() => world.close())
        const life = await live(world, { faults: [fault] })
        await life.run(25)
        const before = world.arrived().length
        // After it is back, a thermometer has to settle.
        await life.run(30)
        await thrives(world, life)
        const after = world.arrived().slice(before)
        const measured = after.flatMap(({ measurements }) => measurements.map(({ name }) => name))
        for (const name of ["hr", "temp"]) assert.ok(measured.includes(name), `${name}: ${measured.join()}`)
    })
