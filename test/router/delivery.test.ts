import assert from "node:assert/strict"
import { test } from "node:test"
import { silentLog } from "../../host/log.ts"
import { DeliveryLoop, firstRetryMs, maxBatchBytes, maxRetryMs } from "../../router/delivery.ts"
import { Keyring } from "../../router/keyring.ts"
import { Replays } from "../../router/replays.ts"
import { SqliteStore } from "../../router/store/sqlite.ts"
import { maxBatch, type DeliveryResult } from "../../wire/batch.ts"
import { ManualClock, settle } from "../support/clock.ts"
import { MemoryClinic } from "./memory-clinic.ts"
import { TestMote } from "../support/mote.ts"

function replaysOf(store: SqliteStore): Replays {
    const keyring = new Keyring({ clock: new ManualClock(), store, clinic: new MemoryClinic(), log: silentLog })
    return new Replays({ store, keyring })
}

/** An outbox of `n` envelopes whose bytes are their number, and the loop that carries it. */
function setUp(n: number) {
    const clock = new ManualClock()
    const store = SqliteStore.inMemory()
    const clinic = new MemoryClinic()
    let filled = 0
    const fill = (n: number) => {
        for (const last = filled + n; filled < last; filled++)
            void store.append([{ kid, purpose: "vitals", receivedAt: 0, envelope: bytesOf(filled) }], [])
    }
    fill(n)
    const random = (n: number) => new Uint8Array(n).fill(255)
    const loop = new DeliveryLoop({ clock, random, store, replays: replaysOf(store), clinic, log: silentLog })
    return { clock, store, clinic, loop, fill }
}

const { kid } = TestMote.numbered().keys
const bytesOf = (n: number) => Uint8Array.of(n >> 8, n & 255)
const inOrder = (n: number) => Array.from({ length: n }, (_, i) => Buffer.from(bytesOf(i)).toString("hex"))

test("the outbox goes out in order, in batches, and is empty then", async () => {
    const { store, clinic, loop } = setUp(maxBatch + 10)
    loop.wake()
    await settle()
    assert.deepEqual(clinic.batches, [maxBatch, 10])
    assert.deepEqual(clinic.stored, inOrder(maxBatch + 10))
    assert.equal(store.outboxLength, 0)
})

test("waking it while it works does not deliver twice", async () => {
    const { clinic, loop, fill } = setUp(2)
    loop.wake()
    loop.wake()
    fill(1)
    loop.wake()
    await settle()
    assert.deepEqual(clinic.stored, inOrder(3))
    assert.equal(
        clinic.batches.reduce((a, b) => a + b),
        3,
    )
})

test("a clinic that is down for long loses nothing, gets nothing twice, and is not hammered", async () => {
    const { clock, store, clinic, loop, fill } = setUp(3)
    clinic.answer = () => Promise.reject(new Error("connect ECONNREFUSED"))
    loop.wake()
    const tenMinutesMs = 600_000
    for (let i = 0; i < 10; i++) {
        await clock.advance(tenMinutesMs / 10)
        fill(1)
        loop.wake()
    }
    const tries = clinic.batches.length
    assert.ok(tries > tenMinutesMs / maxRetryMs && tries < 25, `${tries} tries`)
    assert.equal(store.outboxLength, 13)
    clinic.answer = undefined
    await clock.advance(maxRetryMs)
    assert.deepEqual(clinic.stored, inOrder(13))
    assert.equal(store.outboxLength, 0)
})

test("the pauses double, and start anew after a success", async () => {
    const { clock, clinic, loop, fill } = setUp(1)
    const triedAt: number[] = []
    clinic.answer = () => {
        triedAt.push(clock.now())
        throw new Error("500")
    }
    loop.wake()
    await clock.advance(firstRetryMs * 16)
    const pauses = triedAt.slice(1).map((at, i) => at - triedAt[i]!)
    pauses.slice(1).forEach((pause, i) => assert.ok(Math.abs(pause / pauses[i]! - 2) < 0.01))
    clinic.answer = undefined
    await clock.advance(maxRetryMs)
    clinic.answer = () => {
        triedAt.push(clock.now())
        throw new Error("500")
    }
    fill(1)
    const failedAt = clock.now()
    loop.wake()
    await clock.advance(firstRetryMs)
    assert.ok(triedAt.at(-1)! > failedAt)
})

test("an answer that was lost: the clinic says duplicate, the outbox empties", async () => {
    const { clock, store, clinic, loop } = setUp(2)
    clinic.answer = batch => {
        clinic.store(batch)
        throw new Error("connection reset")
    }
    loop.wake()
    await settle()
    clinic.answer = undefined
    await clock.advance(maxRetryMs)
    assert.deepEqual(clinic.stored, inOrder(2))
    assert.equal(store.outboxLength, 0)
})

test("refused envelopes are kept apart and do not hold up the others", async () => {
    const { store, clinic, loop } = setUp(3)
    clinic.answer = batch =>
        clinic
            .store(batch)
            .map((result, i) => (i === 1 ? { id: result.id, status: "refused", reason: "unknown mote" } : result))
    loop.wake()
    await settle()
    assert.deepEqual([store.outboxLength, store.refusedLength], [0, 1])
})

