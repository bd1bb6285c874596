import assert from "node:assert/strict"
import {
    copyFileSync,
    existsSync,
    mkdirSync,
    readdirSync,
    readFileSync,
    rmSync,
    statSync,
    writeFileSync,
} from "node:fs"
import { join } from "node:path"
import { test, type TestContext } from "node:test"
import Database from "libsql"
import fc from "fast-check"
import { silentLog } from "../../host/log.ts"
import { Outbox, segmentBytes, type Fault, type Replay } from "../../router/store/outbox/outbox.ts"
import { headerBytes, plausibleLength, recordBytes } from "../../router/store/outbox/record.ts"
import { SqliteStore } from "../../router/store/sqlite.ts"
import type { Queued } from "../../router/store/store.ts"
import { temporaryFolder } from "../support/folder.ts"
import { TestMote } from "../support/mote.ts"

const start = { segment: 0, at: 0 }
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")
const first = (folder: string) => join(folder, "0000000001.log")

/** An envelope-like thing of a mote: the log does not look inside. */
const envelope = (n: number, o: { mote?: number; bytes?: number; purpose?: "alarm" | "vitals" } = {}) => ({
    kid: Uint8Array.of(0, 0, 0, 0, 0, 0, 0, o.mote ?? 1),
    purpose: o.purpose ?? ("vitals" as const),
    receivedAt: 1_700_000_000_000 + n,
    generation: 0,
    envelope: new Uint8Array(o.bytes ?? 20 + (n % 50)).fill(n),
})

/** Opens a log, and gives what it said. */
function opened(folder: string) {
    const faults: Fault[] = []
    const replays: Replay[] = []
    const outbox = Outbox.open(folder, {
        since: start,
        replayed: change => void replays.push(change),
        report: fault => void faults.push(fault),
    })
    return { outbox, faults, replays, waiting: outbox.next(1e6, Infinity) }
}

/** A log with some writes: envelopes of two motes, and what became of some. Returns the file, and the end of each write. */
async function written(t: TestContext): Promise<{ bytes: Buffer; ends: number[]; folder: string }> {
    const folder = temporaryFolder(t)
    const { outbox } = opened(folder)
    const ends: number[] = []
    for (let n = 0; n < 6; n++) {
        await outbox.append([envelope(2 * n), envelope(2 * n + 1, { mote: 2 })])
        ends.push(outbox.position.at)
        if (n === 2) outbox.settle(outbox.next(3, Infinity))
        if (n === 4)
            outbox.settle(outbox.next(1, Infinity), [
                { kid: envelope(0).kid, generation: 0, boot: 1, salt: "0102030405", seq: 7 },
            ])
    }
    outbox.close()
    return { bytes: readFileSync(first(folder)), ends, folder }
}

/** The offsets at which records begin, and the end. */
function boundaries(bytes: Buffer): number[] {
    const found = [0]
    for (let at = 0; at < bytes.length; found.push(at)) at += headerBytes + plausibleLength(bytes, at)!
    return found
}

test("of every prefix of every write exactly the whole records are there, and the rest is reported and cut off", async t => {
    const { bytes } = await written(t)
    const folder = temporaryFolder(t)
    const ends = boundaries(bytes)
    for (let length = 0; length <= bytes.length; length++) {
        writeFileSync(first(folder), bytes.subarray(0, length))
        const whole = ends.filter(end => end <= length)
        const { outbox, faults, waiting } = opened(folder)
        assert.equal(outbox.position.at, whole.at(-1))
        assert.deepEqual(
            faults.map(({ at, bytes, isTail }) => ({ at, bytes, isTail })),
            whole.at(-1) === length ? [] : [{ at: whole.at(-1), bytes: length - whole.at(-1)!, isTail: true }],
        )
        await outbox.append([envelope(99)])
        outbox.close()
        const again = opened(folder)
        assert.deepEqual(again.faults, [])
        assert.equal(again.waiting.length, waiting.length + 1)
        again.outbox.close()
    }
})

test("a torn write, whose pages reached the disk in any order, costs nothing that was durable before", async t => {
    const { bytes, ends } = await written(t)
    const folder = temporaryFolder(t)
    const from = ends.at(-2)!
    writeFileSync(first(folder), bytes.subarray(0, from))
    const { outbox: durable, waiting: before } = opened(folder)
    durable.close()
    writeFileSync(first(folder), bytes)
    const { outbox: whole, waiting: after } = opened(folder)
    whole.close()
    // The last write also says that one of them is settled.
    const kept = before
        .map(({ envelope }) => hex(envelope))
        .filter(name => after.some(({ envelope }) => hex(envelope) === name))
    assert.ok(kept.length > 3)
    fc.assert(
        fc.property(
            fc.integer({ min: from, max: bytes.length }),
            fc.integer({ min: from, max: bytes.length }),
            (a, b) => {
                const torn = Buffer.from(bytes)
                torn.fill(0, Math.min(a, b), Math.max(a, b))
                writeFileSync(first(folder), torn)
                const { outbox, waiting } = opened(folder)
                outbox.close()
                const names = new Set(waiting.map(({ envelope }) => hex(envelope)))
                for (const name of kept) assert.ok(names.has(name))
                rmSync(folder, { recursive: true, force: true })
                mkdirSync(folder)
            },
        ),
        { numRuns: 200 },
    )
})

