import assert from "node:assert/strict"
import { test } from "node:test"
import { buildFirmware } from "../../devicescript/build.ts"
import { UserError } from "../../host/errors.ts"
import { Mote } from "../../sim/mote/mote.ts"
import { memoryFlash } from "../../sim/mote/program.ts"
import type { StartSilicon } from "../../sim/mote/silicon.ts"
import { Simulation } from "../../sim/run/simulation.ts"
import { parseScenario } from "../../sim/scenario/load.ts"
import { timersOf } from "../../sim/time/events.ts"
import { seededBytes } from "../../sim/time/random.ts"
import type { VirtualClock } from "../../sim/time/clock.ts"

const scenario = parseScenario(
    `{ title: one of two, duration: 120, startup: 0, root: { id: 1, x: 0, y: 0 },
       motes: [{ id: 2, x: 30, y: 0, silicon: picow }, { id: 3, x: 30, y: 10 }],
       events: [{ at: 40, do: kill, mote: 2 }, { at: 50, do: start, mote: 2 }, { at: 90, do: crash, mote: 2 }] }`,
    "x.yaml",
)

test("without a board to emulate a scenario that wants one says what is missing", async () => {
    await assert.rejects(
        Simulation.start(scenario),
        (error: Error) => error instanceof UserError && /mote 2 .*--runtime FILE\.uf2/.test(error.message),
    )
})

test("a mote on another machine is powered, crashes and reports as the others do", async t => {
    const image = await buildFirmware()
    const calls: string[] = []
    // In the place of a board: the VM, which is known to work.
    const silicon: StartSilicon = async ({ clock, seed, settings, chips, connect, log }) => {
        const own = clock as VirtualClock
        calls.push("start")
        const mote = await Mote.start({
            ...{ image, settings, connect, log, deviceId: settings.kid, flash: memoryFlash() },
            clock: timersOf(own),
            settle: () => own.settle(),
            random: seededBytes(seed, "board"),
            chips: chips(clock),
        })
        return {
            stop: () => (calls.push("stop"), mote.stop()),
            powerUp: () => (calls.push("power up"), mote.powerUp()),
            crash: () => (calls.push("crash"), mote.crash()),
        }
    }
    const simulation = await Simulation.start(scenario, { silicon })
    t.after(() => simulation.stop())
    const readings = new Map<number, number[]>()
    simulation.observers.add({
        arrived: ({ mote, measuredMs }) =>
            readings.set(mote, [...(readings.get(mote) ?? []), (measuredMs - simulation.startMs) / 1000]),
    })
    await simulation.run(120)
    assert.deepEqual(calls, ["start", "stop", "power up", "crash"])
    const [own, other] = [readings.get(2) ?? [], readings.get(3) ?? []]
    assert.ok(other.length > 20, String(other.length))
    for (const [from, to] of [
        [10, 40],
        [60, 90],
        [100, 120],
    ])
        assert.ok(
            own.some(at => at > from! && at < to!),
            `${from} to ${to}: ${own.join()}`,
        )
})
