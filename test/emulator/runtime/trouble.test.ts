// Power cuts, lost networks and broken chips on the real runtime; only where VITALMOTE_RUNTIME names one.
import assert from "node:assert/strict"
import { test } from "node:test"
import { accelerometers, thermometers } from "../../../sim/devices/chips.ts"
import { faultKinds, faultyChips, type Fault } from "../../../sim/devices/faults.ts"
import { isLong } from "../../support/long.ts"
import { NonceWatch, World } from "../../proof/world.ts"
import { live, type Life } from "./silicon.ts"

/** The mote goes on: nothing halted, and readings of the last minute have arrived. */
async function thrives(world: World, life: Life): Promise<void> {
    const before = world.arrived().length
    await life.run(75)
    assert.equal(life.mote.board.halt, undefined)
    assert.ok(world.arrived().length > before, `no reading after ${world.clock.now()}`)
}

test("the power fails in each flash write of a start: the next start goes on", async t => {
    const counting = new World(3)
    t.after(() => counting.close())
    const first = await live(counting)
    let writes = 0
    first.mote.board.flash.powerFailure = () => void writes++
    await first.run(10)
    assert.ok(writes > 0)
    for (let cutAt = 0; cutAt < writes; cutAt++)
        for (const done of isLong ? [0, 0.1, 0.5, 0.9, 1] : [0.5]) {
            const world = new World(3)
            const life = await live(world)
            const { board } = life.mote
            let count = 0
            board.flash.powerFailure = () => (count++ === cutAt ? done : undefined)
            await life.run(20, () => board.chip === undefined)
            if (board.chip === undefined) board.powerUp()
            await life.run(60)
            t.diagnostic(
                `write ${cutAt}, ${done}: ${world.arrived().length} envelopes, halt ${board.halt?.kind}, ` +
                    `${life.lines.filter(line => /fstor|kid|setting/.test(line)).join("; ")}`,
            )
            assert.equal(board.halt, undefined)
            world.close()
        }
})

test("the router is lost and comes back, again and again: nothing is lost, nothing sealed twice", async t => {
    const world = new World(4)
    t.after(() => world.close())
    const nonces = new NonceWatch()
    const life = await live(world)
    const times = isLong ? 100 : 3
    for (let i = 0; i < times; i++) {
        await life.run(20)
        world.killRouter()
        await life.run(10)
        world.startRouter()
    }
    await thrives(world, life)
    for (const hex of world.clinic.stored) nonces.sent(Buffer.from(hex, "hex"))
    const sequences = world.arrived().map(({ seq }) => seq)
    assert.equal(new Set(sequences).size, sequences.length)
    t.diagnostic(`${times} times; ${sequences.length} envelopes, ${life.mote.wifi.router.connections} connections`)
})

test("the access point goes and comes back", async t => {
    const world = new World(5)
    t.after(() => world.close())
    const life = await live(world)
    await life.run(30)
    life.mote.wifi.wifi.setInReach(false)
    await life.run(30)
    life.mote.wifi.wifi.setInReach(true)
    await thrives(world, life)
})

test("MQTT: readings arrive", async t => {
    const world = new World(6)
    t.after(() => world.close())
    const life = await live(world, { scheme: "mqtt" })
    await life.run(20)
    t.diagnostic(`${life.lines.filter(line => line.startsWith("> ")).join("; ")}`)
    assert.equal(life.mote.board.halt, undefined)
})

for (const thermometer of thermometers)
    for (const accelerometer of accelerometers)
        test(`chips: MAX30102, ${thermometer}, ${accelerometer}`, async t => {
            const world = new World(7)
            t.after(() => world.close())
            const life = await live(world, { thermometer, accelerometer })
            await thrives(world, life)
            const names = new Set(world.arrived().flatMap(({ measurements }) => measurements.map(({ name }) => name)))
            for (const name of ["hr", "spo2", "temp"]) assert.ok(names.has(name), name)
        })

const cases = faultyChips.flatMap(chip => faultKinds[chip].map((kind): Fault => ({ chip, kind, fromS: 15, toS: 35 })))
for (const fault of isLong ? cases : cases.filter(({ kind }) => kind === "nack" || kind === "reset"))
    test(`fault: ${fault.chip} ${fault.kind} for 20 s`, async t => {
        const world = new World(8)
        t.after(() => world.close())
        const life = await live(world, { faults: [fault] })
        await life.run(40)
        await thrives(world, life)
    })
