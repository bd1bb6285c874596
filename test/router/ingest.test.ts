import assert from "node:assert/strict"
import { test } from "node:test"
import { silentLog, type Log } from "../../host/log.ts"
import { defaultMoteBytesPerMinute, Ingest, type IngestResult, type ReceiptTime } from "../../router/ingest.ts"
import { Keyring, refreshMs } from "../../router/keyring.ts"
import { Replays } from "../../router/replays.ts"
import { SqliteStore } from "../../router/store/sqlite.ts"
import { maxEnvelopeBytes, parseEnvelope, type Purpose } from "../../wire/envelope.ts"
import { openReceipt } from "../../wire/receipt.ts"
import { flipBit } from "../wire/arbitrary.ts"
import { ManualClock } from "../support/clock.ts"
import { MemoryClinic } from "./memory-clinic.ts"
import { TestMote } from "../support/mote.ts"

const sender = { address: "192.0.2.7" }

/** An ingest that knows motes 1 and 2. */
async function setUp(o: { store?: SqliteStore; maxOutboxBytes?: number; time?: ReceiptTime; log?: Log } = {}) {
    const clock = new ManualClock()
    const motes = [TestMote.numbered(1), TestMote.numbered(2)] as const
    const store = o.store ?? SqliteStore.inMemory()
    const clinic = new MemoryClinic(...motes.map(m => m.routerKeys))
    const keyring = new Keyring({ clock, store, clinic, log: silentLog })
    let woken = 0
    const ingest = new Ingest({
        clock,
        store,
        keyring,
        replays: new Replays({ store, keyring }),
        maxOutboxBytes: o.maxOutboxBytes ?? 1e6,
        ...(o.time && { time: o.time }),
        log: o.log ?? silentLog,
        onStored: () => woken++,
    })
    await clock.advance(0)
    /** What becomes of envelopes that arrive in the same turn. */
    const submitAs = async (purpose: Purpose, ...envelopes: Uint8Array[]): Promise<string[]> => {
        const results = envelopes.map(envelope => ingest.submit(purpose, envelope, sender))
        await clock.advance(0)
        return (await Promise.all(results)).map(outcome)
    }
    const submit = (...envelopes: Uint8Array[]) => submitAs("vitals", ...envelopes)
    return {
        clock,
        submitAs,
        motes,
        mote: motes[0],
        store,
        clinic,
        keyring,
        ingest,
        submit,
        woken: () => woken,
    }
}

function outcome(result: IngestResult): string {
    return result.status === "refused" ? result.reason : result.status
}

test("a good envelope is stored before its receipt is there", async () => {
    const { clock, mote, store, ingest, woken } = await setUp()
    const envelope = mote.envelope()
    const submitted = ingest.submit("vitals", envelope, sender)
    assert.equal(store.outboxLength, 0)
    await clock.advance(0)
    assert.deepEqual(store.next(1, Infinity), [
        { id: 1, kid: mote.keys.kid, purpose: "vitals", receivedAt: clock.now(), envelope: Uint8Array.from(envelope) },
    ])
    const result = await submitted
    assert.ok(result.status === "stored")
    const nonce = Buffer.from("21" + "000001" + "0102030405" + "00000000", "hex")
    assert.deepEqual(openReceipt(result.receipt, nonce, mote.keys.receipt), { now: clock.now(), config: 3 })
    assert.equal(woken(), 1)
})

test("what arrives in one turn shares one commit", async () => {
    const { store, motes, submit, woken } = await setUp()
    const append = store.append.bind(store)
    const commits: number[] = []
    store.append = (accepted, seen) => {
        commits.push(accepted.length)
        return append(accepted, seen)
    }
    await submit(motes[0].envelope(), motes[1].envelope(), motes[0].envelope())
    assert.deepEqual(commits, [3])
    assert.equal(woken(), 1)
})

