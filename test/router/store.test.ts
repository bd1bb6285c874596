import assert from "node:assert/strict"
import { copyFileSync, cpSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { test } from "node:test"
import Database from "libsql"
import { UserError } from "../../host/errors.ts"
import { silentLog } from "../../host/log.ts"
import { identify } from "../../router/store/identity.ts"
import { format } from "../../router/store/schema.ts"
import { SqliteStore } from "../../router/store/sqlite.ts"
import { temporaryFolder } from "../support/folder.ts"
import { TestMote } from "../support/mote.ts"

const accepted = (byte: number) => ({
    kid: TestMote.numbered().keys.kid,
    purpose: "vitals" as const,
    receivedAt: 1_700_000_000_000 + byte,
    envelope: new Uint8Array(10 + byte).fill(byte),
})

test("what was written is there after opening it again", async t => {
    const data = temporaryFolder(t)
    const { kid } = TestMote.numbered().keys
    const keys = [TestMote.numbered(1).routerKeys, TestMote.numbered(2).routerKeys]
    const start = { boot: 4, salt: "0102030405", floor: 0, runs: [[0, 7]] as [number, number][] }
    let store = SqliteStore.open(data)
    store.changeKeys([], keys)
    await store.append([accepted(1), accepted(2)], [{ kid, start }])
    store.close()
    store = SqliteStore.open(data)
    t.after(() => store.close())
    assert.deepEqual(store.keys(), keys)
    assert.deepEqual(store.starts(kid), [start])
    assert.deepEqual(store.next(10, Infinity), [
        { id: 1, ...accepted(1) },
        { id: 2, ...accepted(2) },
    ])
    assert.deepEqual([store.outboxLength, store.outboxBytes], [2, 11 + 12])
})

test("a store of the first version opens, without the keys of the first wire format", t => {
    const data = temporaryFolder(t)
    const { kid, upMac, receipt, mqtt, config } = TestMote.numbered().routerKeys
    const db = new Database(join(data, "router.db"))
    db.exec(readFileSync(new URL("./router-1.sql", import.meta.url), "utf8"))
    db.prepare("INSERT INTO keys VALUES (?, ?, ?, ?, ?)").run([kid, upMac, receipt, mqtt, config])
    db.exec(`PRAGMA application_id = ${0x564d7274}; PRAGMA user_version = 1`)
    db.close()
    const store = SqliteStore.open(data)
    t.after(() => store.close())
    assert.deepEqual(store.keys(), [])
})

test("an outbox of the second version goes out, and belongs to its motes", t => {
    const data = temporaryFolder(t)
    const [mote, other] = [TestMote.numbered(1), TestMote.numbered(2)]
    const db = new Database(join(data, "router.db"))
    db.exec(readFileSync(new URL("./router-1.sql", import.meta.url), "utf8"))
    db.exec(format.migrations[1]!)
    const insert = db.prepare("INSERT INTO outbox (purpose, receivedAt, envelope) VALUES ('vitals', 1, ?)")
    const envelopes = [mote.envelope(), other.envelope()]
    for (const envelope of envelopes) insert.run([envelope])
    db.prepare("INSERT INTO refused (purpose, receivedAt, envelope, reason) VALUES ('vitals', 1, ?, '')").run([
        mote.envelope(),
    ])
    db.exec(`PRAGMA application_id = ${format.applicationId}; PRAGMA user_version = 2`)
    db.close()
    const store = SqliteStore.open(data)
    t.after(() => store.close())
    assert.deepEqual(
        store.next(10, Infinity).map(({ kid }) => Buffer.from(kid).toString("hex")),
        [mote.eui, other.eui],
    )
    assert.equal(store.outboxBytesOf(mote.keys.kid), envelopes[0]!.length)
    assert.deepEqual(store.deadLetters(0, 10)[0]?.kid, mote.keys.kid)
})

test("settling takes out what is safe and keeps the refused apart", async t => {
    const store = SqliteStore.open(temporaryFolder(t))
    t.after(() => store.close())
    await store.append([accepted(1), accepted(2), accepted(3)], [])
    const [first, , third] = store.next(3, Infinity)
    store.settle([first!], [{ delivery: third!, reason: "unknown mote" }])
    assert.deepEqual(
        store.next(10, Infinity).map(d => d.id),
        [2],
    )
    assert.deepEqual([store.outboxLength, store.outboxBytes], [1, 12])
    assert.deepEqual([store.refusedLength, store.refusedBytes], [1, 13])
})

test("what is safe leaves the file with the next commit or the close; a crash before only repeats it", async t => {
    const data = temporaryFolder(t)
    /** What the next router would find if this one were killed now. */
    const afterCrash = () => {
        const copy = temporaryFolder(t)
        for (const file of ["router.db", "router.db-wal"]) copyFileSync(join(data, file), join(copy, file))
        cpSync(join(data, "outbox"), join(copy, "outbox"), { recursive: true })
        const store = SqliteStore.open(copy)
        const found = store.next(1000, Infinity).map(({ id }) => id)
        assert.equal(store.outboxLength, found.length)
        store.close()
        return found
    }
    const store = SqliteStore.open(data)
    await store.append([accepted(1), accepted(2)], [])
    store.settle(store.next(1, Infinity), [])
    assert.deepEqual(
        store.next(10, Infinity).map(({ id }) => id),
        [2],
    )
    assert.deepEqual(afterCrash(), [1, 2])
    await store.append([accepted(3)], [])
    assert.deepEqual(afterCrash(), [2, 3])
    await store.append(
        Array.from({ length: 300 }, () => accepted(4)),
        [],
    )
    for (let i = 0; i < 300; i++) store.settle(store.next(1, Infinity), [])
    assert.equal(store.outboxLength, 2)
    assert.ok(afterCrash().length < 300, "what waits for a commit is bounded")
    store.settle(store.next(1, Infinity), [])
    store.close()
    const later = SqliteStore.open(data)
    t.after(() => later.close())
    assert.deepEqual(
        later.next(10, Infinity).map(({ id }) => id),
        [303],
    )
})

test("a settlement that fails leaves the outbox as it was", async () => {
    const store = SqliteStore.inMemory()
    await store.append([accepted(1), accepted(2)], [])
    const [first, second] = store.next(2, Infinity)
    const reason = null as unknown as string // the table refuses it
    assert.throws(() => store.settle([first!], [{ delivery: second!, reason }]))
    assert.deepEqual(store.next(2, Infinity), [first, second])
    assert.deepEqual([store.outboxLength, store.refusedLength], [2, 0])
    store.close()
})

test("what was refused stays over a restart, and goes back into the outbox when asked", async t => {
    const data = temporaryFolder(t)
    let store = SqliteStore.open(data)
    await store.append([accepted(1), accepted(2)], [])
    const [first] = store.next(1, Infinity)
    store.settle([], [{ delivery: first!, reason: "unknown mote" }])
    store.close()
    store = SqliteStore.open(data)
    t.after(() => store.close())
    assert.deepEqual([store.refusedLength, store.refusedBytes], [1, 11])
    store.retryRefused()
    assert.deepEqual(store.next(10, Infinity), [
        { id: 2, ...accepted(2) },
        { id: 3, ...accepted(1) },
    ])
    assert.deepEqual([store.outboxLength, store.outboxBytes], [2, 11 + 12])
    assert.deepEqual([store.refusedLength, store.refusedBytes], [0, 0])
})

test("dead letters are listed from the oldest on, and dropped from there", async t => {
    const store = SqliteStore.open(temporaryFolder(t))
    t.after(() => store.close())
    await store.append([accepted(1), accepted(2), accepted(3)], [])
    store.settle(
        [],
        store.next(3, Infinity).map(delivery => ({ delivery, reason: `reason ${delivery.id}` })),
    )
    const list = (after: number, max: number) =>
        store.deadLetters(after, max).map(({ id, reason }) => `${id} ${reason}`)
    assert.deepEqual(list(0, 2), ["1 reason 1", "2 reason 2"])
    assert.deepEqual(list(2, 2), ["3 reason 3"])
    assert.equal(store.dropDeadLetters(2), 2)
    assert.deepEqual(list(0, 9), ["3 reason 3"])
    assert.deepEqual([store.refusedLength, store.refusedBytes], [1, 13])
    assert.equal(store.dropDeadLetters(9), 1)
    assert.equal(store.dropDeadLetters(9), 0)
    assert.deepEqual([store.refusedLength, store.refusedBytes], [0, 0])
})

test("a store that was emptied, lost or replaced is said so, once, and knows when it was made", async t => {
    const data = temporaryFolder(t)
    const warned: string[] = []
    const log = { ...silentLog, warn: (_: object, line: string) => void warned.push(line) }
    const start = async (now: number, fill = false) => {
        const store = SqliteStore.open(data)
        const madeAt = identify(store, data, now, log)
        if (fill) await store.append([accepted(1)], [])
        store.close()
        return madeAt
    }
    assert.equal(await start(1000.5, true), 1000)
    assert.equal(await start(2000), 1000)
    assert.deepEqual(warned, [])
    const old = readFileSync(join(data, "router.db"))
    rmSync(join(data, "router.db"))
    assert.equal(await start(3000), 3000)
    assert.equal(warned.length, 1)
    assert.match(warned[0]!, /emptied, lost or replaced/)
    assert.equal(await start(4000), 3000)
    writeFileSync(join(data, "router.db"), "")
    assert.equal(await start(5000), 5000)
    writeFileSync(join(data, "router.db"), old)
    assert.equal(await start(6000), 1000)
    assert.equal(warned.length, 3)
    assert.equal(statSync(join(data, "router.id")).mode & 0o777, 0o600)
})

test("a store of an earlier version is not taken for a lost one", async t => {
    const data = temporaryFolder(t)
    const store = SqliteStore.open(data)
    t.after(() => store.close())
    await store.append([accepted(1)], [])
    const log = { ...silentLog, warn: () => assert.fail() }
    assert.equal(identify(store, data, 1000, log), undefined)
    assert.equal(identify(store, data, 2000, log), undefined)
})

test("the oldest come first, as many as asked for", async () => {
    const store = SqliteStore.inMemory()
    for (let i = 0; i < 250; i++) await store.append([accepted(i)], [])
    assert.deepEqual(
        store.next(120, Infinity).map(d => d.envelope[0]),
        Array.from({ length: 120 }, (_, i) => i),
    )
    store.close()
})

test("new keys of some motes replace their old ones, and leave the others", () => {
    const store = SqliteStore.inMemory()
    const [one, two, three] = [1, 2, 3].map(n => TestMote.numbered(n).routerKeys)
    store.changeKeys([], [one!, two!])
    const next = { ...TestMote.numbered(9).routerKeys, kid: one!.kid, generation: 1 }
    store.changeKeys([one!.kid, three!.kid], [one!, next, three!])
    assert.deepEqual(store.keys(), [two, one, next, three])
    store.changeKeys([one!.kid, two!.kid], [next])
    assert.deepEqual(store.keys(), [three, next])
    store.close()
})

test("a forgotten start of a mote leaves the others", async () => {
    const store = SqliteStore.inMemory()
    const { kid } = TestMote.numbered(1).keys
    const { kid: other } = TestMote.numbered(2).keys
    const start = (boot: number) => ({ boot, salt: "00", floor: 0, runs: [[0, 0]] as [number, number][] })
    await store.append(
        [],
        [1, 2, 3].map(boot => ({ kid, start: start(boot) })),
    )
    await store.append([], [{ kid: other, start: start(1) }], [{ kid, start: start(1) }])
    assert.deepEqual(store.starts(kid), [start(2), start(3)])
    assert.deepEqual(store.starts(other), [start(1)])
    store.close()
})

test("only the owner may read the files", async t => {
    const data = join(temporaryFolder(t), "made")
    const store = SqliteStore.open(data)
    await store.append([accepted(1)], [])
    t.after(() => store.close())
    for (const file of ["router.db", "router.db-wal", "outbox/0000000001.log"])
        assert.equal(statSync(join(data, file)).mode & 0o777, 0o600)
    assert.equal(statSync(data).mode & 0o777, 0o700)
})

test("a commit is on disk: write-ahead log, synchronous FULL", t => {
    const store = SqliteStore.open(temporaryFolder(t))
    t.after(() => store.close())
    assert.deepEqual(store.durability, { journalMode: "wal", synchronous: 2 })
})

const refuses = (data: string, reason: RegExp) =>
    assert.throws(
        () => SqliteStore.open(data),
        (error: Error) => {
            assert.ok(error instanceof UserError)
            assert.match(error.message, reason)
            assert.doesNotMatch(error.message, /\n/)
            return true
        },
    )

test("a file that is no database is refused", t => {
    const data = temporaryFolder(t)
    writeFileSync(join(data, "router.db"), "not a database ".repeat(1000))
    refuses(data, /damaged/)
})

test("a damaged database is refused", t => {
    const data = temporaryFolder(t)
    const store = SqliteStore.open(data)
    store.changeKeys(
        [],
        Array.from({ length: 200 }, (_, n) => TestMote.numbered(n).routerKeys),
    )
    store.close()
    const file = join(data, "router.db")
    const { size } = statSync(file)
    writeFileSync(file, new Uint8Array(size - 8192).fill(0xab), { flag: "r+" })
    refuses(data, /damaged/)
})

test("the database of another program is refused and left as it is", t => {
    const data = temporaryFolder(t)
    const database = new Database(join(data, "router.db"))
    database.exec("CREATE TABLE other (x)")
    database.close()
    const before = readFileSync(join(data, "router.db"))
    refuses(data, /another program/)
    assert.deepEqual(readFileSync(join(data, "router.db")), before)
})

test("a database of a newer version is refused", t => {
    const data = temporaryFolder(t)
    SqliteStore.open(data).close()
    const database = new Database(join(data, "router.db"))
    database.exec("PRAGMA user_version = 999")
    database.close()
    refuses(data, /newer version/)
})

test("a store that another router uses is refused", t => {
    const data = temporaryFolder(t)
    const store = SqliteStore.open(data)
    t.after(() => store.close())
    refuses(data, /another process uses it/)
})

test("a folder that cannot be made or written is refused", t => {
    const data = temporaryFolder(t)
    writeFileSync(join(data, "file"), "")
    refuses(join(data, "file"), /a file is where a folder should be/)
    mkdirSync(join(data, "router.db"))
    refuses(data, /it is a folder/)
})
