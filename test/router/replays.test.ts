import assert from "node:assert/strict"
import { test } from "node:test"
import fc from "fast-check"
import { silentLog } from "../../host/log.ts"
import { Ingest } from "../../router/ingest.ts"
import { Keyring } from "../../router/keyring.ts"
import { maxPending, Replays } from "../../router/replays.ts"
import { SqliteStore } from "../../router/store/sqlite.ts"
import type { Queued } from "../../router/store/store.ts"
import { openEnvelope, parseEnvelope, sealEnvelope } from "../../wire/envelope.ts"
import { ManualClock } from "../support/clock.ts"
import { TestMote } from "../support/mote.ts"
import { MemoryClinic } from "./memory-clinic.ts"

const secret = TestMote.numbered(1).keys

/** What somebody with the key `up mac` can make for a nonce: a right MAC, and not the mote's inner tag. */
function forged(n: number, o: { boot?: number; seq?: number } = {}): Uint8Array {
    const start = { boot: o.boot ?? 1, seq: o.seq ?? 0, salt: Uint8Array.of(1, 2, 3, 4, 5) }
    return sealEnvelope({
        ...secret,
        upEnc: new Uint8Array(32).fill(n),
        purpose: "vitals",
        ...start,
        plaintext: Buffer.from("lie"),
    })
}

/** Whether the mote has sealed it, which the clinic can tell. */
function isTrue(envelope: Uint8Array): boolean {
    try {
        openEnvelope(parseEnvelope(envelope), secret.upEnc)
        return true
    } catch {
        return false
    }
}

/** A router's ingest, and a clinic that gets the outbox when the test says so. */
async function setUp() {
    const store = SqliteStore.inMemory()
    const clinic = new Set<string>()
    const clock = new ManualClock()
    const keyring = new Keyring({
        clock,
        store,
        clinic: new MemoryClinic(TestMote.numbered(1).routerKeys),
        log: silentLog,
    })
    await clock.advance(0)
    const started = () => {
        const replays = new Replays({ store, keyring })
        const common = { clock, store, keyring, replays, maxOutboxBytes: 1e6, log: silentLog }
        return { replays, ingest: new Ingest({ ...common, onStored: () => {} }) }
    }
    let router = started()
    return {
        store,
        clinic,
        counts: () => router.ingest.counts,
        restart: () => (router = started()),
        submit: async (envelope: Uint8Array) => {
            const result = router.ingest.submit("vitals", envelope, { address: "192.0.2.7" })
            await clock.advance(0)
            const settled = await result
            return settled.status === "refused" ? settled.reason : settled.status
        },
        deliver: (max: number) => {
            const safe: Queued[] = []
            const refused: { delivery: Queued; reason: string }[] = []
            for (const delivery of store.next(max, Infinity))
                if (isTrue(delivery.envelope)) safe.push(delivery)
                else refused.push({ delivery, reason: "altered" })
            for (const { envelope } of safe) clinic.add(Buffer.from(envelope).toString("hex"))
            store.settle(safe, refused, () => router.replays.settled(safe, refused))
        },
    }
}

test("an envelope with a used nonce does not take the receipt from the mote's own: both go to the clinic", async () => {
    const { submit, store, counts, deliver, clinic } = await setUp()
    const own = TestMote.numbered(1).envelope()
    assert.equal(await submit(forged(1)), "stored")
    assert.equal(await submit(own), "stored")
    assert.equal(await submit(own), "duplicate")
    assert.equal(await submit(forged(1)), "duplicate")
    assert.equal(await submit(forged(2)), "stored")
    assert.equal(store.outboxLength, 3)
    assert.deepEqual([counts().stored, counts().contested], [3, 2])
    deliver(3)
    assert.deepEqual([clinic.size, store.refusedLength, store.outboxLength], [1, 2, 0])
    assert.equal(await submit(own), "duplicate")
    assert.equal(await submit(forged(3)), "duplicate", "the clinic has the true one")
})