test("a duplicate gets its receipt again and is not stored twice", async () => {
    const { store, mote, submit, ingest } = await setUp()
    const envelope = mote.envelope()
    assert.deepEqual(await submit(envelope, envelope), ["stored", "duplicate"])
    assert.deepEqual(await submit(envelope), ["duplicate"])
    assert.equal(store.outboxLength, 1)
    assert.deepEqual([ingest.counts.stored, ingest.counts.duplicate], [1, 2])
})

test("the replay window outlives a restart, and so does the outbox", async () => {
    const first = await setUp()
    const { store, mote } = first
    const [old, older] = [mote.envelope(), mote.envelope()]
    assert.deepEqual(await first.submit(old, older), ["stored", "stored"])
    mote.reboot()
    assert.deepEqual(await first.submit(mote.envelope()), ["stored"])
    const second = await setUp({ store })
    assert.deepEqual(await second.submit(old, older), ["duplicate", "duplicate"])
    assert.equal(store.outboxLength, 3)
})

test("stale starts, clones and strangers are refused and counted", async () => {
    const { mote, submit, ingest, store } = await setUp()
    const stale = mote.envelope()
    mote.reboot()
    const clone = TestMote.numbered(1)
    clone.boot = mote.boot
    clone.salt = Uint8Array.of(9, 9, 9, 9, 9)
    assert.deepEqual(await submit(mote.envelope()), ["stored"])
    assert.deepEqual(await submit(stale), ["olderBoot"])
    assert.deepEqual(await submit(clone.envelope()), ["otherSalt"])
    assert.deepEqual(await submit(TestMote.numbered(7).envelope()), ["keysAwaited"])
    assert.deepEqual(await submit(TestMote.numbered(7).envelope()), ["unknownKid"])
    assert.deepEqual(await submit(Buffer.from("garbage"), new Uint8Array(maxEnvelopeBytes + 1)), [
        "malformed",
        "tooLarge",
    ])
    assert.deepEqual(await submit(mote.envelope({ purpose: "alarm" })), ["badMac"])
    assert.equal(store.outboxLength, 1)
    const { olderBoot, otherSalt, unknownKid, malformed, tooLarge, badMac } = ingest.counts
    assert.deepEqual([olderBoot, otherSalt, unknownKid, malformed, tooLarge, badMac], [1, 1, 1, 1, 1, 1])
})

test("one flipped bit anywhere is refused, and the good envelope taken afterwards", async () => {
    const { mote, submit, store } = await setUp()
    const envelope = mote.envelope()
    const flipped = Array.from({ length: envelope.length * 8 }, (_, bit) => flipBit(envelope, bit))
    for (const result of await submit(...flipped))
        assert.ok(["malformed", "unknownFormat", "keysAwaited", "badMac"].includes(result), result)
    assert.equal(store.outboxLength, 0)
    assert.deepEqual(await submit(envelope), ["stored"])
})

test("a full outbox refuses, drops nothing, still knows duplicates, and takes again once emptied", async () => {
    const first = TestMote.numbered(1).envelope()
    const { mote, submit, store } = await setUp({ maxOutboxBytes: first.length * 2 })
    const envelopes = [mote.envelope(), mote.envelope(), mote.envelope()]
    assert.deepEqual(await submit(...envelopes), ["stored", "stored", "busy"])
    assert.deepEqual(await submit(envelopes[2]!, envelopes[0]!), ["busy", "duplicate"])
    store.settle(store.next(1, Infinity), [])
    assert.deepEqual(await submit(envelopes[2]!), ["stored"])
    assert.equal(store.outboxLength, 2)
})

