import assert from "node:assert/strict"
import { test, type TestContext } from "node:test"
import { parseScenario } from "../../sim/scenario/load.ts"
import { Simulation } from "../../sim/run/simulation.ts"

async function start(t: TestContext, events: string) {
    const scenario = parseScenario(
        `{ title: one, duration: 90, startup: 0, root: { id: 1, x: 0, y: 0 },
           motes: [{ id: 2, x: 30, y: 0 }], ${events} }`,
        "one.yaml",
    )
    const simulation = await Simulation.start(scenario)
    t.after(() => simulation.stop())
    return simulation
}

test("crash: the mote's program starts again and reports on, while its radio stays in the network", async t => {
    const simulation = await start(t, "events: [{ at: 40, do: crash, mote: 2 }]")
    const logs: string[] = []
    const measuredMs: number[] = []
    const powered: boolean[] = []
    simulation.observers.add({
        log: (_mote, line) => logs.push(line),
        arrived: reading => measuredMs.push(reading.measuredMs - simulation.startMs),
        powered: (_mote, isOn) => powered.push(isOn),
    })
    await simulation.run(39)
    const { node } = simulation.motes.get(2)!
    const { joinedMs } = node!.rpl
    assert.ok(joinedMs !== undefined)
    assert.ok(measuredMs.length > 5, `${measuredMs.length} readings before`)
    assert.ok(!logs.some(line => line.startsWith("panic")))
    await simulation.run(51)
    assert.ok(logs.includes("panic 60000"), logs.join("\n"))
    assert.ok(measuredMs.some(ms => ms > 60_000))
    assert.deepEqual(powered, [])
    const after = simulation.motes.get(2)!
    assert.equal(after.node, node)
    assert.equal(after.node!.rpl.joinedMs, joinedMs)
    // What was in its memory is gone with it, and counts as never measured.
    const { expected, arrived } = simulation.statistics.delivery(2, simulation.clock.now())
    assert.ok(arrived > 10 && arrived === expected, `${arrived} of ${expected}`)
})

test("another medium on the way: where no frame leaves its sender any more, nothing arrives", async t => {
    const simulation = await start(t, "events: [{ at: 30, do: medium, medium: { kind: disk, tx: 0 } }]")
    let received = 0
    simulation.observers.add({ received: () => received++ })
    await simulation.run(29)
    assert.ok(received > 20)
    await simulation.run(2)
    received = 0
    const { framesSent } = simulation.statistics.of(2)
    await simulation.run(30)
    assert.equal(received, 0)
    assert.ok(simulation.statistics.of(2).framesSent > framesSent)
})

test("an attacker that listens and speaks has one radio, and hears what it does not send", async t => {
    const simulation = await start(t, "attackers: [{ id: 9, kind: replayer, x: 15, y: 0 }]")
    await simulation.run(60)
    const { report } = simulation.attackers[0]!
    const statistics = simulation.statistics.of(9)
    assert.ok(report.envelopes > 0 && report.sent > 0, JSON.stringify(report))
    assert.equal(report.frames, statistics.framesReceived)
})