for (const [what, answer] of [
    ["no results", []],
    ["results for others", [{ id: 77, status: "stored" }]],
    [
        "contradicting results",
        [
            { id: 1, status: "stored" },
            { id: 1, status: "refused" },
        ],
    ],
] as [string, DeliveryResult[]][])
    test(`a clinic that answers with ${what} takes nothing out`, async () => {
        const { clock, store, clinic, loop } = setUp(1)
        clinic.answer = () => answer
        loop.wake()
        await clock.advance(5 * maxRetryMs)
        assert.deepEqual([store.outboxLength, store.refusedLength], [1, 0])
        assert.ok(clinic.batches.length < 20)
        clinic.answer = undefined
        await clock.advance(maxRetryMs)
        assert.equal(store.outboxLength, 0)
    })

test("results for a part of a batch: the rest goes again", async () => {
    const { store, clinic, loop } = setUp(4)
    clinic.answer = batch => clinic.store(batch.slice(0, 1))
    loop.wake()
    await settle()
    assert.deepEqual(clinic.stored, inOrder(4))
    assert.equal(store.outboxLength, 0)
})

test("a clinic that never answers holds up nothing but itself; closing gives it up", async () => {
    const { clock, store, clinic, loop } = setUp(1)
    clinic.answer = () => new Promise<never>(() => {})
    loop.wake()
    await clock.advance(maxRetryMs)
    assert.equal(clinic.batches.length, 1)
    loop.close()
    assert.equal(clock.waiting, 0)
    assert.equal(store.outboxLength, 1)
})

test("what is answered after closing changes nothing", async () => {
    const { clock, store, clinic, loop } = setUp(1)
    let answer = () => {}
    clinic.answer = batch => new Promise(resolve => (answer = () => resolve(clinic.store(batch))))
    loop.wake()
    await settle()
    loop.close()
    store.close()
    answer()
    await clock.advance(maxRetryMs)
    assert.equal(clock.waiting, 0)
})

test("alarms go first and motes take turns, so that nobody waits for a flood of another", async () => {
    const { store, loop, clinic } = setUp(0)
    const { kid: greedy } = TestMote.numbered(1).keys
    const { kid: other } = TestMote.numbered(2).keys
    const add = (kid: Uint8Array, purpose: "vitals" | "alarm", first: number, bytes: number) =>
        void store.append([{ kid, purpose, receivedAt: 0, envelope: new Uint8Array(bytes).fill(first) }], [])
    for (let i = 0; i < 500; i++) add(greedy, "vitals", 1, 4000)
    for (let i = 0; i < 20; i++) add(greedy, "alarm", 2, 200)
    for (let i = 0; i < 3; i++) add(other, "vitals", 3, 200)
    add(other, "alarm", 4, 200)
    const batches: number[][] = []
    clinic.answer = batch => {
        batches.push(batch.map(({ envelope }) => envelope[0]!))
        return batch.map(({ id }) => ({ id, status: "stored" }))
    }
    loop.wake()
    await settle()
    const first = batches[0]!
    assert.deepEqual(first.slice(0, 9), [...Array<number>(8).fill(2), 4])
    assert.deepEqual(first.slice(9, 21), Array(12).fill(2))
    assert.equal(first.filter(n => n === 3).length, 3)
    assert.ok(first.reduce((sum, n) => sum + (n === 1 ? 4000 : 200), 0) <= maxBatchBytes)
    assert.equal(batches.flat().length, 524)
    assert.equal(store.outboxLength, 0)
    for (let i = 0; i < 40; i++) add(greedy, "vitals", 1, 4000)
    let added = false
    clinic.answer = batch => {
        batches.push(batch.map(({ envelope }) => envelope[0]!))
        if (!added) add(other, "alarm", 5, 200)
        added = true
        return batch.map(({ id }) => ({ id, status: "stored" }))
    }
    batches.length = 0
    loop.wake()
    await settle()
    assert.equal(batches[1]![0], 5, "an alarm waits for one batch")
})

test("dead letters have a quota of their own: the oldest are dropped", async () => {
    const { store, clinic, clock } = setUp(0)
    const said: object[] = []
    const log = { ...silentLog, warn: (fields: object) => void said.push(fields) }
    const random = (n: number) => new Uint8Array(n)
    const loop = new DeliveryLoop({
        clock,
        random,
        store,
        replays: replaysOf(store),
        clinic,
        maxDeadLetterBytes: 4000,
        log,
    })
    clinic.answer = batch => batch.map(({ id }) => ({ id, status: "refused", reason: "its nonce was used before" }))
    const envelopes = Array.from({ length: 288 }, (_, i) => new Uint8Array(100).fill(i % 256))
    for (const envelope of envelopes) void store.append([{ kid, purpose: "vitals", receivedAt: 0, envelope }], [])
    loop.wake()
    await settle()
    assert.equal(store.outboxLength, 0)
    assert.ok(store.refusedBytes <= 4000 && store.refusedBytes > 2000, `${store.refusedBytes}`)
    assert.equal(store.deadLetters(0, 1000).at(-1)!.id, 288, "the newest are there")
    assert.equal(said.length, 2, "one line about refusals, one about dropping")
})