test("dead letters take no room from the outbox, and a full outbox is said once", async () => {
    const { length } = TestMote.numbered(1).envelope()
    const said: string[] = []
    const log = { ...silentLog, error: (_: object, line: string) => void said.push(line) }
    const { mote, submit, store } = await setUp({ maxOutboxBytes: length * 2, log })
    assert.deepEqual(await submit(mote.envelope(), mote.envelope()), ["stored", "stored"])
    const [first, second] = store.next(2, Infinity)
    store.settle([], [{ delivery: first!, reason: "unknown mote" }])
    const envelopes = [mote.envelope(), mote.envelope()]
    assert.deepEqual(await submit(...envelopes), ["stored", "busy"])
    assert.deepEqual(await submit(envelopes[1]!), ["busy"])
    assert.deepEqual(said, ["the outbox is full: motes must wait"])
    store.settle([second!], [])
    assert.deepEqual(await submit(envelopes[1]!), ["stored"])
})

test("a store that fails takes nothing and gives no receipt, then works again", async () => {
    const { mote, submit, store, woken } = await setUp()
    const early = mote.envelope()
    await submit(early)
    const append = store.append.bind(store)
    store.append = () => {
        throw new Error("disk I/O error")
    }
    const envelope = mote.envelope()
    assert.deepEqual(await submit(envelope, early), ["busy", "busy"])
    assert.equal(woken(), 1)
    store.append = append
    assert.deepEqual(await submit(envelope, early), ["stored", "duplicate"])
    assert.equal(woken(), 2)
    assert.equal(store.outboxLength, 2)
})

test("a new secret is taken beside the old one, with starts of its own, until the old one is gone", async () => {
    const { clock, clinic, mote, store, submit } = await setUp()
    mote.boot = 40
    assert.deepEqual(await submit(mote.envelope()), ["stored"])
    const renewed = TestMote.numbered(7)
    renewed.keys.kid = mote.keys.kid
    const next = { ...renewed.routerKeys, generation: 1 }
    assert.deepEqual(await submit(renewed.envelope({ seq: 0 })), ["badMac"])
    clinic.routerKeys = [mote.routerKeys, next]
    await clock.advance(refreshMs)
    const first = renewed.envelope()
    assert.deepEqual(await submit(mote.envelope(), first, first), ["stored", "stored", "duplicate"])
    clinic.routerKeys = [next]
    await clock.advance(refreshMs)
    assert.deepEqual(await submit(mote.envelope(), renewed.envelope()), ["badMac", "stored"])

    const again = await setUp({ store })
    again.clinic.routerKeys = [next]
    await again.clock.advance(refreshMs)
    assert.deepEqual(await again.submit(first), ["duplicate"])
})

test("the receipt is made with the secret that the envelope was sealed under", async () => {
    const { clock, clinic, mote, ingest } = await setUp()
    const renewed = TestMote.numbered(7)
    renewed.keys.kid = mote.keys.kid
    clinic.routerKeys = [mote.routerKeys, { ...renewed.routerKeys, generation: 1 }]
    await clock.advance(refreshMs)
    const envelope = renewed.envelope()
    const { nonce } = parseEnvelope(envelope)
    const submitted = ingest.submit("vitals", envelope, sender)
    await clock.advance(0)
    const result = await submitted
    assert.ok(result.status === "stored")
    assert.throws(() => openReceipt(result.receipt, nonce, mote.keys.receipt))
    assert.equal(openReceipt(result.receipt, nonce, renewed.keys.receipt).config, 3)
})

test("a store that fails and an outbox that is full are a line a minute in the log, whatever comes", async () => {
    const { length } = TestMote.numbered(1).envelope()
    const said: [string, object][] = []
    const log = { ...silentLog, error: (counts: object, line: string) => void said.push([line, counts]) }
    const { clock, mote, submit, submitAs, store } = await setUp({ maxOutboxBytes: length * 16, log })
    const append = store.append.bind(store)
    store.append = () => {
        throw new Error("disk I/O error")
    }
    for (let i = 0; i < 50; i++) assert.deepEqual(await submit(mote.envelope()), ["busy"])
    store.append = append
    while ((await submit(mote.envelope()))[0] === "stored");
    for (let i = 0; i < 50; i++)
        await submitAs(i % 2 ? "alarm" : "vitals", mote.envelope({ purpose: i % 2 ? "alarm" : "vitals" }))
    const lines = () => said.map(([line]) => line)
    const both = ["the store failed: envelopes refused", "the outbox is full: motes must wait"]
    assert.deepEqual(lines(), both)
    await clock.advance(60_000)
    assert.deepEqual(lines(), [...both, ...both])
    assert.deepEqual(said[2]![1], { "disk I/O error": 49 })
})

