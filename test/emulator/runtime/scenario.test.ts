// A mote of a scenario on the real runtime; only where VITALMOTE_RUNTIME names one.
import assert from "node:assert/strict"
import { test } from "node:test"
import { readRuntime, siliconStarter } from "../../../emulator/index.ts"
import { Simulation } from "../../../sim/run/simulation.ts"
import { parseScenario } from "../../../sim/scenario/load.ts"

test("one mote of a network runs on an emulated Pico W: its readings arrive over the mesh, after a power cut, too", async t => {
    const scenario = parseScenario(
        `{ title: silicon, duration: 100, startup: 0, root: { id: 1, x: 0, y: 0 },
           motes: [{ id: 2, x: 30, y: 0 }, { id: 3, x: 30, y: 10, silicon: picow }],
           events: [{ at: 40, do: kill, mote: 3 }, { at: 45, do: start, mote: 3 }] }`,
        "x.yaml",
    )
    const silicon = await siliconStarter(await readRuntime(process.env.VITALMOTE_RUNTIME))
    const simulation = await Simulation.start(scenario, { silicon })
    t.after(() => simulation.stop())
    const logs: string[] = []
    const readings = new Map<number, number[]>()
    simulation.observers.add({
        log: (mote, line) => logs.push(`${mote}: ${line}`),
        arrived: ({ mote, measuredMs }) =>
            readings.set(mote, [...(readings.get(mote) ?? []), (measuredMs - simulation.startMs) / 1000]),
    })
    await simulation.run(100)
    const onChip = readings.get(3) ?? []
    const said = `${onChip.join()}\n${logs.join("\n")}`
    assert.ok((readings.get(2) ?? []).length > 20)
    assert.ok(onChip.filter(at => at < 40).length > 5, said)
    assert.ok(onChip.filter(at => at > 55).length > 5, said)
    t.diagnostic(`${onChip.length} readings`)
})
