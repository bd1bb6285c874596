import assert from "node:assert/strict"
import { test } from "node:test"
import { syntheticBody } from "../../sim/body/index.ts"
import { wearableChips } from "../../sim/devices/chips.ts"
import { unpackFrame } from "../../sim/jacdac/frame.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { makeCommand } from "../../wire/config.ts"
import { World } from "../proof/world.ts"

const controlService = 0
/** Jacdac "Control service". */
const SET_STATUS_LIGHT = 0x84

interface Shown {
    /** Seconds since the start. */
    at: number
    /** Red, green, blue. */
    color: string
}

/** A worn mote in a world with a router, and what its light shows. */
async function start(seed: number) {
    const world = new World(seed)
    const shown: Shown[] = []
    const startMs = world.clock.now()
    const { mote, panics, run } = await runProgram("src/main.ts", {
        clock: world.clock,
        random: world.random,
        connect: world.connect,
        settings: world.settings,
        chips: wearableChips(world.clock, syntheticBody({ seed, bpm: 72 })),
        frame: frame => {
            for (const { serviceIndex, command, payload } of unpackFrame(frame))
                if (serviceIndex === controlService && command === SET_STATUS_LIGHT)
                    shown.push({
                        at: (world.clock.now() - startMs) / 1000,
                        color: Buffer.from(payload.subarray(0, 3)).toString("hex"),
                    })
        },
    })
    return { world, shown, panics, run, mote, take: () => shown.splice(0) }
}

test("the light flashes twice every 5 s once readings wait for three minutes, until a receipt", async t => {
    const { world, panics, run, mote, take } = await start(11)
    t.after(() => {
        mote.stop()
        world.close()
    })
    await run(60)
    world.killRouter()
    await run(175)
    assert.deepEqual(take(), [])
    await run(65)
    const flashes = take().filter(({ color }) => color !== "000000")
    assert.ok(flashes.length >= 18 && flashes.length <= 24, String(flashes.length))
    assert.ok(flashes.every(({ color }) => color === "ff0000"))
    for (let i = 0; i + 1 < flashes.length; i += 2) {
        const [first, second, next] = flashes.slice(i, i + 3).map(({ at }) => at)
        assert.ok(second! - first! < 0.5, `${first} and ${second}`)
        if (next !== undefined) assert.ok(next - first! >= 5 && next - first! < 6.5, `${first} and ${next}`)
    }
    world.startRouter()
    const before = world.clinic.stored.length
    await run(120, () => world.clinic.stored.length > before)
    await run(10)
    take()
    await run(200)
    assert.deepEqual(take(), [])
    assert.deepEqual(panics, [])
})

test("a mote without anything to send has nothing to complain about", async t => {
    const world = new World(12)
    const shown: number[] = []
    const { mote, run } = await runProgram("test/src/uplink.ts", {
        clock: world.clock,
        random: world.random,
        connect: world.connect,
        settings: { ...world.settings, count: 3 },
        frame: frame =>
            shown.push(
                ...unpackFrame(frame)
                    .filter(({ command }) => command === SET_STATUS_LIGHT)
                    .map(() => 1),
            ),
    })
    t.after(() => {
        mote.stop()
        world.close()
    })
    await run(20)
    assert.ok(world.clinic.stored.length > 0)
    world.killRouter()
    await run(400)
    assert.equal(shown.length, 0)
})

test("the light blinks white for ten seconds, once for each command `identify`", async t => {
    const { world, panics, run, mote, take } = await start(13)
    t.after(() => {
        mote.stop()
        world.close()
    })
    await run(20)
    assert.deepEqual(take(), [])
    for (let version = 1; version <= 2; version++) {
        const sealed = makeCommand("identify", version, world.keys, world.random)
        world.clinic.routerKeys = [{ ...world.known, commands: [{ name: "identify", sealed }] }]
        await run(60)
        const colors = take().map(({ color }) => color)
        assert.deepEqual(colors, Array(20).fill(["ffffff", "000000"]).flat())
    }
    assert.deepEqual(panics, [])
})