test("a flipped bit anywhere is detected: one record is lost and reported, the others survive", async t => {
    const { bytes } = await written(t)
    const folder = temporaryFolder(t)
    const ends = boundaries(bytes)
    const { outbox: whole, waiting: all } = (writeFileSync(first(folder), bytes), opened(folder))
    whole.close()
    for (let bit = 0; bit < bytes.length * 8; bit += 37) {
        const flipped = Buffer.from(bytes)
        flipped[bit >>> 3]! ^= 1 << (bit & 7)
        writeFileSync(first(folder), flipped)
        const { outbox, faults, waiting } = opened(folder)
        assert.equal(faults.length, 1)
        const at = ends.findLast(end => end <= bit >>> 3)!
        assert.equal(faults[0]!.at, at)
        assert.equal(faults[0]!.isTail, at === ends.at(-2))
        const names = new Set(waiting.map(queued => hex(queued.envelope)))
        const lost = all.filter(queued => !names.has(hex(queued.envelope)))
        assert.ok(lost.length <= 1, "only the damaged record is lost")
        outbox.close()
    }
})

test("a bit that flips while the router runs is found when the envelope is read; the file is kept", async t => {
    const folder = temporaryFolder(t)
    const many = Array.from({ length: 1500 }, (_, n) => envelope(n % 256, { bytes: 4000 }))
    const { outbox, faults } = opened(folder)
    await outbox.append(many)
    const file = first(folder)
    const bytes = readFileSync(file)
    bytes[recordBytes(4000) - 1]! ^= 1
    writeFileSync(file, bytes)
    const batch = outbox.next(10, Infinity)
    assert.equal(batch.length, 10)
    assert.deepEqual(faults, [{ file, at: 0, bytes: recordBytes(4000), isTail: false }])
    assert.equal(outbox.rows, many.length - 1)
    for (let left = outbox.next(1e6, Infinity); left.length > 0; left = outbox.next(1e6, Infinity)) outbox.settle(left)
    while (outbox.position.segment === 1) await outbox.append(many)
    outbox.settle(outbox.next(1e6, Infinity))
    outbox.cover(outbox.position)
    assert.ok(existsSync(`${file}.damaged`))
    assert.ok(!existsSync(file))
    outbox.close()
})

test("whatever is added, settled and reopened: each envelope is there until it is settled, in the mote's order", async t => {
    const step = fc.oneof(
        {
            weight: 4,
            arbitrary: fc.record({
                add: fc.integer({ min: 1, max: 20 }),
                mote: fc.integer({ min: 1, max: 3 }),
                alarm: fc.boolean(),
            }),
        },
        {
            weight: 3,
            arbitrary: fc.record({ settle: fc.integer({ min: 1, max: 30 }), every: fc.integer({ min: 1, max: 3 }) }),
        },
        { weight: 1, arbitrary: fc.constant("reopen" as const) },
    )
    await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
            const folder = temporaryFolder(t)
            let { outbox } = opened(folder)
            const expected = new Map<string, number[]>()
            let n = 0
            for (const step of steps) {
                if (step === "reopen") {
                    outbox.close()
                    const again = opened(folder)
                    assert.deepEqual(again.faults, [])
                    outbox = again.outbox
                } else if ("add" in step) {
                    const purpose = step.alarm ? "alarm" : "vitals"
                    const some = Array.from({ length: step.add }, () => ({
                        ...envelope(n % 256, { mote: step.mote, purpose }),
                        receivedAt: n++,
                    }))
                    await outbox.append(some)
                    const key = `${purpose} ${step.mote}`
                    expected.set(key, [...(expected.get(key) ?? []), ...some.map(({ receivedAt }) => receivedAt)])
                } else {
                    const settled = outbox.next(step.settle, Infinity).filter((_, i) => i % step.every === 0)
                    outbox.settle(settled)
                    for (const { purpose, kid, receivedAt } of settled) {
                        const key = `${purpose} ${kid[7]}`
                        expected.set(
                            key,
                            expected.get(key)!.filter(other => other !== receivedAt),
                        )
                    }
                }
                const waiting = outbox.next(1e6, Infinity)
                const sorted = (queued: Queued[]) =>
                    queued.map(({ purpose, kid, receivedAt }) => `${purpose} ${kid[7]} ${receivedAt}`)
                for (const [key, times] of expected)
                    assert.deepEqual(
                        sorted(waiting.filter(({ purpose, kid }) => key === `${purpose} ${kid[7]}`)),
                        times.map(time => `${key} ${time}`),
                    )
                assert.equal(outbox.rows, waiting.length)
                assert.equal(
                    outbox.bytes,
                    waiting.reduce((sum, { envelope }) => sum + envelope.length, 0),
                )
            }
            outbox.close()
            rmSync(folder, { recursive: true })
        }),
        { numRuns: 40 },
    )
})