test("an alarm finds room where readings find none", async () => {
    const { length } = TestMote.numbered(1).envelope()
    const { mote, submit, submitAs } = await setUp({ maxOutboxBytes: length * 32 })
    const readings = Array.from({ length: 33 }, () => mote.envelope())
    assert.deepEqual((await submit(...readings)).slice(31), ["stored", "busy"])
    const alarm = () => mote.envelope({ purpose: "alarm" })
    assert.deepEqual(await submitAs("alarm", alarm(), alarm(), alarm()), ["stored", "stored", "busy"])
})

test("one mote takes a part of the outbox and so much a minute, the others go on; its alarms go through", async () => {
    const { motes, clock, submit, submitAs, store } = await setUp({ maxOutboxBytes: 2 ** 30 })
    const [greedy, other] = motes
    const large = () => greedy.envelope({ plaintext: new Uint8Array(3900) })
    const outcomes: string[] = []
    for (let i = 0; i < 300; i++) outcomes.push(...(await submit(large())))
    const taken = outcomes.indexOf("busy")
    assert.ok(taken > 200 && taken * large().length <= defaultMoteBytesPerMinute, `${taken}`)
    assert.ok(outcomes.slice(taken).every(outcome => outcome === "busy"))
    assert.deepEqual(await submit(other.envelope()), ["stored"])
    assert.deepEqual(await submitAs("alarm", greedy.envelope({ purpose: "alarm" })), ["stored"])
    await clock.advance(60_000)
    assert.deepEqual(await submit(large()), ["stored"])
    assert.ok(store.outboxBytesOf(greedy.keys.kid) > 800_000)
    const small = await setUp({ maxOutboxBytes: 2 ** 20 })
    let stored = 0
    for (let minute = 0; minute < 3; minute++) {
        for (let i = 0; i < 100; i++)
            if ((await small.submit(small.mote.envelope({ plaintext: new Uint8Array(3900) })))[0] === "stored") stored++
        await small.clock.advance(60_000)
    }
    assert.ok(stored * 4000 <= 2 ** 18 + 4000, "a quarter of a MiB at least, and a sixteenth of the outbox")
    assert.deepEqual(await small.submit(small.motes[1].envelope()), ["stored"])
})

test("while the time is not known no mote is told one, and nothing is taken", async () => {
    const known: { now?: number } = {}
    const { mote, submit, ingest, store, clock } = await setUp({ time: { now: () => known.now } })
    const envelope = mote.envelope()
    assert.deepEqual(await submit(envelope, Buffer.from("garbage")), ["busy", "malformed"])
    assert.equal(store.outboxLength, 0)
    const now = (known.now = 1_800_000_000_000)
    const submitted = ingest.submit("vitals", envelope, sender)
    await clock.advance(0)
    const result = await submitted
    assert.ok(result.status === "stored")
    assert.equal(openReceipt(result.receipt, parseEnvelope(envelope).nonce, mote.keys.receipt).now, now)
})

test("what is refused is logged once, and then once a minute", async () => {
    const said: object[] = []
    const log = { ...silentLog, info: (fields: object) => void said.push(fields) }
    const { submit, clock } = await setUp({ log })
    for (let i = 0; i < 500; i++) await submit(Buffer.from("garbage"))
    assert.deepEqual(said, [{ malformed: 1 }])
    await clock.advance(60_000)
    assert.deepEqual(said, [{ malformed: 1 }, { malformed: 499 }])
})
