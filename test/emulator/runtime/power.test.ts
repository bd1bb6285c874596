// The power fails on the real runtime; only where VITALMOTE_RUNTIME names one.
import assert from "node:assert/strict"
import { test } from "node:test"
import { makeConfig } from "../../../wire/config.ts"
import { defaultConfig } from "../../../wire/tables/settings.ts"
import { isLong } from "../../support/long.ts"
import { World } from "../../proof/world.ts"
import { checkNonces, live, type Life } from "./silicon.ts"

/** No skin is so cold: an alarm. */
const tooHigh = 44
/** Skin is warmer: an alarm. */
const high = 30

/** Until a configuration has come, and the alarm that follows from it. */
const phaseS = 75

/** What writes to flash: a start, a configuration, an alarm, another configuration, the alarm's end. */
async function liveThrough(world: World, life: Life): Promise<void> {
    for (const [i, tempHigh] of [high, tooHigh].entries()) {
        const sealedConfig = makeConfig({ ...defaultConfig, tempLow: 25, tempHigh }, i + 1, world.keys, world.random)
        world.clinic.routerKeys[0] = { ...world.known, config: i + 1, sealedConfig }
        await life.run(phaseS, () => life.mote.board.chip === undefined)
        if (life.mote.board.chip) continue
        await life.run(1)
        life.mote.board.powerUp()
        await life.run(phaseS)
    }
}

/** One of a life's writes, numbered from 0, of which so much gets done before the power fails. */
interface Cut {
    at: number
    done: number
}

async function withCut(cut?: Cut): Promise<{ world: World; life: Life; writes: number }> {
    const world = new World(3)
    const life = await live(world)
    let writes = 0
    life.mote.board.flash.powerFailure = () => (writes++ === cut?.at ? cut.done : undefined)
    await liveThrough(world, life)
    return { world, life, writes }
}

/** After a torn write the runtime's store formats itself (docs/upstream.md, 7): settings are lost, and the program with them. */
function hasLostAll({ lines }: Life): boolean {
    return lines.some(line => line.includes("fstor: formatting"))
}

test("the power fails at flash writes of a start, of configurations and of an alarm: the mote goes on", async t => {
    const whole = await withCut()
    whole.world.close()
    const kinds = new Set(whole.world.alarms().map(({ raised }) => raised))
    assert.equal(kinds.size, 2, "an alarm came and went")
    const step = isLong ? 1 : Math.ceil(whole.writes / 3)
    let lost = 0
    for (let at = 0; at < whole.writes; at += step) {
        // Before a write is as well after the one before it.
        const { world, life } = await withCut({ at, done: 0 })
        const { halt } = life.mote.board
        const arrived = world.arrived()
        const newest = Math.max(...arrived.map(({ boot }) => boot))
        const said = `write ${at}: ${arrived.length} envelopes, start ${newest}`
        t.diagnostic(said)
        checkNonces(world)
        world.close()
        assert.equal(halt, undefined, said)
        // A setting is two writes or three: between them it is torn.
        if (hasLostAll(life)) lost++
        else assert.ok(arrived.filter(({ boot }) => boot === newest).length > 1, said)
    }
    t.diagnostic(`${whole.writes} writes; before ${lost} of them the mote lost settings and program`)
})

test("torn writes: the runtime goes on, with what it had stored or without", async t => {
    const { writes, world } = await withCut()
    world.close()
    let lost = 0
    for (let at = 0; at < writes; at += isLong ? 1 : Math.ceil(writes / 2)) {
        const { world, life } = await withCut({ at, done: 0.5 })
        assert.equal(life.mote.board.halt, undefined)
        if (hasLostAll(life)) lost++
        else assert.ok(world.arrived().length > 4, `write ${at}: ${world.arrived().length} envelopes`)
        world.close()
    }
    t.diagnostic(`${lost} of them lost settings and program`)
})
