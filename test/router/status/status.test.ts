import assert from "node:assert/strict"
import { randomBytes } from "node:crypto"
import { createServer, type AddressInfo } from "node:net"
import { test } from "node:test"
import { realClock } from "../../../host/clock.ts"
import { silentLog } from "../../../host/log.ts"
import { socketStream } from "../../../host/stream.ts"
import type { Network } from "../../../router/browser/messages.ts"
import { Router, SqliteStore } from "../../../router/index.ts"
import { watchNetwork } from "../../../router/status/border-router.ts"
import { ManualClock } from "../../support/clock.ts"
import { TestMote } from "../../support/mote.ts"
import { until } from "../../support/until.ts"
import { MemoryClinic } from "../memory-clinic.ts"

const address = { address: "192.0.2.7" }

function routerOf(mote: TestMote, clock: ManualClock) {
    const clinic = new MemoryClinic({ ...mote.keys, config: 0 })
    const store = SqliteStore.inMemory()
    const router = new Router({ clock, random: randomBytes, store, clinic, log: silentLog })
    return { clinic, router }
}

test("a mote's envelopes, rate and refusals are counted; strangers are not", async () => {
    const clock = new ManualClock()
    const mote = TestMote.numbered()
    const { router } = routerOf(mote, clock)
    await clock.advance(10)
    const submit = async (envelope: Uint8Array) => {
        const result = router.ingest.submit("vitals", envelope, address)
        await clock.advance(10)
        return (await result).status
    }
    const first = mote.envelope()
    assert.equal(await submit(first), "stored")
    assert.equal(await submit(first), "duplicate")
    for (let n = 0; n < 5; n++) assert.equal(await submit(mote.envelope()), "stored")
    const forged = Uint8Array.from(mote.envelope())
    forged[forged.length - 1]! ^= 1
    assert.equal(await submit(forged), "refused")
    assert.equal(await submit(TestMote.numbered(2).envelope()), "refused")
    assert.equal(await submit(new Uint8Array(20)), "refused")
    await clock.advance(60_000)
    const [status, ...others] = router.status().motes
    assert.deepEqual(others, [])
    const { eui, stored, duplicate, refused, perMinute, transport } = status!
    assert.deepEqual([eui, stored, duplicate, refused], [mote.eui, 6, 1, { badMac: 1 }])
    assert.deepEqual([perMinute, transport], [6, null])
    assert.ok(status!.silentMs! >= 60_000 && status!.refusedAgoMs! >= 60_000)
    await clock.advance(120_000)
    assert.equal(router.status().motes[0]!.perMinute, 0)
    await router.close()
})

test("what waits for a sleeping mote is shown with its age; a command that is ten minutes old is delivered no more", async () => {
    const clock = new ManualClock()
    const mote = TestMote.numbered()
    const { router, clinic } = routerOf(mote, clock)
    await clock.advance(10)
    const submitted = router.ingest.submit("vitals", mote.envelope(), address)
    await clock.advance(10)
    await submitted
    clinic.routerKeys = [
        {
            ...{ ...mote.keys, config: 1, sealedConfig: Uint8Array.of(1, 2, 3) },
            commands: [{ name: "identify", sealed: Uint8Array.of(4) }],
        },
    ]
    await clock.advance(10_000)
    const waiting = () => router.status().motes[0]!.waiting.map(({ what, bytes, outcome }) => [what, bytes, outcome])
    assert.deepEqual(waiting(), [
        ["config", 3, null],
        ["identify", 1, null],
    ])
    await clock.advance(599_000)
    const [config, command] = router.status().motes[0]!.waiting
    assert.equal(config!.expiresInMs, null)
    assert.ok(command!.expiresInMs! <= 11_000 && command!.ageMs + command!.expiresInMs! === 600_000)
    await clock.advance(12_000) // the clinic could not withdraw it meanwhile
    assert.deepEqual(waiting(), [["config", 3, null]])
    clinic.routerKeys = [{ ...mote.keys, config: 1 }]
    await clock.advance(10_000)
    assert.deepEqual(waiting(), [])
    await router.close()
})

test("delivery and dead letters are shown", async () => {
    const clock = new ManualClock()
    const mote = TestMote.numbered()
    const { router, clinic } = routerOf(mote, clock)
    await clock.advance(10)
    clinic.answer = () => {
        throw new Error("it is away")
    }
    const submit = async () => {
        const result = router.ingest.submit("vitals", mote.envelope(), address)
        await clock.advance(10)
        await result
    }
    assert.equal(router.status().clinics[0]!.state, "idle")
    await submit()
    await clock.advance(20_000)
    const { state, reason, oldestMs, retryInMs } = router.status().clinics[0]!
    assert.deepEqual([state, reason], ["retrying", "it is away"])
    assert.ok(oldestMs! >= 20_000 && retryInMs! > 0)
    assert.ok(router.status().motes[0]!.outboxBytes > 0)
    clinic.answer = batch => batch.map(({ id }) => ({ id, status: "refused", reason: "revoked" }))
    await clock.advance(60_000)
    const after = router.status()
    assert.deepEqual(after.clinics, [
        {
            ...{ name: "", state: "idle", reason: null, oldestMs: null, retryInMs: null },
            ...{ envelopes: 0, bytes: 0, motes: 1, deadLetters: after.deadLetters.length },
        },
    ])
    assert.deepEqual(after.deadLetters, [{ reason: "revoked", count: 1, motes: [mote.eui] }])
    await router.close()
})

test("a border router's network is asked for over CoAP; what no longer answers is not shown", async t => {
    const network: Network = {
        address: "aaaa::1",
        neighbours: [{ address: "fe80::212:7402:2:202", rank: 256, etx: 1.2 }],
        routes: [{ target: "aaaa::212:7402:2:202", via: "fe80::212:7402:2:202", lifetimeS: 600 }],
    }
    const clock = new ManualClock()
    const [clinic, store] = [new MemoryClinic(), SqliteStore.inMemory()]
    const router = new Router({ clock, random: randomBytes, store, clinic, log: silentLog, network: () => network })
    const server = createServer(socket => router.accept(socketStream(socket)))
    await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve))
    t.after(() => server.close())
    const { port } = server.address() as AddressInfo
    const watched = watchNetwork({ host: "127.0.0.1", port, clock: realClock, log: silentLog })
    t.after(() => watched.close())
    await until(() => watched.now !== undefined, "the network is known")
    assert.deepEqual(watched.now, network)
    const silent = watchNetwork({ host: "127.0.0.1", port: 1, clock: realClock, log: silentLog })
    t.after(() => silent.close())
    assert.equal(silent.now, undefined)
    await router.close()
})
