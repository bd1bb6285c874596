import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { memoryFlash, runProgram } from "../../sim/mote/program.ts"
import { ScriptedRouter, upTo } from "./scripted-router.ts"
import { runs } from "../support/long.ts"

/** Time at which a start of the program may begin to send: power-up, settings, program. */
const startMs = 1200

test("power cuts at any moment: no nonce is reused, every start has a new number", async () => {
    // Cuts from the very first flash write to the middle of exchanges; the router itself checks each envelope.
    const cutsMs = fc.array(fc.oneof(fc.integer({ min: 10, max: 1500 }), fc.integer({ min: 1100, max: 6000 })), {
        minLength: 3,
        maxLength: 8,
    })
    const property = fc.asyncProperty(cutsMs, fc.array(fc.nat(3), { maxLength: 12 }), async (cuts, moods) => {
        const router = new ScriptedRouter()
        router.onPost = post => {
            const mood = moods[router.posts.length % (moods.length + 1)]
            if (mood === 1) post.connection.stream.destroy()
            else if (mood === 2)
                router.accepted(post) // and its receipt is lost
            else if (mood !== 3) post.accept()
        }
        const { mote, run, panics } = await runProgram("test/src/uplink.ts", {
            clock: router.clock,
            connect: router.connect,
            settings: { ...router.settings, count: 100, everyMs: 300 },
        })
        for (const cut of cuts) {
            await run(cut / 1000)
            mote.stop()
            await run(0.05)
            await mote.powerUp()
        }
        router.onPost = post => post.accept()
        await run(60)
        assert.deepEqual(panics, [])
        const boots = router.posts.map(p => p.envelope.boot)
        assert.deepEqual(
            boots,
            [...boots].sort((a, b) => a - b),
        )
        const starts = router.posts.map(p => Buffer.from(p.envelope.nonce).toString("hex", 0, 9))
        assert.equal(new Set(boots).size, new Set(starts).size, "a number for every start")
        // The last start delivers everything that it measured.
        const last = router.readings.lastIndexOf(0)
        assert.deepEqual(router.readings.slice(last), upTo(100))
    })
    await fc.assert(property, { numRuns: runs(25) })
})

test("a flash that loses the last write in a power cut: the salt keeps nonces apart", async () => {
    const router = new ScriptedRouter()
    const flash = memoryFlash()
    const { mote, run } = await runProgram("test/src/uplink.ts", {
        clock: router.clock,
        connect: router.connect,
        flash,
        settings: { ...router.settings, count: 3, everyMs: 300 },
    })
    const contents = Uint8Array.from(flash.contents)
    await run(startMs / 1000 + 3)
    const before = router.posts.length
    assert.ok(before >= 3)
    mote.stop()
    flash.contents = contents
    await mote.powerUp()
    await run(startMs / 1000 + 3)
    const nonces = router.posts.map(p => Buffer.from(p.envelope.nonce).toString("hex"))
    assert.equal(nonces.length, 2 * before)
    assert.equal(new Set(nonces).size, nonces.length)
    assert.deepEqual(
        router.posts.map(p => p.envelope.boot),
        upTo(2 * before).fill(1),
    )
})
