import assert from "node:assert/strict"
import { test } from "node:test"
import { runProgram } from "../../sim/mote/program.ts"
import { makeCommand } from "../../wire/config.ts"
import { World } from "../proof/world.ts"

test("the whole mote blinks once for each identify command of the clinic", async () => {
    const world = new World(5)
    const command = (version: number) => ({
        name: "identify" as const,
        sealed: makeCommand("identify", version, world.keys, world.random),
    })
    const { lines, mote, panics, run } = await runProgram("src/main.ts", {
        clock: world.clock,
        random: world.random,
        connect: world.connect,
        settings: world.settings,
    })
    const said = () => lines.filter(line => line === "identify: blinking").length
    try {
        await run(20)
        assert.ok(lines.includes("linked"))
        assert.equal(said(), 0)
        for (let version = 1; version <= 2; version++) {
            world.clinic.routerKeys = [{ ...world.known, commands: [command(version)] }]
            await run(60)
            assert.equal(said(), version)
        }
        assert.deepEqual(panics, [])
    } finally {
        mote.stop()
        world.close()
    }
})
