import assert from "node:assert/strict"
import { test } from "node:test"
import { Battery } from "../../sim/observe/battery.ts"
import { cpuShare, Meter, skyCurrents } from "../../sim/observe/energy.ts"
import { Air } from "../../sim/radio/air.ts"
import { defaultDisk, unitDisk } from "../../sim/radio/media/disk.ts"
import { parseScenario } from "../../sim/scenario/load.ts"
import { summary } from "../../sim/run/summary.ts"
import { Simulation } from "../../sim/run/simulation.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

const near = (found: number, expected: number, share = 1e-6) =>
    assert.ok(Math.abs(found - expected) <= share * expected, `${found}, expected ${expected}`)

function world() {
    const clock = new VirtualClock(0)
    const air = new Air({ events: clock, random: () => 0.5, medium: unitDisk(defaultDisk) })
    const radio = () => air.add(2, { x: 0, y: 0 })
    return { clock, radio }
}

const cpuMa = cpuShare * skyCurrents.cpuMa + (1 - cpuShare) * skyCurrents.sleepMa

test("energy: the radio's times with its currents, over several starts", async () => {
    const { clock, radio } = world()
    const meter = new Meter()
    for (let start = 0; start < 3; start++) {
        const one = radio()
        meter.powerOn(one)
        one.on()
        await clock.run(10_000)
        one.transmit(new Uint8Array(119), () => {}) // 125 bytes with what precedes them: 4 ms
        await clock.run(990_000)
        meter.powerOff()
        await clock.run(60_000)
    }
    const { radioMas, cpuMas, sleepMas, totalMah, meanMa, seconds } = meter.energy()
    near(seconds, 3000)
    near(radioMas.transmit, 3 * 0.004 * 17.7)
    near(radioMas.listen, 3 * (1000 - 0.004) * 20)
    near(cpuMas + sleepMas, 3000 * cpuMa)
    near(3600 * totalMah, cpuMas + sleepMas + radioMas.listen + radioMas.transmit)
    near(meanMa, (3600 * totalMah) / 3000)
})

test("battery: empty when the charge is used, to a tenth of a second; power cuts count nothing", async () => {
    const { clock, radio } = world()
    const meter = new Meter()
    const empty: number[] = []
    const battery = new Battery({
        ...{ events: clock, meter, capacityMah: 1 },
        emptied: () => empty.push(clock.now()),
    })
    const start = () => {
        const one = radio()
        meter.powerOn(one)
        one.on()
        battery.start()
    }
    start()
    await clock.run(60_000)
    meter.powerOff()
    battery.stop()
    assert.ok(battery.level > 0.5 && battery.level < 0.7, String(battery.level))
    await clock.run(1_000_000)
    assert.deepEqual(empty, [])
    start()
    await clock.run(1_000_000)
    const expectedMs = 1_000_000 + (3600 / (20 + cpuMa)) * 1000
    assert.equal(empty.length, 1)
    assert.ok(empty[0]! >= expectedMs && empty[0]! <= expectedMs + 100, String(empty[0]))
    assert.equal(battery.isEmpty, true)
    assert.equal(battery.level, 0)
})

test("simulation: a mote whose battery is empty loses power, says so, and does not start again", async () => {
    const scenario = parseScenario(
        `
title: Two motes
duration: 40
root: { id: 1, x: 0, y: 0 }
motes:
    - { id: 2, x: 20, y: 0, battery: 0.1 }
    - { id: 3, x: 0, y: 20 }
events:
    - { at: 15, do: reboot, mote: 2 }
    - { at: 38, do: start, mote: 2 }
`,
        "two.yaml",
    )
    const simulation = await Simulation.start(scenario)
    const power: [number, boolean][] = []
    const said: string[] = []
    simulation.observers.add({
        powered: (id, isOn) => id === 2 && power.push([simulation.now(), isOn]),
        log: (id, line) => line.includes("battery") && said.push(`${id} ${line}`),
    })
    await simulation.run(40)
    assert.deepEqual(
        power.map(([, isOn]) => isOn),
        [true, false, true, false],
    )
    const [on, off, onAgain, empty] = power.map(([s]) => s)
    assert.deepEqual([off, onAgain], [15, 15])
    near(empty! - on!, 360 / (20 + cpuMa), 0.02) // 0.36 As, the receiver being on
    assert.deepEqual(said, ["2 power off: the battery is empty", "2 no power: the battery is empty"])
    const [two, three] = summary(simulation).motes
    assert.equal(two!.battery, 0)
    near(two!.energy.totalMah, 0.1, 0.01)
    assert.equal(three!.battery, undefined)
    assert.ok(three!.energy.seconds > 25 && three!.energy.seconds < 40)
    await simulation.stop()
})
