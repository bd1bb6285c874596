import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import type { Clock } from "../../host/clock.ts"
import { silentLog } from "../../host/log.ts"
import type { ByteStream } from "../../host/stream.ts"
import { Router, SqliteStore } from "../../router/index.ts"
import { pipe } from "../../sim/time/pipe.ts"
import { VirtualClock } from "../../sim/time/clock.ts"
import { openEnvelope, parseEnvelope } from "../../wire/envelope.ts"
import { deriveKeys, eui, type MoteKeys } from "../../wire/keys.ts"
import { decodePack } from "../../wire/pack.ts"
import { MemoryClinic } from "../router/memory-clinic.ts"
import { runProgram } from "../../sim/mote/program.ts"
import { holdCommits } from "../support/held-commits.ts"
import { upTo } from "./scripted-router.ts"

/** The real router's core on a virtual clock, with its store on disk, that can be killed and restarted. */
class KillableRouter {
    readonly clock = new VirtualClock()
    readonly clinic = new MemoryClinic()
    router: Router | undefined
    private readonly data: string
    private store: SqliteStore | undefined
    private streams: ByteStream[] = []

    constructor(t: TestContext) {
        this.data = mkdtempSync(join(tmpdir(), "vitalmote-"))
        t.after(() => {
            this.kill()
            rmSync(this.data, { recursive: true, force: true })
        })
    }

    start(): void {
        this.store = SqliteStore.open(this.data)
        holdCommits(this.store, this.clock)
        const { clock, clinic } = this
        const isAlive = () => this.router === router
        // A killed router does nothing more.
        const mortal: Clock = {
            now: () => clock.now(),
            setTimeout: (fn, ms) => clock.setTimeout(() => isAlive() && fn(), ms),
            clearTimeout: timer => clock.clearTimeout(timer),
        }
        const router = new Router({ clock: mortal, random: randomBytes, store: this.store, clinic, log: silentLog })
        this.router = router
    }

    kill(): void {
        this.router = undefined
        for (const stream of this.streams.splice(0)) stream.destroy()
        this.store?.close()
        this.store = undefined
    }

    readonly connect = (): Promise<ByteStream> => {
        if (!this.router) return Promise.reject(new Error("refused"))
        const [near, far] = pipe(this.clock, 10)
        this.streams.push(far)
        this.router.accept(far)
        return Promise.resolve(near)
    }

    /** The numbers of a mote's readings in the clinic, in order. */
    readings({ kid, upEnc }: MoteKeys): number[] {
        return this.clinic.stored
            .map(hex => parseEnvelope(Buffer.from(hex, "hex")))
            .filter(envelope => eui(envelope.kid) === eui(kid))
            .flatMap(e => decodePack(openEnvelope(e, upEnc), this.clock.now()))
            .filter(m => m.name === "hr")
            .map(m => Math.round((m.value - 30) * 10))
            .sort((a, b) => a - b)
    }
}

/** A mote whose keys the clinic knows. */
async function startMote(system: KillableRouter, count: number, everyMs: number) {
    const kid = randomBytes(8)
    const secret = randomBytes(32)
    const keys = deriveKeys(secret, kid)
    system.clinic.routerKeys.push({ ...keys, config: 1 })
    const settings = {
        ...{ kid: eui(kid), secret: secret.toString("hex"), count, everyMs },
        router: "coap+tcp://router.invalid",
    }
    const { clock, connect } = system
    return { ...(await runProgram("test/src/uplink.ts", { clock, connect, settings })), keys }
}

test("the router is killed and restarted repeatedly: every reading is in the clinic, once", async t => {
    const system = new KillableRouter(t)
    const motes = [await startMote(system, 300, 200), await startMote(system, 300, 200)]
    const { run } = motes[0]!
    system.start()
    for (let i = 0; i < 12; i++) {
        await run(2 + 0.371 * i)
        system.kill()
        await run(0.4 * i)
        system.start()
    }
    await run(150)
    for (const { keys, panics } of motes) {
        assert.deepEqual(panics, [])
        assert.deepEqual(system.readings(keys), upTo(300))
    }
})

test("the router shuts down cleanly: the mote reconnects by itself", async t => {
    const system = new KillableRouter(t)
    const { keys, run, panics } = await startMote(system, 30, 500)
    system.start()
    await run(6)
    const closed = system.router!.close()
    await run(3)
    await closed
    system.kill()
    system.start()
    await run(30)
    assert.deepEqual(panics, [])
    assert.deepEqual(system.readings(keys), upTo(30))
})

test("a mote that the router does not know keeps its readings until it does", async t => {
    const system = new KillableRouter(t)
    const { keys, run, panics, lines } = await startMote(system, 30, 500)
    const known = system.clinic.routerKeys
    system.clinic.routerKeys = []
    system.start()
    await run(60)
    assert.equal(system.clinic.stored.length, 0)
    const refusals = lines.filter(line => line === "the router refuses: 4.01").length
    assert.ok(refusals >= 1 && refusals < 12, `${refusals} times`)
    system.clinic.routerKeys = known
    await run(500)
    assert.deepEqual(panics, [])
    assert.deepEqual(system.readings(keys), upTo(30))
})

test("a restarted mote is accepted under its next number, and its earlier readings stay", async t => {
    const system = new KillableRouter(t)
    const { keys, run, mote, panics } = await startMote(system, 20, 300)
    system.start()
    for (let i = 0; i < 3; i++) {
        await run(10)
        mote.stop()
        await mote.powerUp()
    }
    await run(12)
    assert.deepEqual(panics, [])
    const boots = system.clinic.stored.map(hex => parseEnvelope(Buffer.from(hex, "hex")).boot)
    assert.deepEqual([...new Set(boots)], [1, 2, 3, 4])
    assert.deepEqual(
        system.readings(keys),
        upTo(20).flatMap(n => [n, n, n, n]),
    )
    assert.equal(system.router!.stats().olderBoot + system.router!.stats().otherSalt, 0)
})