test("segments go when nothing in them waits; the log of an old envelope among many settled ones does not grow without end", async t => {
    const folder = temporaryFolder(t)
    const { outbox } = opened(folder)
    const old = envelope(7, { mote: 2 })
    await outbox.append([old])
    const many = Array.from({ length: 1000 }, (_, n) => envelope(n % 256, { bytes: 4000 }))
    for (let round = 0; round < 25; round++) {
        await outbox.append(many)
        outbox.settle(outbox.next(1e6, Infinity).filter(({ kid }) => kid[7] === 1))
        outbox.cover(outbox.position)
    }
    assert.ok(outbox.fileBytes < 6 * segmentBytes, `${outbox.fileBytes} bytes for one envelope`)
    assert.deepEqual(
        outbox.next(9, Infinity).map(({ envelope }) => envelope),
        [old.envelope],
    )
    outbox.close()
    assert.deepEqual(
        opened(folder).waiting.map(({ envelope }) => envelope),
        [old.envelope],
    )
})

test("a log that cannot be written takes nothing, and works again in a new segment", async t => {
    const folder = join(temporaryFolder(t), "outbox")
    const { outbox } = opened(folder)
    await outbox.append([envelope(1)])
    while (outbox.position.at < segmentBytes)
        await outbox.append([...Array(500)].map(() => envelope(2, { bytes: 4000 })))
    const { rows, bytes } = outbox
    // The next segment has a name that is taken.
    mkdirSync(join(folder, "0000000002.log"))
    const append = async () => await outbox.append([envelope(3)])
    await assert.rejects(append)
    assert.deepEqual([outbox.rows, outbox.bytes], [rows, bytes])
    rmSync(join(folder, "0000000002.log"), { recursive: true })
    await append()
    assert.equal(outbox.rows, rows + 1)
    assert.equal(outbox.position.segment, 2)
    outbox.close()
    assert.equal(opened(folder).outbox.rows, rows + 1)
})

test("an outbox in a table of an earlier version moves into the log, also if the first attempt is killed", async t => {
    const data = temporaryFolder(t)
    SqliteStore.open(data).close()
    const motes = [TestMote.numbered(1), TestMote.numbered(2)]
    const envelopes = Array.from({ length: 2500 }, (_, n) => motes[n % 2]!.envelope())
    const db = new Database(join(data, "router.db"))
    const insert = db.prepare("INSERT INTO outbox (kid, purpose, receivedAt, envelope) VALUES (?, 'vitals', ?, ?)")
    db.exec("BEGIN")
    envelopes.forEach((bytes, n) => insert.run([motes[n % 2]!.keys.kid, n, bytes]))
    db.exec("COMMIT")
    db.close()
    // A part of the log is there already, and the table is full.
    const part = Outbox.open(join(data, "outbox"), { since: start, replayed: () => {}, report: () => {} })
    await part.append([{ ...envelope(1), kid: motes[0]!.keys.kid, envelope: envelopes[0]! }])
    part.close()
    for (let i = 0; i < 2; i++) {
        const store = SqliteStore.open(data)
        const waiting = store.next(1e6, Infinity)
        assert.equal(waiting.length, envelopes.length)
        assert.deepEqual(new Set(waiting.map(({ envelope }) => hex(envelope))), new Set(envelopes.map(hex)))
        store.close()
    }
    assert.ok(statSync(join(data, "router.db")).size < 200_000, "the table's room is free again")
})

test("files of the outbox that are missing are said so", async t => {
    const data = temporaryFolder(t)
    const said: string[] = []
    const log = { ...silentLog, error: (_: object, line: string) => void said.push(line) }
    const store = SqliteStore.open(data, log)
    await store.append([envelope(1)], [])
    store.close()
    const saved = temporaryFolder(t)
    for (const name of readdirSync(join(data, "outbox"))) copyFileSync(join(data, "outbox", name), join(saved, name))
    rmSync(join(data, "outbox"), { recursive: true })
    SqliteStore.open(data, log).close()
    assert.equal(said.length, 1)
    assert.match(said[0]!, /files of the outbox are missing/)
})
