// A day on a battery on the real runtime; only where VITALMOTE_RUNTIME names one, and with --long.
import assert from "node:assert/strict"
import { reportOf } from "../../../emulator/report.ts"
import { makeConfig } from "../../../wire/config.ts"
import { defaultConfig } from "../../../wire/tables/settings.ts"
import { World } from "../../proof/world.ts"
import { longTest } from "../../support/long.ts"
import { checkNonces, live } from "./silicon.ts"

const hourS = 3600

const hours = 24
/** How a mote lives on a battery: the sensors rest between two measurements. */
const interval = 1
const everyS = 300

longTest("24 h on a battery, one measurement every 5 min: it never stops, and all of them arrive", async t => {
    const world = new World(10)
    t.after(() => world.close())
    const sealedConfig = makeConfig({ ...defaultConfig, power: interval, every: everyS }, 1, world.keys, world.random)
    world.clinic.routerKeys[0] = { ...world.known, config: 1, sealedConfig }
    const life = await live(world)
    const usage = process.cpuUsage()
    for (let hour = 1; hour <= hours; hour++) {
        await life.run(hourS)
        const { user, system } = process.cpuUsage(usage)
        const report = reportOf(life.mote.board, (user + system) / 1000)
        console.log(JSON.stringify({ hour, envelopes: world.clinic.stored.length, ...report }))
        assert.deepEqual(life.events, [])
    }
    const times = world
        .arrived()
        .flatMap(({ measurements }) => measurements)
        .filter(({ name }) => name === "hr")
        .map(({ time }) => time / 1000)
        .sort((a, b) => a - b)
    const longest = Math.max(...times.slice(1).map((time, i) => time - times[i]!))
    t.diagnostic(
        `${times.length} heart rates, the longest gap ${longest.toFixed(1)} s; ${checkNonces(world)} envelopes`,
    )
    assert.ok(times.length > (0.9 * hours * hourS) / everyS)
})