for (const isRestarted of [false, true])
    test(`a nonce whose only envelope was altered is free again${isRestarted ? ", also after a restart" : ""}`, async () => {
        const { submit, store, deliver, restart } = await setUp()
        assert.equal(await submit(forged(1)), "stored")
        if (isRestarted) restart()
        deliver(1)
        if (isRestarted) restart()
        assert.deepEqual(store.starts(secret.kid), [])
        assert.equal(await submit(TestMote.numbered(1).envelope()), "stored")
        assert.equal(store.outboxLength, 1)
    })

test("after a restart the outbox tells which envelope has the nonce", async () => {
    const { submit, store, restart } = await setUp()
    const own = TestMote.numbered(1).envelope()
    await submit(forged(1))
    restart()
    assert.equal(await submit(own), "stored")
    restart()
    assert.equal(await submit(own), "duplicate")
    assert.equal(store.outboxLength, 2)
})

test("a start that nobody made keeps the mote out only until the clinic has refused it", async () => {
    const { submit, deliver } = await setUp()
    const mote = TestMote.numbered(1)
    const own = mote.envelope()
    assert.equal(await submit(forged(1, { boot: 2 ** 24 - 1 })), "stored")
    assert.equal(await submit(own), "olderBoot")
    deliver(1)
    assert.equal(await submit(own), "stored")
})

test("several envelopes of a start that nobody made, refused at once: it is forgotten, also after a restart", async () => {
    const { submit, deliver, store, restart } = await setUp()
    for (const seq of [0, 1]) assert.equal(await submit(forged(1, { boot: 2, seq })), "stored")
    deliver(2)
    assert.deepEqual(store.starts(secret.kid), [])
    restart()
    assert.equal(await submit(TestMote.numbered(1).envelope()), "stored")
})

test("where the outbox has more envelopes of a mote than are remembered, a used nonce gets no receipt", async () => {
    const { submit, deliver } = await setUp()
    for (let seq = 0; seq <= maxPending; seq++) assert.equal(await submit(forged(1, { seq })), "stored")
    const own = TestMote.numbered(1).envelope()
    assert.equal(await submit(own), "busy")
    deliver(1)
    assert.equal(await submit(own), "stored")
})

test("whatever is forged, delivered and restarted: what the mote has a receipt for is in the outbox or with the clinic", async () => {
    const step = fc.oneof(
        { weight: 3, arbitrary: fc.record({ own: fc.nat({ max: 3 }) }) },
        {
            weight: 3,
            arbitrary: fc.record({
                forged: fc.nat({ max: 2 }),
                seq: fc.nat({ max: 3 }),
                boot: fc.integer({ min: 1, max: 2 }),
            }),
        },
        { weight: 2, arbitrary: fc.record({ deliver: fc.integer({ min: 1, max: 3 }) }) },
        { weight: 1, arbitrary: fc.constant({ restart: true }) },
    )
    const mote = TestMote.numbered(1)
    const own = [0, 1, 2, 3].map(seq => mote.envelope({ seq }))
    await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 30 }), async steps => {
            const { submit, store, clinic, deliver, restart } = await setUp()
            for (const step of steps) {
                if ("own" in step) {
                    const envelope = own[step.own]!
                    const outcome = await submit(envelope)
                    const waits = store
                        .next(1000, Infinity)
                        .some(queued => Buffer.compare(queued.envelope, envelope) === 0)
                    const isSafe = waits || clinic.has(Buffer.from(envelope).toString("hex"))
                    if (outcome === "stored" || outcome === "duplicate") assert.ok(isSafe, "lost")
                } else if ("forged" in step) await submit(forged(step.forged, step))
                else if ("deliver" in step) deliver(step.deliver)
                else restart()
            }
            // In the end nothing stands in the mote's way.
            while (store.outboxLength > 0) deliver(100)
            for (const envelope of own) await submit(envelope)
            while (store.outboxLength > 0) deliver(100)
            assert.equal(clinic.size, own.length)
            store.close()
        }),
    )
})
