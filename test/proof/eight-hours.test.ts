import assert from "node:assert/strict"
import { test } from "node:test"
import { bisect, heapBytes } from "../../bench/vm.ts"
import type { ByteStream } from "../../host/stream.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { seededRandom } from "../../sim/time/random.ts"
import { longTest } from "../support/long.ts"
import { World } from "./world.ts"

const readingS = 2
/** What the mote has beside its peak of the first hour: a leak of a few bytes an envelope would use that up. */
const spareBytes = 1024

test("an hour of link faults: arrived + reported lost = measured", async () => {
    const { accounted, panics, repeated } = await faults(1, 0)
    assert.deepEqual(panics, [])
    assert.equal(accounted, 3600 / readingS)
    assert.ok(repeated >= 1, `${repeated} times an envelope came again`)
})

longTest("eight hours of link faults: the same, and the heap stays flat", async () => {
    const fits = async (ballast: number) => (await faults(1, ballast)).panics.length === 0
    const most = await bisect(0, heapBytes, fits, spareBytes)
    const { accounted, panics, repeated } = await faults(8, most - spareBytes)
    assert.deepEqual(panics, [])
    assert.equal(accounted, (8 * 3600) / readingS)
    assert.ok(repeated >= 5, `${repeated} times an envelope came again`)
})

interface Outcome {
    /** Readings that arrived, and those that are reported lost. */
    accounted: number
    panics: number[]
    /** Envelopes that the router had already. */
    repeated: number
}

/** So many hours with outages, half-open connections and a router that is killed. Ends early when the mote panics. */
async function faults(hours: number, ballast: number): Promise<Outcome> {
    const world = new World(8)
    const random = seededRandom(8)
    let isDown = false
    let isHalfOpen = false
    /** The mote is heard, but hears nothing: receipts get lost. */
    let isDeaf = false
    const connect = async () => {
        if (isDown) throw new Error("no network")
        return deafened(
            await world.connect(),
            () => isHalfOpen,
            () => isHalfOpen || isDeaf,
        )
    }
    const count = (hours * 3600) / readingS
    const { mote, panics, run } = await runProgram("test/src/proof.ts", {
        clock: world.clock,
        random: world.random,
        connect,
        settings: { ...world.settings, count, ballast, everyMs: readingS * 1000 },
    })
    let repeated = 0
    const pass = (seconds: number) => run(seconds, () => panics.length > 0)
    try {
        const end = world.clock.now() + hours * 3_600_000
        while (world.clock.now() < end && panics.length === 0) {
            await pass(10 + 300 * random())
            const fault = Math.floor(5 * random())
            // Mostly short, now and then so long that readings have to become summaries.
            const seconds = random() < 0.1 ? 5400 * random() : 120 * random() ** 2
            if (fault === 0) {
                repeated += world.router!.stats().duplicate
                world.killRouter()
                await pass(seconds)
                world.startRouter()
            } else if (fault === 1) {
                isHalfOpen = true
                await pass(seconds)
                isHalfOpen = false
            } else if (fault === 2) {
                isDown = true
                world.breakConnections()
                await pass(seconds)
                isDown = false
            } else if (fault === 3) {
                isDeaf = true
                await pass(seconds)
                isDeaf = false
            } else world.breakConnections()
        }
        await pass(1800)
        repeated += world.router!.stats().duplicate
        return { accounted: accounted(world), panics, repeated }
    } finally {
        mote.stop()
        world.close()
    }
}

/** Readings that arrived, a summary for as many as it stands for, and those that are reported lost. */
function accounted(world: World): number {
    let sum = 0
    for (const { measurements } of world.arrived())
        for (const { name, value } of measurements)
            if (name === "hr-q") sum++
            else if (name === "count" || name === "lost") sum += value
    return sum
}

/** A connection that loses what is sent to the router, and what comes from it, while that is so. */
function deafened(stream: ByteStream, isUpLost: () => boolean, isDownLost: () => boolean): ByteStream {
    return {
        peer: stream.peer,
        get backlog() {
            return stream.backlog
        },
        write: bytes => void (isUpLost() || stream.write(bytes)),
        end: () => stream.end(),
        destroy: () => stream.destroy(),
        listen: receiver =>
            stream.listen({
                data: bytes => void (isDownLost() || receiver.data(bytes)),
                closed: () => void (isDownLost() || receiver.closed()),
            }),
    }
}
