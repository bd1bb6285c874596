import assert from "node:assert/strict"
import { test } from "node:test"
import { buildFirmware } from "../../devicescript/build.ts"
import { portMs, type MoteEvent } from "../../sim/threads/messages.ts"
import { Shards } from "../../sim/threads/shards.ts"
import { VirtualClock } from "../../sim/time/clock.ts"

/** One mote that is switched on, in this thread or in another. */
function shardsOf(image: Uint8Array, threads: number) {
    const clock = new VirtualClock()
    const startMs = clock.now()
    const seen: (MoteEvent & { seenMs: number })[] = []
    const shards = new Shards({
        ...{ clock, startMs, seed: 1, image, threads, due: () => {} },
        take: event => seen.push({ ...event, seenMs: clock.now() }),
    })
    const setup = {
        kid: "00000000000000a1",
        secret: "a1".repeat(32),
        router: "coap+tcp://[aaaa::1]:5683",
        random: "a mote",
        wearer: { bpm: 60 },
    }
    shards.command({ kind: "start", at: startMs, id: 7, life: 1, setup })
    shards.begin()
    return { clock, shards, seen }
}

for (const threads of [0, 1]) {
    test(`a mote's halves hear of each other after ${portMs} ms, ${threads} threads`, async () => {
        const { clock, shards, seen } = shardsOf(await buildFirmware(), threads)
        await clock.run(5000)
        const asks = () => seen.filter(({ kind }) => kind === "connect")
        assert.equal(asks().length, 1)
        for (const { at, seenMs, id, life } of seen) {
            assert.ok(Math.abs(seenMs - at - portMs) < 0.01, `${seenMs - at} ms`)
            assert.deepEqual([id, life], [7, 1])
        }
        // Refused, it tries again, later.
        const at = clock.now()
        shards.command({ kind: "refused", at, id: 7, connection: 1, reason: "nobody there" })
        await clock.run(60_000)
        assert.ok(asks().length > 1)
        assert.ok(seen.some(one => one.kind === "log" && one.line.startsWith("no connection to")))
        shards.command({ kind: "stop", at: clock.now(), id: 7 })
        await clock.run(2 * portMs)
        const count = seen.length
        await clock.run(60_000)
        assert.equal(seen.length, count, "without power nothing is said")
        await shards.close()
    })

    test(`what goes wrong with a mote ends the run, ${threads} threads`, async () => {
        const { clock, shards } = shardsOf(new Uint8Array(4096), threads)
        await assert.rejects(clock.run(5000), /the VM refuses the program image/)
        await shards.close()
    })
}
